"""Read targets from tables and choose studies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from image_folder_builder import write_image_folder

from mimir_engine.cohort.images.image_folder import StudyId, TargetDefinition
from mimir_engine.cohort.inclusion.chosen_studies import StudyChoice
from mimir_engine.cohort.inclusion.persons import PersonRule
from mimir_engine.errors import MimirError
from mimir_engine.training.data_selection import choose_data
from mimir_engine.training.dataset import Dataset
from mimir_engine.training.targets import TargetTable, read_labels, read_targets

STUDIES = (
    StudyId("1000001_20201_2_0", "1000001", "2"),
    StudyId("1000001_20201_3_0", "1000001", "3"),
    StudyId("1000002_20201_2_0", "1000002", "2"),
    StudyId("=phantom, 7"),
)


EACH = PersonRule(each_its_own=True)


def table(path: Path, *rows: str, header: str = "study,target,value") -> Path:
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Images as `mimir project --dataset` writes them, in another order than the studies."""
    folder = tmp_path / "projections"
    folder.mkdir()
    images = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 3, 4, 4), np.uint8)
    np.save(folder / "images.npy", images)
    lines = [
        f"{row},{study.name},{study.eid},{study.instance}"
        for row, study in zip((4, 0, 1), STUDIES[:3])
    ]
    table(folder / "studies.csv", *lines, '2,"\'=phantom, 7",,', header="row,name,eid,instance")
    return folder


def values_of(dataset: Dataset, name: str) -> list[float]:
    return dataset.targets[:, dataset.target_names.index(name)].tolist()


def test_studies_are_identified_by_name_or_by_participant_and_visit(tmp_path: Path) -> None:
    path = table(
        tmp_path / "t.csv",
        "1000001_2,liverFat,2.5",
        "1000001_20201_3_0,liverFat,3.5",
        "1000002,liverFat,4.5",
        '"\'=phantom, 7",liverFat,',
        "1000003,liverFat,9",
    )
    known = read_targets([path], STUDIES)
    assert known.names == ("liverFat",)
    np.testing.assert_array_equal(known.values[:, 0], [2.5, 3.5, 4.5, np.nan])
    assert known.unknown == ("1000003",)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (["1000001,age,60"], r"line 2: '1000001' has several visits"),
        (
            ["1000002,age,60", "1000002_2,age,61"],
            r"line 3: '1000002_2' has two different values of age",
        ),
        (["1000002,age,sixty"], r"line 2, column 'value': 'sixty' is not a number"),
        (["1000002,age,inf"], r"line 2, column 'value': 'inf' is out of range"),
        (["1000002,age"], r"line 2: has 2 cells"),
    ],
)
def test_an_ambiguous_or_invalid_table_is_refused(
    rows: list[str], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(MimirError, match=rf"TARGETS_INVALID: 't.csv', {reason}"):
        read_targets([table(tmp_path / "t.csv", *rows)], STUDIES)


def test_a_table_without_its_columns_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", "a,b", header="study,value")
    with pytest.raises(MimirError, match=r"TARGETS_INVALID: 't.csv' has no column 'target'"):
        read_targets([path], STUDIES)
    with pytest.raises(MimirError, match=r"TARGETS_INVALID: 'absent.csv' cannot be read"):
        read_targets([tmp_path / "absent.csv"], STUDIES)


def test_parquet_gives_the_same_values_as_csv(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {"study": [1000002, 1000003], "target": ["age", "age"], "value": [61.25, None]}
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    known = read_targets([tmp_path / "t.parquet"], STUDIES)
    same = read_targets([table(tmp_path / "t.csv", "1000002,age,61.25")], STUDIES)
    np.testing.assert_array_equal(known.values, same.values)
    assert known.names == same.names == ("age",)


def test_gaps_in_the_definitions_are_filled_as_published(tmp_path: Path) -> None:
    values = np.array([[-1.5, 0.0, 2000.0], [3.0, 1.0, np.nan]])
    known = TargetTable(("balance", "sex", "visceralFat"), values, ())
    path = table(
        tmp_path / "d.csv", "visceralFat,L,22407,1000", header="name,unit,ukb_field,divisor"
    )
    assert read_labels(path, known).definitions == (
        TargetDefinition("balance", "", non_negative=False),
        TargetDefinition("sex", "", "31", kind="class"),
        TargetDefinition("visceralFat", "L", "22407", divisor=1000.0),
    )
    ages = replace(known, names=("age",), values=values[:, 1:2] + 50)
    assert read_labels(None, ages).definitions == (TargetDefinition("age", "years"),)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("sexes,class,,", "no table has a value of sexes"),
        ("balance,class,,", "not all its values are 0 or 1"),
        ("balance,colour,,", "kind of balance must be .* not 'colour'"),
        ("balance,,yes,", "balance is defined as non-negative"),
        ("balance,,,0", "divisor of balance must be a positive number, not '0'"),
    ],
)
def test_a_definition_that_the_values_contradict_is_refused(
    row: str, reason: str, tmp_path: Path
) -> None:
    known = TargetTable(("balance",), np.array([[-1.5], [3.0]]), ())
    path = table(tmp_path / "d.csv", row, header="name,kind,non_negative,divisor")
    with pytest.raises(MimirError, match=rf"TARGETS_INVALID: .*{reason}"):
        read_labels(path, known)


