"""File names made from names of studies."""

from __future__ import annotations

import unicodedata
from itertools import combinations
from pathlib import Path

import pytest

from mimir_engine.files.file_names import distinct_file_name, safe_file_name

SIMILAR = [
    "x", "x.", "x ", " x", ".x", "X", "x_", "x:", "x/", "x\\", "x\0", "x?", "x*", "x\udcff",
    "x\n", "scan (1)", "scan [1]", "a:b", "a_b", "a/b", "caf\u00e9", "cafe\u0301", "", "..",
    "study",
    "con", "CON", "con.zip", "a" * 5000, "a" * 5001, "\u982d" * 300,
]  # fmt: skip


def as_a_case_blind_disk_sees_it(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def test_no_two_names_share_a_file_not_even_where_case_and_unicode_form_do_not_count() -> None:
    for one, other in combinations(SIMILAR, 2):
        names = {as_a_case_blind_disk_sees_it(distinct_file_name(name)) for name in (one, other)}
        assert len(names) == 2, (one, other)


@pytest.mark.parametrize(
    "name",
    [*SIMILAR, "../../etc/passwd", "C:\\x", "aux.h", "Lpt1 .txt", "com\u00b9", 'a"b', "a\tb"],
)
@pytest.mark.parametrize("function", [distinct_file_name, safe_file_name])
def test_a_file_name_is_valid_on_every_platform(
    name: str, function: object, tmp_path: Path
) -> None:
    assert callable(function)
    file_name = function(name)
    assert (tmp_path / file_name).parent == tmp_path
    assert not set(file_name) & set('/\\:*?"<>|')
    assert file_name.isprintable()
    assert len(file_name.encode("utf-8")) <= 100
    assert file_name == file_name.strip(". ") != ""
    stem = file_name.split(".")[0].rstrip().upper()
    assert stem not in ("CON", "PRN", "AUX", "NUL", "LPT1", "COM\u00b9")
    (tmp_path / file_name).touch()


def test_usual_names_stay_as_they_are_and_others_get_a_hash() -> None:
    usual = ["1000000_20201_2_0", "1.3.12.2.1107.5.2.18.41754." + "9" * 37, "Scan 1"]
    assert [safe_file_name(name) for name in usual] == usual
    changed = [name for name in SIMILAR if safe_file_name(name) != name]
    assert {"x.", "a:b", "scan (1)", "CON", "", "a" * 5000} <= {*changed}
    assert len({*map(safe_file_name, SIMILAR)}) == len(SIMILAR)
