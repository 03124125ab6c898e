from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mimir_engine.errors import MimirError
from mimir_engine.files.csv_writer import (
    CsvTable,
    escape_cell,
    unescape_cell,
    write_csv,
    write_tables,
)
from mimir_engine.files.table_reader import open_table, to_text

#: Text made mostly of the characters that matter; NUL and lone carriage returns aside.
TEXTS = st.text(
    st.sampled_from("='+-@\t\uff1d\uff20,\"\n a1")
    | st.characters(codec="utf-8", exclude_characters="\r\0")
)


@given(TEXTS)
def test_any_text_survives_escaping_and_no_escaped_text_is_a_formula(text: str) -> None:
    assert unescape_cell(escape_cell(text)) == text
    assert not escape_cell(text).startswith(("=", "+", "-", "@", "\t", "\uff1d", "\uff20"))


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_any_text_survives_the_writer_and_the_table_reader(
    tmp_path: Path, rows: list[tuple[str, str]]
) -> None:
    write_csv(tmp_path / "t.csv", ("a", "b"), rows)
    with open_table(tmp_path / "t.csv") as table:
        found = [tuple(map(to_text, cells)) for _, cells in table.rows]
    assert found == rows


def test_ordinary_text_and_quotes_stay_as_they_are() -> None:
    for text in ("1000001_20201_2_0", "Zoë, 頭", "'quoted'", "O'Brien", "", "'"):
        assert escape_cell(text) == text


def test_numbers_are_never_escaped_and_gaps_are_empty(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", ("=a", "b"), [(-1 / 3, 7), (float("nan"), None)])
    with (tmp_path / "t.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["'=a", "b"], [repr(-1 / 3), "7"], ["", ""]]


def test_a_file_for_excel_begins_with_a_mark_that_the_table_reader_passes_over(
    tmp_path: Path,
) -> None:
    write_csv(tmp_path / "t.csv", ("a",), [("Zoë",)], "utf-8-sig")
    assert (tmp_path / "t.csv").read_bytes() == b"\xef\xbb\xbfa\nZo\xc3\xab\n"
    with open_table(tmp_path / "t.csv") as table:
        assert list(table.columns) == ["a"]
        assert [cells for _, cells in table.rows] == [["Zoë"]]


def test_an_error_in_the_rows_leaves_the_old_file(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", ("a",), [(1,)])
    with pytest.raises(ZeroDivisionError):
        write_csv(tmp_path / "t.csv", ("a",), ((1 / x,) for x in (1, 0)))
    assert (tmp_path / "t.csv").read_text() == "a\n1\n"
    with pytest.raises(MimirError, match="OUTPUT_UNWRITABLE"):
        write_csv(tmp_path / "t.csv" / "below", ("a",), [])


def test_tables_of_the_same_items_are_written_in_one_pass(tmp_path: Path) -> None:
    squares = CsvTable[int](tmp_path / "s.csv", ("n", "square"), lambda n: [(n, n * n)])
    below = CsvTable[int](tmp_path / "b.csv", ("below",), lambda n: ((k,) for k in range(n)))
    counts = write_tables([squares, below], iter(range(3)))  # an iterator is gone through only once
    assert counts == [3, 3]
    assert squares.path.read_text() == "n,square\n0,0\n1,1\n2,4\n"
    assert below.path.read_text() == "below\n0\n0\n1\n"


def test_an_error_in_one_table_leaves_all_old_files(tmp_path: Path) -> None:
    tables = [
        CsvTable[int](tmp_path / "a.csv", ("a",), lambda n: [(n,)]),
        CsvTable[int](tmp_path / "b.csv", ("b",), lambda n: [(1 / n,)]),
    ]
    write_tables(tables, [1])
    with pytest.raises(ZeroDivisionError):
        write_tables(tables, [2, 0])
    assert [table.path.read_text() for table in tables] == ["a\n1\n", "b\n1.0\n"]
    assert len(list(tmp_path.iterdir())) == 2
