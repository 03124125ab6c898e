import csv

import pytest

pytest.importorskip("slicer")

import slicer
from scene_study import DIRECT, MEASUREMENTS, quantity, study_details

from mimir_engine import MimirError
from MIMIRLib.scene.cohort import cohort_of
from MIMIRLib.scene.csv_files import write_cohort, write_study
from MIMIRLib.scene.results import show_studies
from MIMIRLib.scene.shown_study import shown_studies, shown_study
from MIMIRLib.scene.subject import Subject
from MIMIRLib.scene.subject_hierarchy import hierarchy_of

JANE = Subject("1.2.1", "P1", "Doe^Jane", "2020-02-29", "UK Biobank MRI")


@pytest.fixture
def scene(tmp_path):
    scene = slicer.vtkMRMLScene()
    hierarchy_of(scene)
    show(scene, tmp_path / "1", JANE)
    return scene


def show(scene, folder, subject, measurements=MEASUREMENTS):
    details = study_details(folder, subject.study_uid, measurements)
    list(show_studies(scene, [(details, subject)], volumes=False))


def rows_of(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_each_row_of_a_study_says_whose_it_is_and_how_it_was_measured(scene, tmp_path):
    write_study(tmp_path / "out.csv", shown_study(scene, "1.2.1"))
    rows = rows_of(tmp_path / "out.csv")
    assert len(rows) == 5
    for row in rows:
        assert (row["patient"], row["date"], row["study"]) == ("P1", "2020-02-29", "1.2.1")
    fat = rows[1]
    assert (fat["level"], fat["module"]) == ("0.95", "phantom 1.0")
    assert fat["measurement"] == "Visceral adipose tissue (VAT) volume"
    assert (fat["name"], fat["unit"]) == ("visceralFatVolume", "L")


def test_a_studys_numbers_have_every_digit_and_unknown_ones_are_empty(scene, tmp_path):
    write_study(tmp_path / "out.csv", shown_study(scene, "1.2.1"))
    sex, fat, liver, volume, waist = rows_of(tmp_path / "out.csv")
    assert float(fat["value"]) == 3.123456789012345
    assert float(fat["lower"]) == MEASUREMENTS[0].lower
    assert fat["percentile"] == "61.25"
    assert (liver["percentile"], float(liver["lower"])) == ("", MEASUREMENTS[2].lower)
    assert liver["flags"] == "DEMONSTRATION;OUTSIDE_TRAINING_RANGE"
    assert (sex["class"], sex["unit"]) == ("male", "score: 0 is female, 1 is male")
    assert (sex["lower"], sex["sd"], sex["z"]) == ("", "", "")
    assert (float(volume["value"]), volume["level"]) == (DIRECT[0].value, "")
    assert (waist["value"], waist["note"]) == ("", "cannot be measured: the arms touch the trunk")


def test_a_cohort_has_a_row_per_study_in_the_columns_of_predictions_csv(scene, tmp_path):
    show(scene, tmp_path / "2", Subject("1.2.2", "P2"), [quantity("liverVolume", 2.0)])
    write_cohort(tmp_path / "out.csv", cohort_of(shown_studies(scene)))
    first, second = rows_of(tmp_path / "out.csv")
    assert [*first][:5] == ["patient", "date", "eid", "instance", "sex_male_score"]
    assert [*first][-2:] == ["flags", "study"]
    assert (first["patient"], second["patient"]) == ("P1", "P2")
    assert float(first["visceralFatVolume_upper95"]) == MEASUREMENTS[0].upper
    assert (second["visceralFatVolume_mean_in_L"], second["liverVolume_mean_in_L"]) == ("", "2.0")
    assert second["study"] == "1.2.2"


def test_excel_opens_the_files_with_all_letters(scene, tmp_path):
    show(scene, tmp_path / "2", Subject("1.2.2", "", "Ärmel^中"))
    write_study(tmp_path / "out.csv", shown_study(scene, "1.2.2"))
    assert (tmp_path / "out.csv").read_bytes().startswith(b"\xef\xbb\xbfpatient,")
    assert rows_of(tmp_path / "out.csv")[0]["patient"] == "Ärmel, 中"


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_a_name_is_never_a_formula_and_a_number_stays_one(scene, tmp_path, start):
    name = f'{start}HYPERLINK("x")'
    show(scene, tmp_path / "2", Subject("1.2.2", name), [quantity("liverVolume", -2.0)])
    write_study(tmp_path / "study.csv", shown_study(scene, "1.2.2"))
    write_cohort(tmp_path / "cohort.csv", cohort_of(shown_studies(scene)))
    study, cohort = (rows_of(tmp_path / f"{kind}.csv") for kind in ("study", "cohort"))
    assert study[0]["patient"] == cohort[1]["patient"] == f"'{name}"
    assert study[0]["value"] == cohort[1]["liverVolume_mean_in_L"] == "-2.0"


def test_a_file_that_cannot_be_written_is_an_error(scene, tmp_path):
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(MimirError, match="OUTPUT_UNWRITABLE"):
        write_study(tmp_path / "out.csv", shown_study(scene, "1.2.1"))
