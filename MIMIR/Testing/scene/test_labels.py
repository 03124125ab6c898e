"""Labels of several studies in one scene: never the same, and each tells whose it is."""

import pytest

pytest.importorskip("slicer")

import slicer
from scene_study import study_details, tree_items

from MIMIRLib.scene.index import all_indices, label_of, subject_of
from MIMIRLib.scene.results import find_results, show_studies, show_volumes
from MIMIRLib.scene.subject import Subject
from MIMIRLib.scene.subject_hierarchy import hierarchy_of

DATE, MRI = "2020-02-29", "Whole body"


@pytest.fixture
def scene():
    scene = slicer.vtkMRMLScene()
    hierarchy_of(scene)
    return scene


@pytest.fixture
def show(scene, tmp_path):
    """Show a study of a patient, and return its nodes."""

    def show_study(key, patient_id="", name="", date=DATE, description=MRI, uid=True):
        details = study_details(tmp_path / str(len(list(tmp_path.iterdir()))), key)
        subject = Subject(key if uid else "", patient_id, name, date, description)
        list(show_studies(scene, [(details, subject)], False))
        return find_results(scene, key)

    return show_study


def folders(scene):
    hierarchy = hierarchy_of(scene)
    return [
        hierarchy.GetItemName(item)
        for item in tree_items(hierarchy)
        if hierarchy.GetItemLevel(item) == "Folder"
    ]


def test_studies_of_several_patients_have_the_patients_names(show):
    labels = [show(f"1.{n}", f"P{n}", name).label for n, name in enumerate(["Doe^Jane", "Roe^R"])]
    assert labels == ["Doe, Jane, 2020-02-29, Whole body", "Roe, R, 2020-02-29, Whole body"]


def test_where_two_patients_have_one_name_both_have_their_ids(scene, show):
    first, second = show("1.1", "P1", "Doe^Jane"), show("1.2", "P2", "doe^jane")
    labels = [label_of(scene, key) for key in ("1.1", "1.2")]
    assert labels == [
        "Doe, Jane (P1), 2020-02-29, Whole body",
        "doe, jane (P2), 2020-02-29, Whole body",
    ]
    for nodes, label in zip((first, second), labels):
        assert nodes.table.GetName() == f"Measurements - {label}"
        assert nodes.projection.GetName() == f"Projection - {label}"
        assert nodes.chart.GetTitle() == f"{label} (demonstration)"
    assert folders(scene) == [f"MIMIR - {label}" for label in labels]


def test_two_patients_of_one_name_in_one_run_have_their_ids(scene, tmp_path):
    studies = [
        (study_details(tmp_path / key, key), Subject(key, f"P{key}", "Doe^Jane", DATE, MRI))
        for key in ("1", "2")
    ]
    list(show_studies(scene, studies, False))
    assert [label_of(scene, key)[:14] for key in ("1", "2")] == ["Doe, Jane (P1)", "Doe, Jane (P2)"]


def test_names_that_a_user_gave_stay_when_a_namesake_comes(scene, show):
    first = show("1.1", "P1", "Doe^Jane")
    first.table.SetName("mine")
    first.chart.SetTitle("my title")
    show("1.2", "P2", "Doe^Jane")
    assert first.table.GetName() == "mine"
    assert first.chart.GetTitle() == "my title"
    assert first.profile.GetName() == "Profile - Doe, Jane (P1), 2020-02-29, Whole body"


def test_the_studies_of_one_patient_on_one_day_are_numbered(scene, show):
    show("1.1", "P1", "Doe^Jane")
    second = show("1.2", "P1", "Doe^Jane")
    assert second.label == "Doe, Jane, 2020-02-29, Whole body (2)"
    assert second.table.GetName() == f"Measurements - {second.label}"
    assert label_of(scene, "1.1") == "Doe, Jane, 2020-02-29, Whole body"


