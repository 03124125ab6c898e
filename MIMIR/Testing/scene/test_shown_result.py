"""A study's measurements in words: by networks, direct ones, those of labels, side by side."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("slicer")

import slicer
from scene_study import DIRECT, quantity, study_details

from mimir_engine.labels.label_measurement import LabelMeasurement
from mimir_engine.measuring.study_result import StudyResult
from MIMIRLib.presenter.measurement_rows import measurement_columns, measurement_row
from MIMIRLib.scene.kept_result import RESULT_MARK, keep_result, kept_result
from MIMIRLib.scene.measurement_table import measurement_table
from MIMIRLib.scene.shown_label import SEGMENTATION
from MIMIRLib.scene.shown_measurement import ShownMeasurement
from MIMIRLib.scene.shown_result import shown_measurements


def label(number: int, name: str, title: str, **changes: Any) -> LabelMeasurement:
    """A label of 1.25 litres with 7 % fat."""
    fields = {
        **{"label": number, "name": name, "title": title, "voxels": 83_000, "volume_l": 1.25},
        **{"edge_share": 0.0, "air_share": 0.0, "seams": 1},
        **dict.fromkeys(("fat_fraction_percent", "fat_fraction_median_percent"), 7.25),
        **{"fat_fraction_q1_percent": 6.0, "fat_fraction_q3_percent": 8.0, "core_voxels": 70_000},
        **dict.fromkeys(("core_fat_fraction_percent", "core_fat_fraction_median_percent"), 6.125),
        **{"core_fat_fraction_q1_percent": 5.0, "core_fat_fraction_q3_percent": 7.0},
        **changes,
    }
    return LabelMeasurement(**fields)


LIVER = label(5, "liver", "Liver", edge_share=0.125)
RESULT = StudyResult(
    "1.2.3",
    "",
    "",
    (quantity("liverVolume", 1.5), quantity("height", 175.0, unit="cm")),
    (),
    DIRECT,
    labels=(LIVER, label(7, "spleen", "Spleen")),
)


def by_name(result: StudyResult) -> dict[str, ShownMeasurement]:
    return {one.name: one for one in shown_measurements(result)}


def test_labels_come_last_each_with_volume_and_fat_fractions() -> None:
    shown = [one for one in shown_measurements(RESULT) if one.kind == "label"]
    assert shown == shown_measurements(RESULT)[-6:]
    assert [(one.label, one.estimate) for one in shown[:3]] == [
        ("Liver: volume (segment)", "1.25 L"),
        ("Liver: fat fraction (segment)", "7.25 %"),
        ("Liver: fat fraction inside (segment)", "6.125 %"),
    ]
    assert {one.group for one in shown} == {SEGMENTATION}
    assert [one.place for one in shown] == sorted(one.place for one in shown)
    assert "12.5 % of its voxels lie at the edge" in shown[0].note


def test_labels_are_named_as_in_files() -> None:
    assert {
        "label_liver_volume_litres",
        "label_liver_fat_fraction_percent",
        "label_liver_core_fat_fraction_percent",
    } <= by_name(RESULT).keys()


def test_a_label_without_a_fat_fraction_has_the_reason() -> None:
    lung = label(9, "lung", "Lung", fat_fraction_percent=None, reason="it has too little signal")
    shown = by_name(StudyResult("1", "", "", (), (), labels=(lung,)))
    one = shown["label_lung_fat_fraction_percent"]
    assert (one.estimate, one.value) == ("–", None)
    assert one.note == "cannot be measured: it has too little signal"


def test_labels_of_one_title_are_told_apart() -> None:
    same = (label(3, "cyst", "Cyst"), label(4, "cyst_2", "Cyst"))
    shown = shown_measurements(StudyResult("1", "", "", (), (), labels=same))
    assert [one.label for one in shown[::3]] == [
        "Cyst 3: volume (segment)",
        "Cyst 4: volume (segment)",
    ]


def test_network_and_label_of_one_quantity_stand_side_by_side() -> None:
    shown = by_name(RESULT)
    network, segment = shown["liverVolume"], shown["label_liver_volume_litres"]
    assert "1.25 L" in network.others
    assert "phantom 1.0" in segment.others
    assert "1.5 L (1.0 to 2.0)" in segment.others
    assert "edge of the view" in network.definitions
    assert shown["height"].others == shown["label_spleen_volume_litres"].others == ""


def test_the_panel_shows_other_ways_only_where_there_are_some() -> None:
    alone = shown_measurements(StudyResult("1", "", "", RESULT.measurements, ()))
    for shown, is_shown in ((shown_measurements(RESULT), True), (alone, False)):
        (column,) = [c for c in measurement_columns(shown) if c.key == "other_ways"]
        assert column.is_shown is is_shown
    place = [c.key for c in measurement_columns(alone)].index("other_ways")
    cell = measurement_row(by_name(RESULT)["liverVolume"], ticked=True).cells[place]
    assert "1.25 L" in cell.text
    assert cell.tooltip


def test_the_table_node_has_the_labels_with_all_digits() -> None:
    third = label(5, "liver", "Liver", volume_l=1.0 / 3.0)
    table = measurement_table(StudyResult("1", "", "", (), (), labels=(third,)), "table").GetTable()
    assert table.GetNumberOfRows() == 3
    assert table.GetColumnByName("value").GetValue(0) == repr(1.0 / 3.0)
    assert table.GetColumnByName("name").GetValue(0) == "label_liver_volume_litres"


def test_a_result_of_a_version_without_labels_is_still_read(tmp_path: Path) -> None:
    folder = study_details(tmp_path)
    node = slicer.vtkMRMLTableNode()
    keep_result(node, folder)
    fields = json.loads(zlib.decompress(base64.b64decode(node.GetAttribute(RESULT_MARK))))
    del fields["result"]["labels"]
    packed = base64.b64encode(zlib.compress(json.dumps(fields).encode())).decode()
    node.SetAttribute(RESULT_MARK, packed)
    assert kept_result(node).result == folder.result
