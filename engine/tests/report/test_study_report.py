from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from labels_builder import label_measured
from many_measurements import many_measurements
from study_to_report import DIRECT, measured_study, projection, with_flags

from mimir_engine.report.blocks import Chart, Heading, Paragraph, Pictures, Report, Table
from mimir_engine.report.measured_study import MeasuredStudy
from mimir_engine.report.study_report import study_report

#: Rows of the table that are names of groups.
GROUP = 1


def sentences(report: Report) -> str:
    return "\n".join(block.text for block in report.blocks if isinstance(block, Paragraph))


def table(report: Report, first: str) -> Table:
    tables = (block for block in report.blocks if isinstance(block, Table))
    return next(block for block in tables if block.columns[0] == first)


def test_a_study_is_kept_as_json() -> None:
    study = measured_study()
    assert MeasuredStudy.from_json(json.loads(json.dumps(study.to_json()))) == study


@pytest.mark.parametrize("damaged", [{}, {"result": None}, {"result": {}, "scanner": ""}])
def test_json_of_anything_else_is_refused(damaged: dict) -> None:
    with pytest.raises((ValueError, TypeError, LookupError)):
        MeasuredStudy.from_json(damaged)


def test_the_study_is_named_by_its_file_unless_a_title_is_given() -> None:
    assert study_report(measured_study()).title == "1.2.3"
    report = study_report(measured_study(), title="Doe^Jane, 2024-03-01")
    assert report.title == "Doe^Jane, 2024-03-01"
    assert "Study: 1.2.3." in sentences(report)


def test_purpose_validation_findings_and_comparison_are_said() -> None:
    said = sentences(study_report(measured_study()))
    for sentence in (
        "Research use only, not for diagnosis.",
        "Scanner: SIEMENS Aera 1.5 T.",
        "published was validated on: scanners by SIEMENS, 1.5 T, 6 stations.",
        "Warning: 161 mL of the right side are dark. Look at the images.",
        "Note: Station 2 was scanned twice.",
        "The scan is unlike the 2,500 scans of the module's calibration.",
        "SHA-256 of module.json: 0123456789abcdef",
        "mimir 0.6.0, torch 2.8.0.",
    ):
        assert sentence in said


def test_a_clear_scan_is_said_to_be_so() -> None:
    said = sentences(study_report(measured_study(findings=())))
    assert "The checks of headers and images found nothing unusual." in said


def test_every_measurement_has_a_row_below_its_group() -> None:
    measurements = many_measurements()
    rows = table(study_report(measured_study()), "measurement").rows
    assert sum(len(row) > GROUP for row in rows) == len(measurements)
    groups = [row[0] for row in rows if len(row) == GROUP]
    assert groups[:3] == ["Body", "Strength and heart", "Fat"]


def test_a_row_has_the_numbers_of_its_measurement() -> None:
    vat = next(m for m in many_measurements() if m.target == "AtlasVatVolume")
    vat = replace(vat, value=1.92, sd=0.1, lower=1.70, upper=2.10)
    rows = table(study_report(measured_study(measurements=(vat,))), "measurement").rows
    z = f"{vat.z_score:+.1f}"
    assert rows[1] == ("VAT", "1.92 L", "1.70 to 2.10", "61", z, "", "published 1.0")


def test_flags_of_some_measurements_name_them() -> None:
    first, second, *_ = many_measurements()
    flagged = with_flags(first, "OUTSIDE_TRAINING_RANGE")
    report = study_report(measured_study(measurements=(flagged, second)))
    assert "Grip strength, right: The value is larger or smaller than" in sentences(report)
    rows = [row for row in table(report, "measurement").rows if len(row) > GROUP]
    assert {row[0]: row[5] for row in rows} == {
        "Grip strength, right": "outside training range",
        "Height": "",
    }


