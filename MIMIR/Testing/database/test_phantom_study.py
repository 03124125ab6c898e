"""The tutorial's phantom, made in the engine's process."""

from __future__ import annotations

import io
import time
import zipfile
from contextlib import closing
from pathlib import Path

import pydicom
import pytest

from mimir_engine import MimirError
from MIMIRLib.database.phantom_study import make_phantom, phantom_path, study_uid_of
from MIMIRLib.job import Progress, Work


def fractions_of(work: Work) -> list[float]:
    """Return all yielded fractions, polled at intervals."""
    fractions = []
    for progress in work:
        if progress is None:
            time.sleep(0.02)
        else:
            fractions.append(progress.fraction)
    return fractions


def test_the_phantom_is_a_complete_study_and_made_only_once(tmp_path: Path) -> None:
    fractions = fractions_of(make_phantom(tmp_path))
    assert fractions == sorted(fractions)
    assert fractions[-1] > 0.9
    with zipfile.ZipFile(phantom_path(tmp_path)) as archive:
        assert sum(name.endswith(".dcm") for name in archive.namelist()) == 1328
    made = phantom_path(tmp_path).stat().st_mtime_ns
    fractions_of(make_phantom(tmp_path))
    assert phantom_path(tmp_path).stat().st_mtime_ns == made


def test_an_archive_that_somebody_removed_is_made_again(tmp_path: Path) -> None:
    phantom_path(tmp_path).with_suffix(".truth.json").write_text("{}")
    fractions_of(make_phantom(tmp_path))
    assert phantom_path(tmp_path).exists()


def test_a_cancelled_phantom_leaves_no_partial_archive(tmp_path: Path) -> None:
    with closing(make_phantom(tmp_path)) as work:
        while next(work) in (None, Progress(0.0, "Making the phantom")):
            time.sleep(0.02)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_the_engines_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MimirError) as raised:
        fractions_of(make_phantom(tmp_path / "file" / "folder"))
    assert raised.value.code == "OUTPUT_UNWRITABLE"


def test_the_archives_study_is_known_by_its_uid(phantom_zip: Path) -> None:
    with zipfile.ZipFile(phantom_zip) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dcm"))
        first = pydicom.dcmread(io.BytesIO(archive.read(name)), stop_before_pixels=True)
    assert study_uid_of(phantom_zip) == first.StudyInstanceUID
