"""Scan and check studies with the real engine, from the request to the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Union

import pytest

pytest.importorskip("slicer")

from MIMIRLib.analysis.check_job import CheckJob
from MIMIRLib.analysis.request import StudyRequest
from MIMIRLib.analysis.scan_job import ScanJob, ScanOutcome
from MIMIRLib.analysis.study_outcome import StudyOutcome
from MIMIRLib.database.unpack import unpack
from MIMIRLib.job import JobState
from MIMIRLib.slicer_tests.exchanged_study import write_exchanged


def scanned(
    studies: Sequence[Union[StudyRequest, StudyOutcome]], known: Sequence[ScanOutcome] = ()
) -> list[ScanOutcome]:
    job = ScanJob(studies, {outcome.key: outcome for outcome in known})
    emitted: list[ScanOutcome] = []
    job.scanned.connect(emitted.append)
    job.run(lambda: None)
    assert job.error is None
    assert emitted == job.outcomes
    return job.outcomes


def test_each_study_has_its_stations_or_the_reason_of_its_refusal(
    phantom_zip: Path, tmp_path: Path
) -> None:
    list(unpack(phantom_zip, tmp_path))
    files = tuple(str(path) for path in tmp_path.iterdir())
    (tmp_path / "bad.zip").write_bytes(b"no archive")
    gone, good, bad, half = scanned(
        [
            StudyRequest("1.1", files=files),
            StudyRequest("bad", path=str(tmp_path / "bad.zip")),
            StudyOutcome("1.2", code="FILES_GONE", reason="the files are gone."),
            StudyRequest("1.3", files=files[:1]),
        ]
    )
    assert (gone.key, gone.code, gone.reason) == ("1.2", "FILES_GONE", "the files are gone.")
    assert (good.key, good.is_readable, good.reason, good.findings) == ("1.1", True, "", ())
    assert [station["slices"]["fat"] for station in good.stations] == [64, 44, 44, 44, 72, 64]
    assert good.scanner["field_strength_t"] == 1.5
    assert (bad.key, bad.is_readable, bad.code) == ("bad", False, "NOT_A_ZIP")
    assert not half.is_readable


def test_a_known_study_is_read_again_only_if_its_files_have_changed(
    phantom_zip: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "a.zip"
    archive.write_bytes(phantom_zip.read_bytes())
    study = StudyRequest("1.1", path=str(archive))
    (first,) = scanned([study])
    (again,) = scanned([study], known=[first])
    assert again is first
    archive.write_bytes(b"no archive")
    (changed,) = scanned([study], known=[first])
    assert changed.code == "NOT_A_ZIP"


def checked(studies: Sequence[StudyRequest], known: Sequence[ScanOutcome]) -> list[ScanOutcome]:
    job = CheckJob(studies, {outcome.key: outcome for outcome in known})
    job.run(lambda: None)
    assert job.error is None
    return job.outcomes


def test_after_the_scan_the_images_are_checked(phantom_zip: Path) -> None:
    studies = [StudyRequest("1.1", path=str(phantom_zip))]
    scans = scanned(studies)
    (outcome,) = checked(studies, scans)
    assert (outcome.is_readable, outcome.is_checked, outcome.findings) == (True, True, ())
    assert (outcome.stations, outcome.picture) == (scans[0].stations, b"")
    assert checked(studies, [outcome]) == [outcome]


def test_a_check_finds_what_headers_do_not_tell_and_draws_it(
    phantom_zip: Path, tmp_path: Path
) -> None:
    exchanged = write_exchanged(phantom_zip, tmp_path / "exchanged.zip")
    studies = [StudyRequest("1.1", path=str(exchanged))]
    scans = scanned(studies)
    assert scans[0].is_readable
    (outcome,) = checked(studies, scans)
    assert (outcome.is_readable, outcome.code) == (False, "WATER_FAT_EXCHANGED")
    (finding,) = outcome.findings
    assert (finding["severity"], finding["station"]) == ("stop", 3)
    assert outcome.picture.startswith(b"\x89PNG")


def test_a_study_that_would_be_refused_is_not_checked(tmp_path: Path) -> None:
    (tmp_path / "bad.zip").write_bytes(b"no archive")
    studies = [StudyRequest("bad", path=str(tmp_path / "bad.zip"))]
    scans = scanned(studies)
    assert checked(studies, scans) == scans


def test_cancelling_ends_the_engine(phantom_zip: Path) -> None:
    job = ScanJob([StudyRequest(str(n), path=str(phantom_zip)) for n in range(50)])
    job.start()
    while not job.outcomes:
        job.step()
    job.cancel()
    assert job.state is JobState.CANCELLED
    assert len(job.outcomes) < 50
