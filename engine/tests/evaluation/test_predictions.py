from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mimir_engine.errors import MimirError
from mimir_engine.evaluation.predictions import (
    Predictions,
    read_predictions,
    tidy_predictions,
    write_predictions,
)
from mimir_engine.evaluation.reference_table import read_with_reference
from mimir_engine.files import table_reader
from mimir_engine.files.csv_writer import write_csv

TIDY = "study,target,unit,reference,mean,sd\n"


def made(**changes: object) -> Predictions:
    """Two studies of two targets, with a gap, bounds, and names that spreadsheets would compute."""
    nan = np.nan
    predictions = Predictions(
        names=("liverFat", "=sum"),
        units=("%", ""),
        studies=("s,1", "-2"),
        reference=np.array([[4.0, nan], [1 / 3, 2.0]]),
        mean=np.array([[4.5, 1.0], [nan, 2.5]]),
        sd=np.array([[0.5, 0.1], [nan, nan]]),
        lower=np.array([[3.5, nan], [nan, 2.0]]),
        upper=np.array([[5.5, nan], [nan, 3.0]]),
        level=0.9,
        groups={"fold": ("1", "2"), "sex": ("female", "")},
    )
    return replace(predictions, **changes)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(MimirError) as caught:
        read_predictions(path)
    assert caught.value.code == "PREDICTIONS_INVALID"
    assert "\n" not in str(caught.value)
    return str(caught.value)


def assert_same(found: Predictions, expected: Predictions) -> None:
    for name in ("names", "units", "studies", "level"):
        assert getattr(found, name) == getattr(expected, name)
    assert dict(found.groups) == dict(expected.groups)
    for name in ("reference", "mean", "sd", "lower", "upper"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_a_written_table_is_read_back_exactly(tmp_path: Path) -> None:
    write_predictions(tmp_path / "out_of_fold.csv", made())
    assert_same(read_predictions(tmp_path / "out_of_fold.csv"), made())


def test_a_parquet_table_is_read_like_a_csv_table(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow import csv, parquet

    write_predictions(tmp_path / "p.csv", made(names=("liverFat", "age"), studies=("a", "b")))
    texts = dict.fromkeys(("fold", "sex", "unit"), "string")
    options = csv.ConvertOptions(column_types=texts)
    table = csv.read_csv(tmp_path / "p.csv", convert_options=options)
    parquet.write_table(table, tmp_path / "p.parquet")
    assert_same(read_predictions(tmp_path / "p.parquet"), read_predictions(tmp_path / "p.csv"))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), min_size=1).filter(
            lambda text: bool(text.strip())
        ),
        min_size=2,
        max_size=2,
        unique=True,
    ),
    value=st.floats(-1e29, 1e29),
)
def test_any_name_and_number_survives(tmp_path: Path, names: list[str], value: float) -> None:
    reference = np.array([[value, 1.0], [2.0, 3.0]])
    before = made(studies=tuple(names), reference=reference)
    write_predictions(tmp_path / "p.csv", before)
    assert_same(read_predictions(tmp_path / "p.csv"), before)


def test_names_are_never_formulas_for_a_spreadsheet(tmp_path: Path) -> None:
    write_predictions(tmp_path / "p.csv", made())
    cells = (tmp_path / "p.csv").read_text(encoding="utf-8").replace("\n", ",").split(",")
    assert "'=sum" in cells
    assert "'-2" in cells


def test_columns_in_any_order_and_missing_rows_are_read(tmp_path: Path) -> None:
    text = "mean,site,target,study,reference\n1,x,a,s1,2\n3,y,b,s2,NA\n"
    found = read_predictions(write(tmp_path / "p.csv", "\ufeff" + text))
    assert found.names == ("a", "b")
    assert found.groups == {"site": ("x", "y")}
    np.testing.assert_array_equal(found.mean, [[1, np.nan], [np.nan, 3]])
    assert np.isnan(found.reference[1]).all()
    assert np.isnan(found.sd).all()
    assert found.level is None