@pytest.mark.parametrize(
    ("header", "row", "reason"),
    [
        ("study,target,value", "1000002,liver_fat,4.5", "the target name 'liver_fat'"),
        ("study,target,value", "1000002,2d,4.5", "the target name '2d'"),
        ("study,target,value,unit", '1000002,liverFat,4.5,"%;"', "the unit of liverFat"),
    ],
)
def test_what_packaging_would_refuse_is_refused_before_training(
    header: str, row: str, reason: str, folder: Path
) -> None:
    path = table(folder / "t.csv", row, header=header)
    with pytest.raises(MimirError, match=rf"TARGETS_INVALID: {reason}"):
        choose_data((folder,), (path,), persons=EACH)


def test_the_targets_of_a_folder_are_checked_too(tmp_path: Path) -> None:
    images, own = np.zeros((3, 3, 4, 4), np.uint8), TargetDefinition("liver_fat", "%")
    write_image_folder(tmp_path, Dataset(images, np.arange(3.0)[:, None], STUDIES[:3], (own,)))
    with pytest.raises(MimirError, match="TARGETS_INVALID: the target name 'liver_fat'"):
        choose_data((tmp_path,))


def known(name: str, values: list[float], unit: str = "") -> TargetTable:
    units = {name: unit} if unit else {}
    return TargetTable((name,), np.array(values)[:, None], units=units)


@pytest.mark.parametrize(
    ("target", "definition"),
    [
        (known("liverFat", [4.0, -1.0, -3.0, 5.0, -10.0]), ""),
        (known("grip", [40.0, -1.0, -3.0, 50.0, -313.0], "kg"), ""),
        (known("grip", [40.0, -1.0, -3.0, 50.0, -7.0]), "grip,yes,"),
        (known("grip", [40.0, -1.0, -3.0, 50.0, -7.0]), "grip,,46"),
        (known("sex", [1.0, -1.0, -3.0, 0.0, -7.0]), ""),
    ],
)
def test_codes_for_missing_answers_are_no_labels(
    target: TargetTable, definition: str, tmp_path: Path
) -> None:
    path = None
    if definition:
        path = table(tmp_path / "d.csv", definition, header="name,non_negative,ukb_field")
    labels = read_labels(path, target)
    (name,) = target.names
    assert labels.coded == {name: 3}
    assert np.isnan(labels.values[:, 0]).tolist() == [False, True, True, False, True]
    assert labels.definitions[0].non_negative