def test_flags_of_all_measurements_of_a_module_are_said_once() -> None:
    both = tuple(with_flags(m, "UNUSUAL_SCAN") for m in many_measurements()[:2])
    other = replace(both[0], module="other", flags=())
    said = sentences(study_report(measured_study(measurements=(*both, other))))
    assert "All measurements of published: The scan is unlike" in said


def test_direct_measurements_have_a_value_or_a_reason() -> None:
    rows = table(study_report(measured_study()), "quantity").rows
    assert rows == (
        ("Fat volume", "21.1 L", ""),
        ("Waist", "", "cannot be measured: the arms touch the trunk"),
    )
    assert len(rows) == len(DIRECT)


def test_a_study_without_networks_has_no_chart() -> None:
    report = study_report(measured_study(measurements=(), comparisons=()))
    assert not any(isinstance(block, Chart) for block in report.blocks)
    assert table(report, "quantity")


def test_images_have_labelled_channels_and_a_legend() -> None:
    report = study_report(measured_study(), projection(), np.zeros((40, 20, 3), np.uint8))
    where, channels = (block.pictures for block in report.blocks if isinstance(block, Pictures))
    assert where[0].parts == ("water", "fat fraction")
    assert [picture.title for picture in channels] == ["Water", "Fat", "Fat fraction"]
    assert {picture.parts for picture in channels} == {("coronal", "sagittal")}
    assert channels[2].legend == ("0 %", "50 % or more")


def test_air_has_no_fat_fraction() -> None:
    image = projection()
    image[2] = 255
    report = study_report(measured_study(), image)
    (pictures,) = (block.pictures for block in report.blocks if isinstance(block, Pictures))
    fraction = pictures[2].image
    assert not fraction[:, 128:].any()
    assert fraction[:, :128].min(axis=(0, 1)).any()


def test_sections_follow_in_the_order_of_reading() -> None:
    study = measured_study(labels=(label_measured("liver", 1.5),))
    report = study_report(study, projection())
    headings = [block.text for block in report.blocks if isinstance(block, Heading)]
    assert headings == [
        "Checks of the scan",
        "Images",
        "Estimates and their intervals",
        "All measurements",
        "Measured directly in the images, without a network",
        "Labels of the segmentation",
        "Several ways to the same quantity",
        "Inference modules",
        "How the numbers were made",
    ]


def test_labels_are_listed_with_volume_and_fat_fractions() -> None:
    labels = (
        label_measured("liver", 1.523, 6.04, edge_share=0.02, title="Liver"),
        label_measured("gas", 0.1, None),
    )
    assert table(study_report(measured_study(labels=labels)), "label").rows == (
        ("Liver", "1.52 L", "6.0 %", "5.5 %", "2.0 %", ""),
        ("gas", "0.1 L", "", "", "", "no voxel has enough signal"),
    )


def test_ways_to_the_same_quantity_stand_below_its_name() -> None:
    (volume,) = (m for m in many_measurements() if m.target == "liverVolume")
    volume = replace(volume, value=1.40, sd=0.05, lower=1.30, upper=1.50)
    study = measured_study(measurements=(volume,), labels=(label_measured("liver", 1.5),))
    report = study_report(study)
    rows = table(report, "from").rows
    assert rows[0] == ("Liver volume",)
    assert rows[1][:4] == ("network", "Liver volume, published 1.0", "1.40 L", "1.30 to 1.50")
    assert rows[2][:4] == ("label", "liver", "1.5 L", "")
    assert "nothing is averaged" in sentences(report)


def test_a_label_fat_fraction_beside_liver_fat_is_said_to_be_no_pdff() -> None:
    said = sentences(study_report(measured_study(labels=(label_measured("liver", 1.5),))))
    assert "is a signal fat fraction, not a PDFF" in said


def test_without_a_second_way_there_is_no_such_section() -> None:
    report = study_report(measured_study(direct=()))
    assert "Several ways" not in "".join(b.text for b in report.blocks if isinstance(b, Heading))
