"""The files of a study, as Slicer's DICOM database names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mimir_engine import MimirError
from MIMIRLib.database.completeness import Completeness
from MIMIRLib.database.study_files import files_of
from MIMIRLib.database.study_list import StudyEntry


class Folders:
    """A database whose series are folders: what ``files_of`` asks of ctkDICOMDatabase."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def seriesForStudy(self, study_uid: str) -> tuple[str, ...]:  # noqa: N802
        return tuple(sorted(f.name for f in self._root.glob(f"{study_uid}.*")))

    def filesForSeries(self, series_uid: str) -> tuple[str, ...]:  # noqa: N802
        listed = (self._root / series_uid / "files.txt").read_text().split()
        return tuple(str(self._root / series_uid / name) for name in listed)


@pytest.fixture
def database(tmp_path: Path) -> Folders:
    for series in ("1.2.1", "1.2.2", "1.2.3"):
        folder = tmp_path / series
        folder.mkdir()
        (folder / "files.txt").write_text("a.dcm b.dcm")
        for name in ("a.dcm", "b.dcm"):
            (folder / name).touch()
    return Folders(tmp_path)


def entry_of(*series_uids: str) -> StudyEntry:
    return StudyEntry("1.2", "P1", "Doe", "", "", Completeness.COMPLETE, 6, "", series_uids)


def test_an_entry_gives_the_files_of_its_series(database: Folders, tmp_path: Path) -> None:
    files = files_of(database, entry_of("1.2.1", "1.2.3"))
    places = ("1.2.1/a.dcm", "1.2.1/b.dcm", "1.2.3/a.dcm", "1.2.3/b.dcm")
    assert files == tuple(str(tmp_path / place) for place in places)


def test_a_uid_gives_the_files_of_all_series(database: Folders) -> None:
    assert len(files_of(database, "1.2")) == 6


def test_an_unknown_uid_is_an_error(database: Folders) -> None:
    with pytest.raises(MimirError, match=r"no images of study 9\.9") as raised:
        files_of(database, "9.9")
    assert raised.value.code == "STUDY_UNKNOWN"


def test_deleted_files_are_counted(database: Folders, tmp_path: Path) -> None:
    (tmp_path / "1.2.2" / "b.dcm").unlink()
    with pytest.raises(MimirError, match=r"6 files of study 1\.2, but 1 of them") as raised:
        files_of(database, "1.2")
    assert raised.value.code == "FILES_GONE"


def test_a_study_without_any_file_left_is_the_same_error(database: Folders, tmp_path: Path) -> None:
    for path in tmp_path.rglob("*.dcm"):
        path.unlink()
    with pytest.raises(MimirError, match="6 of them were not found"):
        files_of(database, "1.2")
