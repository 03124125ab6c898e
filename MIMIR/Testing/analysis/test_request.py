from __future__ import annotations

import argparse
import os
from pathlib import Path

import pytest

from MIMIRLib import interval_level
from MIMIRLib.analysis.request import AnalysisRequest, StudyRequest
from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.scene.subject import Subject

import_engine()

STUDY = StudyRequest("1000001_20201_2_0", path="/data/1000001_20201_2_0.zip")


def as_the_engine_reads(arguments: list[str]) -> argparse.Namespace:
    from mimir_engine.cli import infer, measure

    commands = argparse.ArgumentParser().add_subparsers(dest="command")
    infer.add_options(commands.add_parser("infer"))
    measure.add_options(commands.add_parser("measure"))
    return commands.choices[arguments[0]].parse_args(arguments[1:])


@pytest.mark.parametrize(
    "sources",
    [{}, {"files": ("a.dcm",), "path": "a.zip"}, {"path": "a.zip", "fused": "folder"}],
)
def test_a_study_has_exactly_one_kind_of_source(sources: dict) -> None:
    with pytest.raises(ValueError, match="one of them"):
        StudyRequest("key", **sources)


def test_a_study_needs_a_key() -> None:
    with pytest.raises(ValueError, match="key"):
        StudyRequest("", path="a.zip")


def test_the_engine_reads_the_lines_as_the_studies_that_were_meant(tmp_path: Path) -> None:
    from mimir_engine.cohort.sources import sources_from_json

    studies = (
        StudyRequest("1.2.3", files=(str(tmp_path / "a.dcm"), str(tmp_path / "ü b.dcm"))),
        StudyRequest("zip", path=str(tmp_path / "ü.zip")),
        StudyRequest("again", fused=str(tmp_path / "again")),
    )
    lines = AnalysisRequest(studies, ("phantom",)).source_lines()
    assert lines.isascii()
    assert lines.endswith(b"}\n\n")
    first, second, third = sources_from_json(lines.splitlines())
    assert (first.name, first.source) == ("1.2.3", (tmp_path / "a.dcm", tmp_path / "ü b.dcm"))
    assert (second.name, second.source) == ("zip", tmp_path / "ü.zip")
    assert third.name == "again"
    assert str(tmp_path / "again") in str(third.source)


def test_relative_paths_are_made_absolute_since_the_engine_works_elsewhere() -> None:
    assert StudyRequest("zip", path="scan.zip").source()["path"] == os.path.abspath("scan.zip")
    files = StudyRequest("files", files=("a.dcm",)).source()["files"]
    assert files == [os.path.abspath("a.dcm")]


def test_the_engine_gets_no_name_of_the_patient() -> None:
    subject = Subject("1.2.3", "MRN-17", "Doe^Jane", "1987-06-05", "Doe's study")
    study = StudyRequest("1.2.3", files=("/data/a.dcm",), subject=subject)
    request = AnalysisRequest((study,), ("phantom",))
    text = request.source_lines().decode() + " ".join(request.arguments(Path("o"), Path("d")))
    assert "Doe" not in text
    assert "MRN-17" not in text


def test_a_name_is_the_one_that_the_engine_gives_back() -> None:
    from mimir_engine.cohort.sources import sources_from_json

    study = StudyRequest("two\nlines\udcff.zip", path="/data/scan.zip")
    request = AnalysisRequest((study,), ("phantom",))
    (source,) = sources_from_json(request.source_lines().splitlines())
    assert source.name == study.name == "two_lines_.zip"


def test_all_options_reach_the_engine(tmp_path: Path) -> None:
    request = AnalysisRequest(
        (STUDY,),
        ("phantom", "body=own_"),
        level=0.9,
        device="cpu",
        allow_unvalidated=True,
        volumes=False,
        timeout_s=60,
        swap_repair=True,
        runtime="onnx",
    )
    read = as_the_engine_reads(request.arguments(tmp_path / "results", tmp_path / "details"))
    assert (read.sources, read.source, read.events) == ("-", [], True)
    assert read.modules == "phantom,body=own_"
    assert (read.output, read.details) == (tmp_path / "results", tmp_path / "details")
    assert (read.level, read.device, read.runtime) == (0.9, "cpu", "onnx")
    assert (read.allow_unvalidated, read.no_volumes) == (True, True)
    assert (read.timeout, read.swap_repair) == (60.0, True)


def test_by_default_volumes_are_kept_and_unvalidated_studies_refused(tmp_path: Path) -> None:
    read = as_the_engine_reads(
        AnalysisRequest((STUDY,), ("phantom",)).arguments(tmp_path, tmp_path)
    )
    assert (read.allow_unvalidated, read.no_volumes, read.swap_repair) == (False, False, False)
    assert (read.level, read.device, read.runtime) == (0.95, "auto", "auto")


def test_by_default_the_time_for_a_study_is_the_engines(tmp_path: Path) -> None:
    from mimir_engine.readers.reader_limits import DEFAULT_TIMEOUT_S

    request = AnalysisRequest((STUDY,), ("phantom",))
    assert as_the_engine_reads(request.arguments(tmp_path, tmp_path)).timeout == DEFAULT_TIMEOUT_S


def test_without_inference_modules_studies_are_measured_directly(tmp_path: Path) -> None:
    request = AnalysisRequest((STUDY,), (), volumes=False, swap_repair=True)
    request.check()
    arguments = request.arguments(tmp_path / "results", tmp_path / "details")
    read = as_the_engine_reads(arguments)
    assert arguments[0] == "measure"
    assert (read.sources, read.events, read.details) == ("-", True, tmp_path / "details")
    assert (read.no_volumes, read.swap_repair) == (True, True)


def test_a_modules_folder_is_made_absolute_and_its_name_is_not(tmp_path: Path) -> None:
    request = AnalysisRequest((STUDY,), ("phantom", f".{os.sep}mine=my_"))
    read = as_the_engine_reads(request.arguments(tmp_path, tmp_path))
    assert read.modules == f"phantom,{os.path.abspath('mine')}=my_"


@pytest.mark.parametrize(
    ("studies", "modules", "code"),
    [
        ((), ("phantom",), "NO_STUDIES"),
        ((STUDY, StudyRequest(STUDY.key, path="/other/1.zip")), ("phantom",), "NAME_REPEATED"),
    ],
)
def test_an_impossible_request_is_refused(studies: tuple, modules: tuple, code: str) -> None:
    with pytest.raises(import_engine().MimirError) as caught:
        AnalysisRequest(studies, modules).check()
    assert caught.value.code == code


def test_a_valid_request_passes() -> None:
    AnalysisRequest((STUDY,), ("phantom",)).check()


def test_the_interval_levels_are_the_engines() -> None:
    from mimir_engine.measuring import interval_level as of_engine

    for name in ("DEFAULT_LEVEL", "MIN_LEVEL", "MAX_LEVEL"):
        assert getattr(interval_level, name) == getattr(of_engine, name)
