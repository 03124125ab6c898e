"""Stitch many studies, and write the volumes of each to an output folder.

The folder holds

* the volumes, and beside them a file that describes them; see ``volume_layout``;
* ``volumes.csv``: one row per study with volumes;
* ``failures.csv``, ``excluded.csv``, ``run.json``: as those of ``mimir infer``;
* ``dataset.json``: what nnU-Net must know to be trained, if there are label maps;
* ``ledger.jsonl``: the outcomes, so that a run can be resumed.

Readers read, check, stitch and write; only paths and plain values come back.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Callable, Optional, Protocol

from mimir_engine.checks.exchange.exchanged_water_fat import SWAP_REPAIRED
from mimir_engine.cohort.chosen_sources import choose_sources
from mimir_engine.cohort.events import Listener
from mimir_engine.cohort.excluded_table import write_excluded
from mimir_engine.cohort.inclusion.chosen_studies import ALL_STUDIES, StudyChoice
from mimir_engine.cohort.inclusion.persons import FROM_NAMES, PersonRule
from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.output_files import RUN_FILE
from mimir_engine.cohort.pending_studies import pending_studies
from mimir_engine.cohort.run_settings import package_versions, reading_settings
from mimir_engine.cohort.shards.shard import WHOLE, Shard
from mimir_engine.cohort.sources import NamedSource
from mimir_engine.cohort.study_failure import write_failures
from mimir_engine.cohort.study_loop import (
    StudyDone,
    StudyOutcome,
    StudyWork,
    note_outcomes,
    study_outcomes,
    tell_damage,
)
from mimir_engine.cohort.volumes.arrangements import NNUNET
from mimir_engine.cohort.volumes.nnunet_dataset import remove_dataset, write_dataset
from mimir_engine.cohort.volumes.reader_calls import FUNCTIONS, write_volumes_in_reader
from mimir_engine.cohort.volumes.remove_volumes import remove_volumes
from mimir_engine.cohort.volumes.volume_layout import RECORD, VolumeLayout
from mimir_engine.cohort.volumes.volume_table import write_volume_table
from mimir_engine.cohort.volumes.written_study import WrittenStudy, written_studies
from mimir_engine.files.json_file import to_json, write_json
from mimir_engine.files.leftovers import sweep_leftovers
from mimir_engine.readers.available_cores import default_jobs
from mimir_engine.readers.reader_limits import DEFAULT_LIMITS, ReaderLimits
from mimir_engine.readers.readers import Readers
from mimir_engine.study.read_options import AS_STORED, ReadOptions


@dataclass(frozen=True)
class FuseOptions:
    """Options of a run.

    Attributes:
        layout: Which volumes are written, and how they are arranged.
        has_identifiers: Write the month and the UIDs of study and series beside the volumes.
        jobs: Studies read at once, each in a process of its own; each needs about 300 MB.
        overwrite: Start again in an output folder that holds volumes.
        reading: How studies are read.
        limits: What reading and writing one study may take.
        choice: Lists of studies to leave out and to stitch.
        persons: How persons in these lists are known.
        shard: The part of the studies to stitch, after the lists were applied to all of them.
    """

    layout: VolumeLayout = field(default_factory=VolumeLayout)
    has_identifiers: bool = False
    jobs: int = field(default_factory=default_jobs)
    overwrite: bool = False
    reading: ReadOptions = AS_STORED
    limits: ReaderLimits = DEFAULT_LIMITS
    choice: StudyChoice = ALL_STUDIES
    persons: PersonRule = FROM_NAMES
    shard: Shard = WHOLE


def fuse_studies(
    sources: Sequence[NamedSource],
    output: Path,
    options: FuseOptions,
    listener: Listener,
    command: Sequence[str] = (),
    cluster: Optional[FusingCluster] = None,
) -> tuple[int, int]:
    """Stitch studies, note each outcome in the ledger of the output folder, and write its tables.

    Unchanged studies whose volumes are there are skipped. Failed ones are tried again, as in
    ``measure_studies.infer``.

    Args:
        sources: Studies, of different names.
        output: Made if it does not exist.
        options: Which volumes, and so on.
        listener: Receives every event; see ``mimir_engine.cohort.events``.
        command: The command line, for ``run.json``.
        cluster: Other machines that stitch the studies; None for this one.

    Returns:
        Numbers of studies in the folder with volumes and without.

    Raises:
        MimirError: for the output folder, names and label maps that contradict each other; never
            for a single study.
    """
    run = describe_run(options)
    readers = Readers(FUNCTIONS, options.limits)
    with Ledger(output, run, options.overwrite, _is_entry) as ledger, readers:
        tell_damage(ledger, listener)
        sources, chosen, left_out = choose_sources(
            sources, ledger, options.choice, options.persons, listener
        )
        write_excluded(output, left_out)
        sources = options.shard.of(sources)
        options.layout.check_names([*ledger.names(), *(source.name for source in sources)])
        fusing = Fusing(output, options, readers)
        is_current = partial(fusing.is_current, ledger.entry)
        pending = pending_studies(sources, ledger, options.limits, is_current)
        settings = reading_settings(options.reading, options.limits, chosen)
        ledger.begin(len(sources), len(pending), {**settings, "shard": str(options.shard)})
        if pending:
            remove_dataset(output)  # it would not know them
        already_done = len(sources) - len(pending)
        listener({"event": "run", "studies": len(sources), "already_done": already_done})
        if cluster is None:
            outcomes = study_outcomes(pending, ledger, fusing.work, listener, options.jobs)
        else:
            outcomes = cluster.volumes(pending, ledger, run, fusing, listener)
        note_outcomes(outcomes, len(pending), ledger, listener)
        _remove_others(output, options.layout, ledger)
        return _write_results(output, options.layout, ledger, {**run, **settings}, command)


def _remove_others(output: Path, layout: VolumeLayout, ledger: Ledger) -> None:
    """Remove what failed or interrupted studies have left.

    nnU-Net takes all that lies in its folder, so there the volumes of excluded studies go, too.
    """
    sweep_leftovers(output)
    remove_volumes(output, layout, (failure.name for failure in ledger.failures()))
    remove_volumes(output, layout, ledger.begun())
    if layout.arrangement == NNUNET:
        remove_volumes(output, layout, ledger.excluded)


def _write_results(
    output: Path,
    layout: VolumeLayout,
    ledger: Ledger,
    run: Mapping[str, Any],
    command: Sequence[str],
) -> tuple[int, int]:
    """Write all tables; return the numbers of studies with volumes and without."""
    failures = list(ledger.failures())
    done, failed = len(ledger) - len(failures), len(failures)
    write_failures(output, failures)
    write_volume_table(output, layout, written_studies(ledger))
    record = {**run, "done": done, "failed": failed, "command": list(command)}
    write_json(output / RUN_FILE, record)
    if layout.has_labels:
        write_dataset(output, layout, written_studies(ledger))
    return done, failed


def describe_run(options: FuseOptions) -> dict[str, Any]:
    """Describe what the volumes depend on."""
    return {
        **package_versions(),
        RECORD: to_json(options.layout),
        "identifiers": options.has_identifiers,
        "reconstruction": options.reading.reconstruction,
    }


def _is_entry(entry: Mapping[str, Any]) -> bool:
    return "files" in entry and bool(WrittenStudy.from_entry(entry))


@dataclass(frozen=True)
class Fusing:
    """Stitches studies for the loop over them.

    Attributes:
        output: The output folder.
        options: Layout, limits and so on.
        readers: Read the studies and write the volumes.
    """

    output: Path
    options: FuseOptions
    readers: Readers

    @property
    def work(self) -> StudyWork[WrittenStudy]:
        """The work on each study."""
        return StudyWork(self.read, self.finish, self.options.limits)

    def is_current(
        self, whole: Callable[[str], Optional[Mapping[str, Any]]], entry: Mapping[str, Any]
    ) -> bool:
        """Return whether the volumes of an unchanged study are there and satisfy the options.

        Args:
            whole: Returns the whole entry of a study.
            entry: The entry without its body.
        """
        if SWAP_REPAIRED in entry["flags"] and not self.options.reading.swap_repair:
            return False
        written = WrittenStudy.from_entry(whole(entry["name"]) or {})
        return written.is_in(self.output)

    def read(self, source: NamedSource) -> WrittenStudy:
        """Read, check and stitch a study, and write its volumes, in a reader."""
        options = self.options
        remove_volumes(self.output, options.layout, [source.name])  # an earlier result's
        return write_volumes_in_reader(
            self.readers,
            source,
            options.reading,
            self.output,
            options.layout,
            options.has_identifiers,
        )

    def finish(self, studies: Sequence[WrittenStudy]) -> Iterator[StudyDone]:
        """Give the outcome of each study whose volumes were written."""
        for study in studies:
            event = {"volumes": list(study.volumes), "left_out": list(study.left_out)}
            yield StudyDone({"flags": study.codes, "body": to_json(study)}, study.codes, event)


class FusingCluster(Protocol):
    """Other machines that stitch studies."""

    def volumes(
        self,
        sources: Sequence[NamedSource],
        ledger: Ledger,
        run: Mapping[str, Any],
        fusing: Fusing,
        listener: Listener,
    ) -> Generator[StudyOutcome, None, None]:
        """Stitch studies on them, and yield each outcome.

        Args:
            sources: Studies to be done.
            ledger: That of the output folder; it is not written to.
            run: What the volumes depend on.
            fusing: How studies are stitched; itself, it stays on this machine.
            listener: Receives the event ``cluster``.

        Raises:
            MimirError: for the cluster; never for a single study.
        """