def test_negative_labels_that_may_be_codes_need_a_definition(tmp_path: Path) -> None:
    balance = known("balance", [2.0, -1.0, 3.0])
    with pytest.raises(MimirError, match="TARGETS_INVALID: the only negative values of balance"):
        read_labels(None, balance)
    path = table(tmp_path / "d.csv", "balance,no", header="name,non_negative")
    labels = read_labels(path, balance)
    assert (labels.coded, labels.values[1, 0]) == ({}, -1.0)
    mixed = read_labels(None, known("balance", [2.0, -1.0, -0.4]))
    assert (mixed.coded, mixed.definitions[0].non_negative) == ({}, False)


def test_labels_in_two_units_or_a_wrong_unit_are_refused_unless_allowed() -> None:
    heights = np.random.default_rng(0).normal(170, 9, 60)
    mixed = known("height", [*heights[:20] / 100, *heights[20:]])
    with pytest.raises(MimirError, match=r"UNITS_DOUBTFUL: .*20 values are about 100 times small"):
        read_labels(None, mixed)
    assert "two units" in read_labels(None, mixed, allow_odd_values=True).notes[0]
    with pytest.raises(MimirError, match=r"UNITS_DOUBTFUL: .*a divisor of 0\.01 would fit"):
        read_labels(None, known("height", list(heights / 100)))
    assert read_labels(None, known("height", list(heights / 100), "m")).notes == ()
    assert read_labels(None, mixed, only=("weight",)).notes == ()


def test_exchanged_codes_of_sex_are_found_where_women_are_taller_than_men() -> None:
    rng, sex = np.random.default_rng(1), np.arange(200) % 2.0
    height = 163 + 13 * sex + rng.normal(0, 7, 200)
    assert read_labels(None, sexes(height, sex)).notes == ()
    with pytest.raises(MimirError, match="UNITS_DOUBTFUL: height is larger in women than in men"):
        read_labels(None, sexes(height, 1 - sex))
    assert read_labels(None, sexes(rng.permutation(height), sex)).notes == ()
    assert read_labels(None, sexes(height[:30], 1 - sex[:30])).notes == ()


def sexes(height: np.ndarray, sex: np.ndarray) -> TargetTable:
    return TargetTable(("height", "sex"), np.stack([height, sex], axis=1))


def test_two_units_of_a_target_in_the_tables_are_refused(folder: Path) -> None:
    rows = ["1000001_2,height,170,cm", "1000002,height,1.7,m"]
    path = table(folder / "t.csv", *rows, header="study,target,value,unit")
    with pytest.raises(MimirError, match="line 3: height is given in cm and in m"):
        choose_data((folder,), (path,), persons=EACH)


def test_a_table_tells_the_persons_of_other_names(folder: Path) -> None:
    rows = ["1000001_2,age,60,", '"\'=phantom, 7",age,50,P7']
    path = table(folder / "t.csv", *rows, header="study,target,value,person")
    dataset = choose_data((folder,), (path,))
    assert [study.person for study in dataset.studies] == ["1000001", "P7"]
    assert dataset.provenance["persons_known_by"] == (
        "a column of a table and participants of UK Biobank"
    )
    path = table(folder / "t.csv", "1000001_2,age,60")
    with pytest.raises(MimirError, match=r"PERSONS_UNKNOWN: the person of 1 of 4"):
        choose_data((folder,), (path,))


def test_only_listed_people_are_used(folder: Path) -> None:
    path = table(folder / "t.csv", *(f"{s.name},age,{50 + n}" for n, s in enumerate(STUDIES[:3])))
    asked = table(folder / "asked.csv", "1000001", header="eid")
    dataset = choose_data((folder,), (path,), choice=StudyChoice(only=asked), persons=EACH)
    assert dataset.studies == STUDIES[:2]
    assert dataset.left_out["unasked"] == (STUDIES[2].name, STUDIES[3].name)


