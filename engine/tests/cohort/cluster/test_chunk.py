from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

from cohort_builder import ANYTHING
from random_modules import module_spec, write_without_network

from mimir_engine.cohort.cluster.chunk import Chunk
from mimir_engine.cohort.cluster.job_text import job_from_text, job_text
from mimir_engine.cohort.cluster.measure_job import MeasureJob
from mimir_engine.cohort.inclusion.recorded_sex import RecordedSex
from mimir_engine.cohort.made_with import NOT_NOTED
from mimir_engine.cohort.measure_studies import InferOptions, Measuring, Networks
from mimir_engine.cohort.outcomes import Begun
from mimir_engine.cohort.projection_files import ProjectionFiles
from mimir_engine.cohort.reader_calls import FUNCTIONS
from mimir_engine.cohort.sources import NamedSource
from mimir_engine.cohort.study_folder import StudyFolders
from mimir_engine.fusion.fused_folder import FusedFolder
from mimir_engine.fusion.volume_pair import VolumePair
from mimir_engine.inference_module import load_module
from mimir_engine.readers.reader_limits import ReaderLimits
from mimir_engine.readers.readers import Readers
from mimir_engine.study.read_options import ReadOptions

#: Options that the client alone uses, or that a worker gets otherwise.
OF_THE_CLIENT = {"device", "runtime", "jobs", "overwrite", "choice", "persons", "shard"}


def test_a_worker_measures_with_the_options_of_the_client(tmp_path: Path) -> None:
    sex = RecordedSex("table", {"1000000": "female", "b": "male"})
    options = InferOptions(
        level=0.8,
        sex=sex,
        allow_unvalidated=True,
        reading=ReadOptions("raw", swap_repair=True),
        folders=StudyFolders(tmp_path / "details", volumes=False),
        limits=ReaderLimits(None, 7.0),
        keeps_projections=False,
        label_names=((1, "liver"), (7, "spleen")),
    )
    module = load_module(write_without_network(tmp_path / "trial", accepts=ANYTHING))
    networks = Networks([replace(module, column_prefix="a")], None)
    readers = Readers(FUNCTIONS, options.limits)
    keeping = NOT_NOTED, ProjectionFiles(tmp_path)
    measuring = Measuring(networks, options, lambda event: None, readers, *keeping)
    job = job_from_text(job_text(MeasureJob.of({"mimir": "1"}, measuring, tmp_path, ())))
    found, default = job.options(sex), InferOptions()
    for option in {field.name for field in fields(InferOptions)} - OF_THE_CLIENT:
        value, expected = getattr(found, option), getattr(options, option)
        if isinstance(expected, StudyFolders):
            value, expected = value.settings, expected.settings
        assert value == expected, option
        assert expected != getattr(default, option), f"the test must change {option}"
    assert [m.column_prefix for m in job.load_modules()] == ["a"]
    assert job.load_modules()[0].targets == module_spec().targets


def test_a_chunk_says_all_of_its_studies_and_nothing_of_others(tmp_path: Path) -> None:
    (tmp_path / "1000000_20201_2_0.zip").touch()
    sources = [
        NamedSource("study_0001", tmp_path / "1000000_20201_2_0.zip", ("1000000_20201_2_0",)),
        NamedSource("files", (tmp_path / "a", tmp_path / "b")),
        NamedSource("fused", FusedFolder(tmp_path)),
        NamedSource("pair", VolumePair(tmp_path / "w", tmp_path / "f"), labels=tmp_path / "l"),
    ]
    sex = RecordedSex("table", {"1000000": "female", "files": "male", "other": "male"})
    chunk = Chunk.from_text(Chunk.of(sources, {"files": Begun(2, 1)}, sex).to_text())
    assert [study.source for study in chunk.studies] == sources
    assert [study.is_there for study in chunk.studies] == [True, False, True, False]
    assert [study.begun for study in chunk.studies] == [None, Begun(2, 1), None, None]
    assert chunk.sex == RecordedSex("table", {"1000000": "female", "files": "male"})
