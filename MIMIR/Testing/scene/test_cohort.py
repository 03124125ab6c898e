import pytest

pytest.importorskip("slicer")

import slicer
from scene_study import DIRECT, MEASUREMENTS, quantity, saved_and_loaded, sex, study_details

from MIMIRLib.scene.cohort import cohort_of, find_cohort, update_cohort
from MIMIRLib.scene.results import find_results, show_studies
from MIMIRLib.scene.shown_study import shown_studies
from MIMIRLib.scene.subject import Subject
from MIMIRLib.scene.subject_hierarchy import hierarchy_of
from MIMIRLib.scene.tables import column_values

JANE = Subject("1.2.1", "P1", "Doe^Jane", "2020-02-29", "UK Biobank MRI")


@pytest.fixture
def scene():
    scene = slicer.vtkMRMLScene()
    hierarchy_of(scene)
    return scene


def show(scene, folder, subject=JANE, measurements=MEASUREMENTS, **options):
    details = study_details(folder, subject.study_uid or "file.zip", measurements, **options)
    list(show_studies(scene, [(details, subject)], volumes=False))


def names(node):
    return [node.GetColumnName(index) for index in range(node.GetNumberOfColumns())]


@pytest.fixture
def node(scene, tmp_path):
    """The cohort of a study of the database and one in a file with other measurements."""
    show(scene, tmp_path / "1")
    other = [quantity("liverVolume", 2.0), sex(0.1, "female")]
    show(scene, tmp_path / "2", Subject(), other, direct=())
    return find_cohort(scene)


def test_one_study_is_no_cohort(scene, tmp_path):
    show(scene, tmp_path / "1")
    assert find_cohort(scene) is None
    assert update_cohort(scene) is None


def test_a_row_begins_with_whose_it_is(node):
    assert names(node)[:4] == ["patient", "date", "eid", "instance"]
    assert node.GetColumnTitle("patient") == "Patient ID"
    assert column_values(node, "patient") == ["P1", "file.zip"]
    assert column_values(node, "date") == ["2020-02-29", ""]
    assert names(node)[-1] == "study"
    assert column_values(node, "study") == ["1.2.1", "file.zip"]


def test_people_see_one_column_per_measurement(node):
    shown = names(node)[4:9]
    assert [name[: -len("_shown")] for name in shown] == [
        *("sex", "visceralFatVolume", "liverVolume"),
        *("direct_fat_volume_in_L", "direct_waist_in_cm"),
    ]
    titles = [node.GetColumnTitle(name) for name in shown]
    assert titles == [
        *("Sex", "VAT (L)", "Liver volume (L)", "Fat volume (direct) (L)", "Waist (direct) (cm)"),
    ]
    assert column_values(node, "sex_shown") == ["male", "female"]
    assert column_values(node, "visceralFatVolume_shown") == ["3.1", ""]
    assert column_values(node, "direct_waist_in_cm_shown") == ["–", ""]


def test_no_cell_says_nan_and_no_header_repeats_the_unit(node):
    for name in names(node):
        assert "nan" not in "".join(map(str, column_values(node, name))).lower()
        assert node.GetColumnUnitLabel(name) == ""


def test_scripts_find_the_columns_of_predictions_csv_with_all_digits(node):
    raw = names(node)[10:-1]
    assert raw == [
        "sex_male_score",
        *(f"visceralFatVolume_{part}" for part in ("mean_in_L", "sd_in_L", "lower95", "upper95")),
        *(f"liverVolume_{part}" for part in ("mean_in_L", "sd_in_L", "lower95", "upper95")),
        "direct_fat_volume_in_L",
        "direct_waist_in_cm",
    ]
    first, second = column_values(node, "visceralFatVolume_upper95")
    assert (float(first), second) == (MEASUREMENTS[0].upper, "")
    assert column_values(node, "liverVolume_mean_in_L") == [repr(1 / 3), "2.0"]


def test_levels_do_not_mix(scene, tmp_path):
    show(scene, tmp_path / "1", direct=())
    other = [quantity("visceralFatVolume", 2.0, level=0.9)]
    show(scene, tmp_path / "2", Subject("1.2.2", "P2"), other, direct=())
    node = find_cohort(scene)
    first, second = column_values(node, "visceralFatVolume_lower95")
    assert (bool(first), second) == (True, "")
    first, second = column_values(node, "visceralFatVolume_lower90")
    assert (first, bool(second)) == ("", True)


def test_modules_that_measure_the_same_have_columns_of_their_own(scene, tmp_path):
    show(scene, tmp_path / "1", measurements=[quantity("age", 50.0, unit="years")], direct=())
    other = quantity("b_age", 60.0, target="age", unit="years", module="b")
    show(scene, tmp_path / "2", Subject("1.2.2", "P2"), [other], direct=())
    node = find_cohort(scene)
    titles = [node.GetColumnTitle(name) for name in ("age_shown", "b_age_shown")]
    assert titles == ["Age (years), phantom 1.0", "Age (years), b 1.0"]


def test_columns_are_in_the_order_of_the_groups_whichever_study_has_them(scene, tmp_path):
    show(scene, tmp_path / "1", measurements=[quantity("b_weight", 70.0, target="weight")])
    other = [quantity(name, 70.0) for name in ("height", "weight", "liverFat", "AtlasVatVolume")]
    show(scene, tmp_path / "2", Subject("1.2.2", "P2"), other, direct=())
    names = [one.name for _heading, one in cohort_of(shown_studies(scene)).measurements]
    assert names[:5] == ["height", "b_weight", "weight", "AtlasVatVolume", "liverFat"]


def test_it_grows_with_each_study_and_stays_the_same_node(scene, node, tmp_path):
    node.SetName("my cohort")
    show(scene, tmp_path / "3", Subject("1.2.3", "P3", "Roe^Richard", "2021-03-01"))
    assert find_cohort(scene) is node
    assert column_values(node, "patient") == ["P1", "file.zip", "P3"]
    assert node.GetName() == "my cohort"


def test_a_study_measured_again_keeps_its_row(scene, node, tmp_path):
    show(scene, tmp_path / "again", measurements=[quantity("visceralFatVolume", 9.0)])
    assert column_values(node, "patient") == ["P1", "file.zip"]
    assert column_values(node, "visceralFatVolume_shown") == ["9.0", ""]


def test_a_deleted_study_leaves_it(scene, node, tmp_path):
    show(scene, tmp_path / "3", Subject("1.2.3", "P3"))
    scene.RemoveNode(find_results(scene, "1.2.1").table)
    assert update_cohort(scene) is node
    assert column_values(node, "patient") == ["file.zip", "P3"]
    scene.RemoveNode(find_results(scene, "1.2.3").table)
    assert update_cohort(scene) is None
    assert node.GetScene() is None


def test_it_survives_saving_and_loading_with_all_digits(scene, node, tmp_path):
    loaded = saved_and_loaded(scene, tmp_path / "saved")
    again = find_cohort(loaded)
    assert names(again) == names(node)
    for name in names(node):
        assert column_values(again, name) == column_values(node, name)
    assert (
        cohort_of(shown_studies(loaded)).raw_columns == cohort_of(shown_studies(scene)).raw_columns
    )
    assert DIRECT[0].value in cohort_of(shown_studies(loaded)).raw_columns[-2].values
