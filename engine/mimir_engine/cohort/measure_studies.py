"""Measure many studies, directly and with inference modules.

Studies are read in processes of their own while the networks work on those already read. An error
in one study is noted under its name, and the run continues with the others.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Callable, Optional, Protocol, Union

from mimir_engine.checks.exchange.exchanged_water_fat import SWAP_REPAIRED
from mimir_engine.cohort.chosen_sources import choose_sources
from mimir_engine.cohort.cohort import Cohort
from mimir_engine.cohort.events import Listener
from mimir_engine.cohort.excluded_table import write_excluded
from mimir_engine.cohort.inclusion.chosen_studies import ALL_STUDIES, StudyChoice
from mimir_engine.cohort.inclusion.persons import FROM_NAMES, PersonRule
from mimir_engine.cohort.inclusion.recorded_sex import TABLE, RecordedSex, count_known
from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.made_with import MadeWith, made_with
from mimir_engine.cohort.pending_studies import pending_studies
from mimir_engine.cohort.projection_files import ProjectionFiles
from mimir_engine.cohort.reader_calls import FUNCTIONS, prepare_in_reader
from mimir_engine.cohort.run_settings import package_versions, reading_settings
from mimir_engine.cohort.shards.shard import WHOLE, Shard
from mimir_engine.cohort.sources import NamedSource
from mimir_engine.cohort.study_failure import StudyFailure, failure_of
from mimir_engine.cohort.study_folder import StudyFolders
from mimir_engine.cohort.study_loop import (
    StudyDone,
    StudyOutcome,
    StudyWork,
    note_outcomes,
    study_outcomes,
    tell_damage,
)
from mimir_engine.errors import MimirError
from mimir_engine.files.json_file import to_json
from mimir_engine.inference_module import check_columns, check_projection, module_sha256
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.labels.label_names import LabelNames
from mimir_engine.measuring.flags import OUTSIDE_VALIDATION
from mimir_engine.measuring.interval_level import DEFAULT_LEVEL
from mimir_engine.measuring.network import Predictor
from mimir_engine.measuring.one_study import (
    PredictedStudy,
    PreparedStudy,
    check_accepted,
    measure_study,
    predict_batch,
)
from mimir_engine.measuring.runtime import Runtime, choose_runtime
from mimir_engine.measuring.study_result import StudyResult
from mimir_engine.projection.project import PROJECTION_NAME
from mimir_engine.readers.available_cores import default_jobs
from mimir_engine.readers.reader_limits import DEFAULT_LIMITS, ReaderLimits
from mimir_engine.readers.readers import Readers
from mimir_engine.study.read_options import AS_STORED, ReadOptions
from mimir_engine.study.site import Site

#: Most studies predicted together.
MAX_BATCH = 8
#: Form of the ledger's entries; ledgers of another form are refused.
LEDGER_FORMAT = 7


@dataclass(frozen=True)
class InferOptions:
    """Options of a run.

    Attributes:
        level: Level of the intervals.
        sex: The recorded sex of the studies.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        runtime: What runs the networks: ``auto``, ``onnx`` or ``torch``.
        allow_unvalidated: Measure also studies that a module was not validated on, and flag them.
        jobs: Studies read at once, each in a process of its own; each needs about 250 MB.
        overwrite: Start again in an output folder that holds results.
        reading: How studies are read.
        folders: Stores images and results of every study; None if they are not asked for.
        keeps_projections: Keep the projection of each study in the output folder.
        limits: What reading one study may take.
        choice: Lists of studies to leave out and to measure.
        persons: How persons in these lists are known.
        shard: The part of the studies to measure, after the lists were applied to all of them.
        label_names: Names for the labels of label maps; if empty, those of their files.
    """

    level: float = DEFAULT_LEVEL
    sex: RecordedSex = field(default_factory=RecordedSex)
    device: str = "auto"
    runtime: str = "auto"
    allow_unvalidated: bool = False
    jobs: int = field(default_factory=default_jobs)
    overwrite: bool = False
    reading: ReadOptions = AS_STORED
    folders: Optional[StudyFolders] = None
    keeps_projections: bool = True
    limits: ReaderLimits = DEFAULT_LIMITS
    choice: StudyChoice = ALL_STUDIES
    persons: PersonRule = FROM_NAMES
    shard: Shard = WHOLE
    label_names: LabelNames = ()


def infer(
    sources: Sequence[NamedSource],
    modules: Sequence[InferenceModule],
    output: Path,
    options: InferOptions,
    listener: Listener,
    cluster: Optional[Cluster] = None,
) -> Cohort:
    """Measure studies and note each outcome in the ledger of the output folder.

    Unchanged studies that are done are skipped. Failed ones are measured again, but not those that
    ended their reader, until their files or the limits change.

    Args:
        sources: Studies, of different names.
        modules: Inference modules; without any, studies are only measured directly.
        output: Folder of the results; made if it does not exist.
        options: Level, device and so on.
        listener: Receives every event; see ``mimir_engine.cohort.events``.
        cluster: Other machines that measure the studies; None for this one.

    Returns:
        Outcomes of all studies of the output folder, those of earlier runs included.

    Raises:
        MimirError: for modules, runtime, device and output folder; never for a single study.
    """
    check_columns(modules)
    for module in modules:
        check_projection(module, PROJECTION_NAME)
        _check_site(module, options.reading.site)
    runtime = choose_runtime(options.runtime, options.device) if modules else None
    run = {
        **describe_run(modules, runtime),
        "reconstruction": options.reading.reconstruction,
        "recorded_sex": options.sex.kind,
        **({} if options.reading.site is None else {"site": to_json(options.reading.site)}),
        **({"label_names": to_json(options.label_names)} if options.label_names else {}),
    }
    if options.sex.kind == TABLE:
        known = count_known(options.sex, (source.name for source in sources))
        listener({"event": "recorded_sex", "known": known, "studies": len(sources)})
    readers = Readers(FUNCTIONS, options.limits)
    making = made_with(run, modules)
    networks = Networks(modules, runtime)
    projections = ProjectionFiles(output)
    measuring = Measuring(networks, options, listener, readers, making, projections)
    run_line = {**run, "ledger_format": LEDGER_FORMAT}
    details = options.folders.held_for(output) if options.folders else nullcontext()
    opened = partial(Ledger, output, run_line, options.overwrite, StudyResult.check_json)
    with details, opened() as ledger, readers:
        tell_damage(ledger, listener)
        projections.sweep()
        choice = options.choice, options.persons, listener
        sources, chosen, left_out = choose_sources(sources, ledger, *choice)
        write_excluded(output, left_out)
        sources = options.shard.of(sources)
        is_current = partial(measuring.is_current, ledger.entry)
        pending = pending_studies(sources, ledger, options.limits, is_current)
        settings = {
            "level": options.level,
            "allow_unvalidated": options.allow_unvalidated,
            **reading_settings(options.reading, options.limits, chosen),
        }
        ledger.begin(len(sources), len(pending), {**settings, "shard": str(options.shard)})
        listener(
            {
                "event": "run",
                "studies": len(sources),
                "already_done": len(sources) - len(pending),
                "modules": [module.name for module in modules],
                "runtime": run.get("runtime", ""),
                "device": run.get("device", ""),
            }
        )
        if cluster is None:
            outcomes = study_outcomes(pending, ledger, measuring.work, listener, options.jobs)
        else:
            outcomes = cluster.outcomes(pending, ledger, run, measuring)
        note_outcomes(outcomes, len(pending), ledger, listener)
        cohort = Cohort(ledger, modules, options.level, {**run, **settings})
        projections.remove(failure.name for failure in cohort.failures)
        return cohort


def describe_run(modules: Sequence[InferenceModule], runtime: Optional[Runtime]) -> dict[str, Any]:
    """Describe what the results of a run depend on: versions, modules, projection, runtime."""
    versions = package_versions()
    if runtime is None:
        return {**versions, "modules": []}
    return {
        **versions,
        **runtime.describe(),
        "projection": PROJECTION_NAME,
        "modules": list(map(describe_module, modules)),
    }


def describe_module(module: InferenceModule) -> dict[str, Any]:
    """Describe what of an inference module the results of a run depend on."""
    return {
        "name": module.name,
        "version": module.version,
        "column_prefix": module.column_prefix,
        "sha256": module_sha256(module),
        **_compared_with(module),
    }


def _check_site(module: InferenceModule, site: Optional[Site]) -> None:
    if site is not None and site.module != module.name:
        raise MimirError(
            "SITE_OTHER_MODULE",
            f"the water factor of --site was estimated for the inference module '{site.module}',"
            f" not for '{module.name}'",
            f"Run `mimir harmonise --module {module.name}`.",
        )


def _compared_with(module: InferenceModule) -> dict[str, str]:
    """Describe the scans that studies are compared with; nothing if there are none."""
    profile = module.profile()
    if profile is None:
        return {}
    return {"compared_with": profile.reference, "profile_sha256": profile.sha256}


#: A study that the modules may measure, and for each module whether it was validated on such.
_Accepted = tuple[PreparedStudy, tuple[bool, ...]]


@dataclass(frozen=True)
class Networks:
    """The networks of a run.

    Attributes:
        modules: Their inference modules.
        runtime: What runs them; None if there are none.
    """

    modules: Sequence[InferenceModule]
    runtime: Optional[Runtime]

    @cached_property
    def predictors(self) -> list[Predictor]:
        """The modules' networks, loaded when the first study is ready for them."""
        if self.runtime is None:
            return []
        device, runtime = self.runtime.device, self.runtime.name
        return [Predictor(module, device, runtime) for module in self.modules]