def test_bounds_without_a_level_in_their_names_have_the_given_level(tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", "study,target,mean,lower,upper\ns,a,1,0,2\n")
    with table_reader.open_table(path) as table:
        assert tidy_predictions(table, level=0.8).level == 0.8


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        (TIDY, "has no rows"),
        ("study,target,reference\ns,a,1\n", "no column 'mean'"),
        ("study,target,mean,mean\ns,a,1,2\n", "two columns 'mean'"),
        (TIDY + "s,a,L,1,2\n", "line 2: has 5 cells, but the header has 6"),
        (TIDY + "s,a,L,1,2,3\ns,b,L,1,x,3\n", "line 3, column 'mean': 'x' is not a number"),
        (TIDY + "s,a,L,1_0,2,3\n", "column 'reference': '1_0' is not a number"),
        (TIDY + "s,a,L,inf,2,3\n", "column 'reference': 'inf' is out of range"),
        (TIDY + "s,a,L,1,1e99,3\n", "column 'mean'"),
        (TIDY + "s,a,L,1,2,0\n", "column 'sd'"),
        (TIDY + "s,a,L,1,2,-1\n", "column 'sd'"),
        (TIDY + "s,a,L,1,2,3\ns,a,L,1,2,3\n", "line 3: this study and target"),
        (TIDY + "s,a,L,1,2,3\nt,a,mL,1,2,3\n", "line 3, column 'unit'"),
        (TIDY + " ,a,L,1,2,3\n", "line 2, column 'study'"),
        (TIDY + "s,,L,1,2,3\n", "line 2, column 'target'"),
        (TIDY + 's,"a"b,L,1,2,3\n', "is not valid CSV"),
        (TIDY + 's,"a,L,1,2,3\n', "is not valid CSV"),
        ("study,target,mean,sex\ns,a,1,f\ns,b,1,m\n", "line 3, column 'sex'"),
        ("study,target,mean,lower95,upper95\ns,a,1,3,2\n", "line 2: the lower bound"),
        ("study,target,mean,lower95\ns,a,1,3\n", "must have one pair"),
        ("study,target,mean,lower95,upper90\ns,a,1,3,4\n", "must have one pair"),
    ],
)
def test_an_invalid_table_is_refused_with_its_line(tmp_path: Path, text: str, reason: str) -> None:
    assert reason in refusal(write(tmp_path / "p.csv", text))


def test_a_missing_file_or_one_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(b"study,target,mean\n\xff\xfe,a,1\n")
    assert "UTF-8" in refusal(tmp_path / "p.csv")
    assert "cannot be read" in refusal(tmp_path / "gone.csv")
    assert "cannot be read" in refusal(tmp_path)


def test_a_file_that_is_not_parquet_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    assert "not a readable Parquet" in refusal(write(tmp_path / "p.parquet", "study,target"))


def test_hostile_sizes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_reader, "MAX_LINE", 1000)
    assert "longer than" in refusal(write(tmp_path / "p.csv", TIDY + "s" * 5000))
    monkeypatch.setattr(table_reader, "MAX_CELLS", 8)
    rows = "".join(f"s{i},a{i},L,1,2,3\n" for i in range(3))
    assert "more than 8 values" in refusal(write(tmp_path / "p.csv", TIDY + rows))
    monkeypatch.setattr(table_reader, "MAX_ROWS", 2)
    assert "more than 2 rows" in refusal(write(tmp_path / "p.csv", TIDY + rows))


@pytest.mark.parametrize(
    "changes",
    [
        {"units": ("L",)},
        {"names": ("a", "a")},
        {"studies": ("s", "s")},
        {"mean": np.zeros((2, 3))},
        {"sd": np.zeros((2, 2))},
        {"mean": np.full((2, 2), np.inf)},
        {"lower": None},
        {"level": None},
        {"level": 95.0},
        {"groups": {"fold": ("1",)}},
    ],
)
def test_invalid_predictions_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(MimirError, match="PREDICTIONS_INVALID"):
        made(**changes)


def test_a_group_cannot_take_the_place_of_a_column(tmp_path: Path) -> None:
    with pytest.raises(MimirError, match="PREDICTIONS_INVALID"):
        write_predictions(tmp_path / "p.csv", made(groups={"mean": ("1", "2")}))


