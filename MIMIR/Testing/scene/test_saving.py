import math

import numpy as np
import pytest

pytest.importorskip("slicer")

import slicer
from scene_study import (
    MEASUREMENTS,
    PROFILE,
    fused,
    saved_and_loaded,
    segments,
    state_of,
    study_details,
)

from MIMIRLib.scene.fused_mark import fused_pair
from MIMIRLib.scene.index import label_of, subject_of
from MIMIRLib.scene.measurement_table import findings_of
from MIMIRLib.scene.node_marks import name_for_node, single_line
from MIMIRLib.scene.results import find_cohort, find_results, show_studies
from MIMIRLib.scene.subject import Subject
from MIMIRLib.scene.subject_hierarchy import hierarchy_of
from MIMIRLib.scene.tables import column_values
from MIMIRLib.scene.volumes import INFERNO, array_of, lps_affine_of

NAME = 'a/b|c^d <e>&"f" 5%25.zip'


SUBJECT = Subject("1.2.3", "P1", "O'Doe^Jane & <J> | 5%25 ^", "2020-02-29", 'MRI "a/b|c"; ä\n中')
LABEL = "O’Doe, Jane _ _J_ _ 5_25, 2020-02-29, MRI ’a/b_c’; ä 中"
ITEMS = [single_line(SUBJECT.study_item_name), single_line(SUBJECT.patient_item_name)]
KINDS = ("water", "fat", "fraction", "projection", "table", "chart", "profile", "regions")


@pytest.fixture
def loaded(tmp_path):
    """A scene with two studies, one of a hostile name, saved and read again."""
    scene = slicer.vtkMRMLScene()
    studies = [
        (study_details(tmp_path / "1"), SUBJECT),
        (study_details(tmp_path / "2", NAME), Subject()),
    ]
    list(show_studies(scene, studies))
    return saved_and_loaded(scene, tmp_path / "saved")


def test_it_is_still_known_whose_they_are(loaded):
    assert subject_of(loaded, "1.2.3") == SUBJECT
    assert label_of(loaded, "1.2.3") == find_results(loaded, "1.2.3").label == LABEL
    assert subject_of(loaded, NAME) == Subject()
    assert label_of(loaded, NAME) == name_for_node(NAME)


@pytest.mark.parametrize("key", ["1.2.3", NAME])
def test_every_result_is_found_again(loaded, key):
    results = find_results(loaded, key)
    for kind in KINDS:
        assert getattr(results, kind) is not None


def test_volumes_keep_voxels_and_geometry(loaded):
    results, (water, _) = find_results(loaded, "1.2.3"), fused()
    np.testing.assert_array_equal(array_of(results.water), water.array)
    np.testing.assert_allclose(lps_affine_of(results.water), water.affine, atol=1e-6)
    assert array_of(results.projection).dtype == np.uint8


def test_volumes_can_be_measured_again_to_the_last_bit(loaded):
    results = find_results(loaded, "1.2.3")
    for volume, known in zip(fused_pair(results.water, results.fat), fused()):
        np.testing.assert_array_equal(volume.array, known.array)
        np.testing.assert_array_equal(volume.affine, known.affine)


def test_the_fat_fraction_keeps_its_unit_colours_and_window(loaded):
    fraction = find_results(loaded, "1.2.3").fraction
    assert fraction.GetVoxelValueUnits().GetCodeValue() == "%"
    display = fraction.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0, 100)
    assert display.GetColorNodeID() == INFERNO
    assert not display.GetAutoWindowLevel()


def test_tables_keep_types_digits_and_words(loaded):
    table = find_results(loaded, "1.2.3").table
    by_name = {m.name: m for m in MEASUREMENTS}
    fat, liver = (by_name[name] for name in ("visceralFatVolume", "liverVolume"))
    assert column_values(table, "value")[:3] == ["", repr(fat.value), repr(liver.value)]
    assert column_values(table, "score")[0] == repr(by_name["sex"].value)
    assert column_values(table, "measurement")[:3] == ["Sex", "VAT", "Liver volume"]
    assert column_values(table, "estimate")[:2] == ["male", "3.1 L"]
    assert column_values(table, "percentile") == ["", "61.25", "", "", ""]
    assert column_values(table, "note")[4] == "cannot be measured: the arms touch the trunk"
    assert table.GetColumnTitle("interval") == "95 % interval"
    assert findings_of(table)[0]["code"] == "STATION_RESCANNED"
    assert column_values(find_cohort(loaded), "study") == ["1.2.3", "a/b|c^d <e>&'f' 5%25.zip"]


