from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from labels_builder import label_measured

from mimir_engine.cli import DONE, main
from mimir_engine.cohort import label_table
from mimir_engine.cohort.tables.label_columns import CORE_FAT_FRACTION, label_columns
from mimir_engine.cohort.tables.styles import LONG
from mimir_engine.errors import MimirError
from mimir_engine.evaluation import result_table
from mimir_engine.evaluation.agreement import agreement
from mimir_engine.evaluation.comparison import Comparison, read_comparison
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.labels.label_measurement import LabelMeasurement
from mimir_engine.measuring.same_quantity import SIGNAL_FAT_FRACTION
from mimir_engine.measuring.study_result import StudyResult

STUDIES = 40
NETWORK_LIVER = "phantom_liverFat"
LABEL_LIVER = "label_liver_core_fat_fraction"


def liver_fat() -> tuple[np.ndarray, np.ndarray]:
    """Liver fat by the network and by a label, which is 2 points higher and not exact."""
    rng = np.random.default_rng(3)
    network = rng.uniform(2, 20, STUDIES)
    return network, network + 2 + rng.normal(0, 0.5, STUDIES)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """An output folder with estimates, direct measurements and labels."""
    network, label = liver_fat()
    folder = tmp_path / "measured"
    folder.mkdir()
    columns = (
        *("name", "eid", "instance", "phantom_liverFat_mean_in_%", "phantom_liverFat_sd_in_%"),
        *("phantom_liverFat_lower95", "phantom_liverFat_upper95", "phantom_waist_mean_in_cm"),
        *("direct_waist_in_cm", "direct_right_thigh_lean_volume_in_L"),
        *("direct_left_thigh_lean_volume_in_L", "phantom_thighMuscleVolume_mean_in_L", "flags"),
    )
    rows = (
        [f"s{n}", "", "", v, 1.0, v - 2, v + 2, 80 + n, 81.5 + n, 4 + n, 4.5 + n, 8 + 2 * n, ""]
        for n, v in enumerate(network.tolist())
    )
    write_csv(folder / "predictions.csv", columns, rows)
    labelled = (
        StudyResult(f"s{n}", "", "", (), (), labels=_labels(value))
        for n, value in enumerate(label.tolist())
    )
    rows = (row for result in labelled for row in label_table.label_rows(result))
    write_csv(folder / "labels.csv", label_table.COLUMNS, rows)
    return folder


def _labels(core_percent: float) -> tuple[LabelMeasurement, ...]:
    """Two labels with this fat fraction in their inner voxels."""
    return tuple(label_measured(name, 1.5, core_percent + 0.5) for name in ("liver", "spleen"))


def compared(results: Path, *names: str) -> Comparison:
    return read_comparison(results, [names])


def refusal(results: Path, *names: str) -> str:
    with pytest.raises(MimirError) as caught:
        compared(results, *names)
    assert caught.value.code == "COMPARISON_INVALID"
    return str(caught.value)


def test_a_network_and_a_label_are_paired_by_study(results: Path) -> None:
    network, label = liver_fat()
    found = compared(results, NETWORK_LIVER, LABEL_LIVER).predictions
    assert found.names == (f"{NETWORK_LIVER} vs {LABEL_LIVER}",)
    assert found.units == ("%",)
    np.testing.assert_array_equal(found.mean[:, 0], network)
    np.testing.assert_allclose(found.reference[:, 0], label, rtol=1e-12)
    assert found.sides == (("Network", "Label"),)
    assert found.level == 0.95
    assert found.lower is not None
    np.testing.assert_array_equal(found.lower[:, 0], network - 2)


def test_the_second_is_the_reference(results: Path) -> None:
    found = compared(results, LABEL_LIVER, NETWORK_LIVER).predictions
    assert float((found.mean - found.reference).mean()) == pytest.approx(2, abs=0.2)
    assert np.isnan(found.sd).all()  # a label has no uncertainty of its own


def test_volumes_of_both_thighs_are_added_up(results: Path) -> None:
    thighs = "direct_right_thigh_lean_volume+direct_left_thigh_lean_volume"
    found = compared(results, "phantom_thighMuscleVolume", thighs).predictions
    np.testing.assert_allclose(found.mean - found.reference, -0.5)


def test_all_pairs_of_the_same_quantity_are_found(results: Path) -> None:
    assert compared(results, "all").predictions.names == (
        f"{NETWORK_LIVER} vs {LABEL_LIVER}",
        "phantom_thighMuscleVolume vs direct_right_thigh_lean_volume+direct_left_thigh_lean_volume",
        "phantom_waist vs direct_waist",
    )


def test_a_pair_that_is_asked_for_twice_is_compared_once(results: Path) -> None:
    pair = ("phantom_waist", "direct_waist")
    found = read_comparison(results, [pair, ("all",), pair]).predictions.names
    assert len(found) == 3


