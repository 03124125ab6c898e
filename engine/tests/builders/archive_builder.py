"""Build archives of every kind for tests, and read sources as the engine does."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from dicom_builder import File

from mimir_engine.errors import MimirError
from mimir_engine.source.open_source import StudySource, open_source


def zipped(files: Iterable[File], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip archive."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for file in files:
            archive.writestr(file.name, file.content)
    return content.getvalue()


def tarred(files: Iterable[File], format: int = tarfile.PAX_FORMAT) -> bytes:
    """Return a tar archive."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=format) as archive:
        for file in files:
            member = tarfile.TarInfo(file.name)
            member.size = len(file.content)
            archive.addfile(member, io.BytesIO(file.content))
    return content.getvalue()


def written(path: Path, content: bytes) -> Path:
    """Write a file, and the folders above it; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def contents(source: StudySource, count: int = -1) -> dict[str, bytes]:
    """Read the files of a source, those in archives included."""
    with open_source(source) as files:
        return {entry.name: entry.read(count) for entry, _ in files.with_first_bytes()}


def passed_over(source: StudySource) -> dict[str, str]:
    """Return the reason for each file of a source that is passed over."""
    with open_source(source) as files:
        for _ in files.with_first_bytes():
            pass
        return {one.name: one.reason for one in files.passed_over}


def refusal(source: StudySource) -> MimirError:
    """Return the error with which a source is refused."""
    with pytest.raises(MimirError) as raised:
        contents(source)
    return raised.value