def test_the_chart_still_draws_the_same(loaded):
    chart = find_results(loaded, "1.2.3").chart
    series = [chart.GetNthPlotSeriesNode(i) for i in range(chart.GetNumberOfPlotSeriesNodes())]
    assert [s.GetName() for s in series] == [
        "middle 95 % of the reference",
        "mean of the reference",
        "95 % intervals",
        "estimates",
    ]
    assert [s.GetLineStyleAsString(s.GetLineStyle()) for s in series] == [
        *("dash", "solid", "solid", "none")
    ]
    data = series[-1].GetTableNode()
    z, rows = column_values(data, "estimate"), column_values(data, "estimate_row")
    assert z[:2] == pytest.approx([MEASUREMENTS[0].z_score, MEASUREMENTS[2].z_score], rel=1e-5)
    assert rows[:2] == [2.0, 3.0]
    assert all(math.isnan(number) for number in z[2:])
    assert math.isnan(column_values(data, "interval")[2])
    assert column_values(data, "measurement")[:2] == [MEASUREMENTS[0].label, MEASUREMENTS[2].label]
    assert chart.GetYAxisRange() == (3.5, 0.5)


def test_the_profile_and_the_parts_of_the_body_are_the_same(loaded):
    results = find_results(loaded, "1.2.3")
    series = results.profile.GetNthPlotSeriesNode(1)
    values = column_values(series.GetTableNode(), series.GetXColumnName())
    assert values == pytest.approx(PROFILE["fat_cm2"])
    assert segments(results.regions) == {"trunk": 1, "right thigh": 4}


def test_moved_folders_stay_in_their_place(loaded):
    hierarchy = hierarchy_of(loaded)
    item = hierarchy.GetItemByDataNode(find_results(loaded, "1.2.3").table)
    names = []
    while item != hierarchy.GetSceneItemID():
        names.append(hierarchy.GetItemName(item))
        item = hierarchy.GetItemParent(item)
    assert names == [f"Measurements - {LABEL}", f"MIMIR - {LABEL}", *ITEMS]


def test_running_again_in_the_loaded_scene_replaces_what_was_loaded(loaded, tmp_path):
    before = find_results(loaded, NAME)
    nodes, items = state_of(loaded)
    list(show_studies(loaded, [(study_details(tmp_path / "again", NAME), Subject())]))
    after = find_results(loaded, NAME)
    assert after.water is not before.water
    assert before.water.GetScene() is None
    assert len(state_of(loaded)[1]) == len(items)
    storage = [n for n in state_of(loaded)[0] if "Storage" in n]
    assert len(storage) == len([n for n in nodes if "Storage" in n]) - 8


def test_results_loaded_into_a_scene_with_others_stay_apart(tmp_path):
    saved = slicer.vtkMRMLScene()
    list(show_studies(saved, [(study_details(tmp_path / "1"), Subject("1.2.3", "P1"))]))
    saved_and_loaded(saved, tmp_path / "saved")
    scene = slicer.vtkMRMLScene()
    other = study_details(tmp_path / "2", "1.2.4")
    list(show_studies(scene, [(other, Subject("1.2.4", "P2"))]))
    kept = find_results(scene, "1.2.4")
    scene.SetURL(str(next((tmp_path / "saved").glob("*.mrml"))))
    assert scene.Import()
    assert find_results(scene, "1.2.4") == kept
    imported = find_results(scene, "1.2.3")
    assert imported.water not in (None, kept.water)
    assert imported.water.GetAttribute("MIMIR.Study") == "1.2.3"
