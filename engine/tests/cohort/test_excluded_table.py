from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("onnxruntime")

from cohort_builder import Run, run_infer, write_studies

from mimir_engine.cohort.excluded_table import (
    FORGOTTEN,
    IN_EXCLUDE,
    NOT_IN_ONLY,
    read_counts,
    write_counts,
)
from mimir_engine.cohort.inclusion.chosen_studies import StudyChoice
from mimir_engine.errors import MimirError

NAMES = ["1000000_20201_2_0", "1000001_20201_2_0", "1000002_20201_2_0"]


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three small studies; not to be changed."""
    return write_studies(tmp_path_factory.mktemp("archives"), NAMES)


def measured(archives: list[Path], folder: Path, **lists: str) -> Run:
    """Measure studies without networks, with lists of ids."""
    choice = {option: folder / f"{option}.txt" for option in lists}
    for option, text in lists.items():
        choice[option].write_text(text, "utf-8")
    return run_infer(archives, [], folder / "out", choice=StudyChoice(**choice))


def test_studies_that_are_left_out_are_listed_with_the_reason(
    archives: list[Path], tmp_path: Path
) -> None:
    measured(archives, tmp_path, exclude="1000000\n", only="1000000\n1000001\n")
    assert (tmp_path / "out" / "excluded.csv").read_text() == (
        f"name,reason\n{NAMES[0]},in the list of --exclude\n{NAMES[2]},not in the list of --only\n"
    )


def test_an_excluded_study_leaves_nothing_else(archives: list[Path], tmp_path: Path) -> None:
    measured(archives, tmp_path, exclude="1000000\n")
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    holding = [path for path in files if b"1000000" in path.read_bytes() + path.name.encode()]
    assert [path.name for path in holding] == ["excluded.csv"]


def test_without_excluded_studies_there_is_no_table(archives: list[Path], tmp_path: Path) -> None:
    measured(archives, tmp_path, exclude="1000000\n")
    assert (tmp_path / "out" / "excluded.csv").exists()
    measured(archives, tmp_path)
    assert not (tmp_path / "out" / "excluded.csv").exists()


def test_an_excluded_study_of_an_earlier_run_is_listed_and_the_user_told(
    archives: list[Path], tmp_path: Path
) -> None:
    measured(archives, tmp_path)
    run = measured(archives[1:], tmp_path, exclude="1000000\n")
    assert NAMES[0] in (tmp_path / "out" / "excluded.csv").read_text()
    (told,) = [event["sentences"] for event in run.events if event["event"] == "chosen"]
    assert "`mimir forget`" in told[-1]
    assert not any("forget" in text for text in _told(measured(archives, tmp_path)))


def _told(run: Run) -> list[str]:
    return [text for e in run.events if e["event"] == "chosen" for text in e["sentences"]]


def test_a_folder_that_people_were_removed_from_counts_and_names_nobody(
    archives: list[Path], tmp_path: Path
) -> None:
    measured(archives[1:], tmp_path)
    write_counts(tmp_path / "out", {FORGOTTEN: 2})
    measured(archives, tmp_path, exclude="1000000\n", only="1000000\n1000001\n")
    assert read_counts(tmp_path / "out") == {FORGOTTEN: 2, IN_EXCLUDE: 1, NOT_IN_ONLY: 1}
    assert "1000" not in (tmp_path / "out" / "excluded.csv").read_text()


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "name,reason\n1\n", "reason,studies\na,b\n"])
def test_a_damaged_table_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "excluded.csv").write_text(text)
    with pytest.raises(MimirError, match="RESULT_TABLE_INVALID"):
        read_counts(tmp_path)