def test_persons_come_from_their_column(tmp_path: Path) -> None:
    assert made().persons == ("s,1", "-2")
    assert made(groups={"person": ("p", "")}).persons == ("p", "-2")
    assert made(groups={"eid": ("7", "7")}).persons == ("7", "7")


# --- references in a file of their own ---

WIDE = (
    "name,eid,instance,liverFat_mean_in_%,liverFat_sd_in_%,liverFat_lower95,liverFat_upper95,"
    "sex_male_score,flags\n"
    "s1,11,2,4.5,0.5,3.5,5.5,0.98,\n"
    "s2,12,2,2.5,0.4,1.5,3.5,0.02,BELOW_ZERO\n"
)
REFERENCE = "study,target,value,site\ns2,liverFat,2.25,x\ns1,sex,1,y\ns3,liverFat,9,z\n"


def test_the_table_of_infer_is_joined_with_a_table_of_references(tmp_path: Path) -> None:
    wide = write(tmp_path / "predictions.csv", WIDE)
    found = read_with_reference(wide, write(tmp_path / "reference.csv", REFERENCE))
    assert found.names == ("liverFat", "sex")
    assert found.units == ("%", "")
    assert found.studies == ("s1", "s2")
    assert found.level == 0.95
    np.testing.assert_array_equal(found.reference, [[np.nan, 1], [2.25, np.nan]])
    np.testing.assert_array_equal(found.mean, [[4.5, 0.98], [2.5, 0.02]])
    np.testing.assert_array_equal(found.sd, [[0.5, np.nan], [0.4, np.nan]])
    assert found.lower is not None
    np.testing.assert_array_equal(found.lower[:, 0], [3.5, 1.5])
    assert found.groups == {"eid": ("11", "12"), "site": ("y", "x")}


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        (None, "has no reference values"),
        ("study,target,value\nother,liverFat,1\n", "has no study"),
        ("study,target,value\ns1,kidney,1\n", "has no target"),
        (
            "study,target,unit,value\ns1,liverFat,g,1\n",
            "is predicted in %, but its reference is in g",
        ),
    ],
)
def test_references_that_do_not_fit_are_refused(
    tmp_path: Path, reference: str | None, reason: str
) -> None:
    wide = write(tmp_path / "predictions.csv", WIDE)
    path = None if reference is None else write(tmp_path / "reference.csv", reference)
    with pytest.raises(MimirError, match="REFERENCE_UNMATCHED") as caught:
        read_with_reference(wide, path)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("s2,12", "s1,12", "line 3, column 'name'"),
        ("4.5,0.5", "4.5,0", "line 2, column 'liverFat_sd_in_%'"),
        ("2.5,0.4", "much,0.4", "line 3, column 'liverFat_mean_in_%'"),
        ("3.5,5.5", "3.5,1.5", "line 2: the lower bound"),
    ],
)
def test_an_invalid_table_of_infer_is_refused(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    wide = write(tmp_path / "predictions.csv", WIDE.replace(old, new, 1))
    with pytest.raises(MimirError, match="PREDICTIONS_INVALID") as caught:
        read_with_reference(wide)
    assert reason in str(caught.value)


def test_names_that_look_like_formulas_survive_predictions_csv(tmp_path: Path) -> None:
    names = ("=x", "'=x", "''=x", "'x", "-1", "plain")
    rows = [(name, "", "", 4.5, -0.5) for name in names]
    columns = ("name", "eid", "instance", "liverFat_mean_in_%", "sex_male_score")
    write_csv(tmp_path / "predictions.csv", columns, rows)
    references = [(name, "liverFat", 4.0) for name in names]
    write_csv(tmp_path / "reference.csv", ("study", "target", "value"), references)
    found = read_with_reference(tmp_path / "predictions.csv", tmp_path / "reference.csv")
    assert found.studies == names
    np.testing.assert_array_equal(found.reference[:, 0], 4.0)
    np.testing.assert_array_equal(found.mean[:, 1], -0.5)


def test_a_table_without_any_prediction_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", "name,eid,flags\ns1,11,\n")
    with pytest.raises(MimirError, match="has no column '<target>_mean_in_<unit>'"):
        read_with_reference(path)