def test_a_study_keeps_its_number(scene, show):
    first = show("1.1", "P1", "Doe^Jane")
    show("1.2", "P1", "Doe^Jane")
    for node in (first.table, first.chart, first.profile, first.projection):
        scene.RemoveNode(node)
    assert show("1.2", "P1", "Doe^Jane").label == "Doe, Jane, 2020-02-29, Whole body (2)"


@pytest.mark.parametrize("name", ["", "Doe^Jane"])
def test_labels_that_differ_in_case_alone_differ_where_slicer_saves_files(show, name):
    labels = [show(f"1.{n}", patient_id, name).label for n, patient_id in enumerate(("p1", "P1"))]
    assert labels[0].casefold() != labels[1].casefold()
    assert labels[1].endswith(" (2)")


def test_files_whose_names_differ_in_case_alone_have_different_labels(show):
    names = ["Scan", "scan", "caf\u00e9", "CAFE\u0301"]
    labels = [show(name, date="", description="", uid=False).label for name in names]
    assert labels == ["Scan", "scan (2)", "caf\u00e9", "CAFE\u0301 (2)"]


@pytest.mark.parametrize(
    "name",
    ["a/b\\c|d&e<f>'g\"h", "../..", "line\nbreak\x00\x1b[31m", "כהן^רות", "\u202eevil", "محمد"],
)
def test_a_patient_of_any_name_is_named_and_found(scene, show, name):
    for _twice in range(2):
        nodes = show("1.1", "P1", name)
        assert nodes.label.isprintable()
        assert nodes.label.endswith(", 2020-02-29, Whole body")
        assert nodes.table.GetName() == f"Measurements - {nodes.label}"
    assert subject_of(scene, "1.1").patient_name == name


def test_a_name_without_reversed_writing_is_not_changed(show):
    assert show("1.1", "P1", "כהן^רות").label == "כהן, רות, 2020-02-29, Whole body"


def test_patients_with_very_long_names_are_told_apart(show):
    long = "D" * 64
    labels = [show(f"1.{n}", f"{n}" * 64, long, description="x" * 64).label for n in range(2)]
    assert labels[0] != labels[1]
    assert all(DATE in label for label in labels)


def test_volumes_measured_without_the_database_stay_their_patients(scene, show, tmp_path):
    label = show("1.1", "P1", "Doe^Jane").label
    list(show_studies(scene, [(study_details(tmp_path / "again", "1.1"), Subject())], False))
    assert find_results(scene, "1.1").label == label
    assert subject_of(scene, "1.1").patient_id == "P1"


def test_results_of_an_earlier_version_get_the_patients_name_when_measured_again(scene, show):
    old = show("1.1", "P1", "Doe^Jane")
    (index,) = all_indices(scene)
    index.RemoveAttribute("MIMIR.Subject")
    index.SetAttribute("MIMIR.Label", "MRI (20200229)")
    old.projection.SetName("Projection - MRI (20200229)")
    assert find_results(scene, "1.1").label == "MRI (20200229)"
    assert subject_of(scene, "1.1") == Subject()
    new = show("1.1", "P1", "Doe^Jane")
    assert new.label == "Doe, Jane, 2020-02-29, Whole body"


def test_a_damaged_record_of_the_patient_is_no_hindrance(scene, show):
    show("1.1", "P1", "Doe^Jane")
    (index,) = all_indices(scene)
    for damaged in ("no JSON", "[]", "3", '{"name": 1}', "%7B"):
        index.SetAttribute("MIMIR.Subject", damaged)
        assert subject_of(scene, "1.1") == Subject()


def test_fused_volumes_tell_their_patient_too(scene):
    from scene_study import ORIGIN, fused

    from mimir_engine.fusion import FusedVolumes

    subject = Subject("", "P1", "Doe^Jane", DATE, MRI)
    water, _fat, _fraction = show_volumes(scene, "1.2.3", FusedVolumes(*fused()), ORIGIN, subject)
    assert water.GetName() == "Water - Doe, Jane, 2020-02-29, Whole body"