@dataclass(frozen=True)
class Measuring:
    """Reads and measures studies for the loop over them.

    Attributes:
        networks: The networks.
        options: Level, limits and so on.
        listener: Receives the events ``step``.
        readers: Read the studies.
        made_with: What made the numbers, for the folders of studies.
        projections: Keeps the projections of the output folder.
    """

    networks: Networks
    options: InferOptions
    listener: Listener
    readers: Readers
    made_with: MadeWith
    projections: ProjectionFiles

    @property
    def work(self) -> StudyWork[_Accepted]:
        """The work on each study."""
        return StudyWork(self.read, self.finish, self.options.limits, MAX_BATCH)

    def is_current(
        self, whole: Callable[[str], Optional[Mapping[str, Any]]], entry: Mapping[str, Any]
    ) -> bool:
        """Return whether the ledger's entry of an unchanged study satisfies the options.

        Args:
            whole: Returns the whole entry of a study; few options need it.
            entry: The entry without its body.
        """
        options, flags = self.options, entry.get("flags", (OUTSIDE_VALIDATION, SWAP_REPAIRED))
        if OUTSIDE_VALIDATION in flags and not options.allow_unvalidated:
            return False
        if SWAP_REPAIRED in flags and not options.reading.swap_repair:
            return False
        if options.keeps_projections and not self.projections.has(entry["name"]):
            return False
        if options.sex.kind != TABLE and options.folders is None:
            return True
        result = whole(entry["name"]) or {}
        return options.sex.is_current(result) and (
            options.folders is None or options.folders.has(result)
        )

    def read(self, source: NamedSource) -> _Accepted:
        """Read a study; a study that no module may measure is an error."""
        options = self.options
        self.projections.remove([source.name])  # an earlier result's
        picture = self.projections.path(source.name) if options.keeps_projections else None
        how = options.reading, options.folders, picture, options.label_names
        prepared = prepare_in_reader(self.readers, source, *how)
        return prepared, check_accepted(prepared, self.networks.modules, options.allow_unvalidated)

    def finish(self, batch: Sequence[_Accepted]) -> Iterator[Union[StudyDone, StudyFailure]]:
        """Predict studies together, then give the outcome of each."""
        studies = [prepared for prepared, _ in batch]
        for prepared in studies:
            self.listener({"event": "step", "name": prepared.study.name, "step": "predict"})
        for (prepared, accepted), predicted in zip(batch, self._predict(studies)):
            if isinstance(predicted, StudyFailure):
                yield predicted
                continue
            level, folders = self.options.level, self.options.folders
            recorded = self.options.sex.of(prepared.study)
            values, scans = predicted.predictions, predicted.comparisons
            modules = self.networks.modules
            result = measure_study(prepared, modules, values, accepted, level, recorded, scans)
            event: dict[str, Any] = {}
            unusual = {scan.module: scan.sentence for scan in scans if scan.is_unusual}
            if unusual:
                event["unusual"] = unusual
            if folders:
                folder = folders.write_result(result, prepared.projection.name, self.made_with)
                event["details"] = str(folder)
            entry = {"flags": result.flags, "body": asdict(result)}
            yield StudyDone(entry, [f.code for f in result.findings], event)

    def _predict(
        self, batch: Sequence[PreparedStudy]
    ) -> Sequence[Union[PredictedStudy, StudyFailure]]:
        """Predict studies together; if that fails, one by one, so that only one study fails."""
        predictors = self.networks.predictors  # an error in loading them ends the run
        try:
            return predict_batch(batch, predictors)
        except Exception as error:
            if isinstance(error, MimirError) and error.code == "DEVICE_OUT_OF_MEMORY":
                raise
            if len(batch) == 1:
                return [failure_of(batch[0].study.name, error)]
            return [self._predict([study])[0] for study in batch]


class Cluster(Protocol):
    """Other machines that measure studies."""

    def outcomes(
        self,
        sources: Sequence[NamedSource],
        ledger: Ledger,
        run: Mapping[str, Any],
        measuring: Measuring,
    ) -> Generator[StudyOutcome, None, None]:
        """Measure studies on them, and yield each outcome.

        Args:
            sources: Studies to be done.
            ledger: That of the output folder; it is not written to.
            run: What the results depend on.
            measuring: How studies are measured; itself, it stays on this machine.

        Raises:
            MimirError: for the cluster; never for a single study.
        """