def test_images_are_found_by_their_row_and_never_copied(folder: Path) -> None:
    rows = [f"{study.name if study.eid else chr(39) + study.name}" for study in STUDIES]
    path = table(folder / "t.csv", *(f'"{name}",age,{50 + n}' for n, name in enumerate(rows)))
    dataset = choose_data((folder,), (path,), persons=EACH)
    assert dataset.studies == STUDIES
    assert dataset.read_images(slice(None))[:, 0, 0, 0].tolist() == [4, 0, 1, 2]
    part = dataset.subset(np.array([False, False, True, True])).subset(np.array([1, 0]))
    assert [study.name for study in part.studies] == ["=phantom, 7", "1000002_20201_2_0"]
    assert part.read_images(slice(None))[:, 0, 0, 0].tolist() == [2, 1]
    assert values_of(part, "age") == [53, 52]
    assert part.covariates["age"].tolist() == [53, 52]
    assert isinstance(part.images, np.memmap)
    assert part.images is dataset.images


def test_a_withdrawn_participant_is_left_out_with_all_visits_and_counted(folder: Path) -> None:
    path = table(
        folder / "t.csv", "1000001_2,age,60", "1000001_3,age,63", "1000002,age,50", "7,age,51"
    )
    gone = table(folder / "gone.txt", "1000001  # withdrew", "9999999", header="# 2026-01")
    choice = StudyChoice(exclude=gone, allow_unmatched=True)
    dataset = choose_data((folder,), (path,), choice=choice, persons=EACH)
    assert dataset.studies == (STUDIES[2],)
    assert dataset.provenance["ids"] == {"exclude": {"ids": 2, "matched": 1, "studies_left_out": 2}}
    assert (dataset.provenance["unknown"], dataset.provenance["unlabelled"]) == (1, 1)
    assert not any(study.eid and study.eid in str(dataset.provenance) for study in STUDIES)
    assert dataset.left_out == {
        "excluded": ("1000001_20201_2_0", "1000001_20201_3_0"),
        "unasked": (),
        "unlabelled": ("=phantom, 7",),
        "unknown": ("7",),
    }


def test_sex_and_age_are_known_even_if_only_other_targets_are_learned(folder: Path) -> None:
    path = table(folder / "t.csv", "1000002,age,60", "1000002,sex,1", "1000002,height,170")
    dataset = choose_data((folder,), (path,), persons=EACH, only_targets=("height",))
    assert dataset.target_names == ("height",)
    assert dataset.definitions[0].unit == "cm"
    assert {name: values.tolist() for name, values in dataset.covariates.items()} == {
        "sex": [1],
        "age": [60],
    }
    with pytest.raises(MimirError, match=r"TARGET_UNKNOWN: unknown target size.*age, height"):
        choose_data((folder,), (path,), only_targets=("size",))


def test_tables_replace_the_targets_of_a_folder(tmp_path: Path) -> None:
    images = np.zeros((3, 3, 4, 4), np.uint8)
    age = TargetDefinition("age", "years")
    own = Dataset(images, np.arange(3.0)[:, None], STUDIES[:3], (age,), provenance={"from": "here"})
    write_image_folder(tmp_path, own)
    assert values_of(choose_data((tmp_path,), persons=EACH), "age") == [0, 1, 2]
    path = table(tmp_path / "t.csv", "1000002,height,180")
    dataset = choose_data((tmp_path,), (path,), persons=EACH)
    assert (dataset.target_names, dataset.studies) == (("height",), STUDIES[2:3])
    assert dataset.provenance["from"] == "here"
    assert dataset.fingerprint != own.fingerprint


def test_scans_without_all_their_images_are_refused(folder: Path) -> None:
    np.save(folder / "images.npy", np.zeros((4, 3, 4, 4), np.uint8))
    path = table(folder / "t.csv", "1000002,age,60")
    with pytest.raises(MimirError, match="DATASET_INVALID: 1 of 4 images in projections are miss"):
        choose_data((folder,), (path,))


def test_no_study_left_is_refused(folder: Path) -> None:
    path = table(folder / "t.csv", "5,age,60")
    with pytest.raises(MimirError, match="NO_STUDIES"):
        choose_data((folder,), (path,), persons=EACH)
    with pytest.raises(MimirError, match="DATASET_UNREADABLE"):
        choose_data((folder.parent,), (path,))