def test_a_table_alone_has_the_labels_of_its_columns(results: Path) -> None:
    table = results / "predictions.csv"
    assert "there are no results 'label_liver_core_fat_fraction'" in refusal(
        table, NETWORK_LIVER, LABEL_LIVER
    )
    (column,) = (c for c in label_columns("liver") if c.what == CORE_FAT_FRACTION)
    write_csv(
        table,
        ("name", "phantom_liverFat_mean_in_%", column.names[LONG]),
        ([f"s{n}", 5, 6 + n] for n in range(4)),
    )
    found = compared(table, NETWORK_LIVER, LABEL_LIVER).predictions
    np.testing.assert_array_equal(found.reference[:, 0], [6, 7, 8, 9])


def test_studies_without_labels_are_left_out(results: Path) -> None:
    lines = (results / "labels.csv").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith(("s0,", "s1,"))]
    (results / "labels.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    found = compared(results, NETWORK_LIVER, LABEL_LIVER).predictions
    assert np.isnan(found.reference[:2]).all()
    assert np.isfinite(found.reference[2:]).all()


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("phantom_waist", NETWORK_LIVER), "different units (cm and %)"),
        (("label_liver_volume", LABEL_LIVER), "different units (L and %)"),
        (("phantom_waist+label_liver_volume", "direct_waist"), "different units (cm and L)"),
        (("phantom_waist", "direct_waste"), "Did you mean direct_waist"),
        (("phantom_waist", "direct_waist_in_cm"), "Did you mean direct_waist"),
        (("phantom_waist",), "is not a pair"),
        (("phantom_waist", "phantom_waist"), "is not a pair"),
        (("phantom_waist", "direct_waist", "x"), "is not a pair"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    results: Path, names: Sequence[str], reason: str
) -> None:
    assert reason in refusal(results, *names)


def test_results_without_two_ways_have_nothing_to_compare(tmp_path: Path) -> None:
    write_csv(tmp_path / "measurements.csv", ("name", "direct_waist_in_cm"), [["a", 80]])
    assert "no two results give the same quantity" in refusal(tmp_path, "all")


def test_a_number_that_is_none_is_named_with_its_table(results: Path) -> None:
    table = results / "labels.csv"
    header, *lines = table.read_text(encoding="utf-8").splitlines()
    cells = lines[1].split(",")
    cells[header.split(",").index("core_fat_fraction_percent")] = "much"
    cells[header.split(",").index("label_name")] = "liver"
    lines[1] = ",".join(cells)
    table.write_text("\n".join((header, *lines)), encoding="utf-8")
    with pytest.raises(MimirError) as caught:
        compared(results, NETWORK_LIVER, LABEL_LIVER)
    assert caught.value.code == "PREDICTIONS_INVALID"
    assert "'labels.csv', line 3, column 'core_fat_fraction_percent'" in str(caught.value)


def test_fat_fractions_come_with_their_caveat(results: Path) -> None:
    assert SIGNAL_FAT_FRACTION in compared(results, NETWORK_LIVER, LABEL_LIVER).notes
    waist = compared(results, "phantom_waist", "direct_waist").notes
    assert SIGNAL_FAT_FRACTION not in waist
    assert any("smallest girth" in note for note in waist)
    assert not any("lowest fifth" in note for note in waist)  # that is the hip


def test_the_command_writes_agreement_of_two_results(results: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    network, label = liver_fat()
    output = tmp_path / "out"
    command = ["evaluate", str(results), "--compare", f"{NETWORK_LIVER},{LABEL_LIVER}"]
    options = ["--bootstrap", "20", "--each-its-own-person", "--output", str(output)]
    assert main([*command, *options]) == DONE
    text = (output / "metrics.md").read_text(encoding="utf-8")
    assert "bias is first − second" in text
    assert "signal fat fraction, not a PDFF" in text
    expected = agreement(label, network)
    lines = (output / "metrics.csv").read_text(encoding="utf-8").splitlines()
    found = {line.split(",")[5]: line.split(",")[6] for line in lines if ",all,," in line}
    for metric in ("icc", "bias", "loa_lower", "loa_upper"):
        assert float(found[metric]) == pytest.approx(float(expected[metric]), rel=1e-12)
    assert (output / "figures" / "bland-altman-1.png").is_file()


def test_results_without_uncertainty_have_no_such_table(results: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    command = ["evaluate", str(results), "--compare", "phantom_waist,direct_waist"]
    options = ["--bootstrap", "0", "--each-its-own-person", "--figures", "none"]
    assert main([*command, *options, "--output", str(output)]) == DONE
    assert "## Uncertainty" not in (output / "metrics.md").read_text(encoding="utf-8")


def test_a_comparison_needs_no_reference(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = results / "predictions.csv"
    command = ["evaluate", str(results), "--compare", "all", "--reference", str(table)]
    assert main([*command, "--output", str(tmp_path / "out")]) != DONE
    assert "--compare and --reference do not go together" in capsys.readouterr().err


def test_a_table_of_endless_labels_is_refused(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_table, "MAX_LABELS", 1)
    with pytest.raises(MimirError, match="more than 1 labels"):
        compared(results, NETWORK_LIVER, LABEL_LIVER)
