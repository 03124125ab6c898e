"""Merge the output folders of several runs into one, as a single run would have made it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mimir_engine.cohort.cohort import Cohort
from mimir_engine.cohort.ledger_lines import encode
from mimir_engine.cohort.modules_of_run import modules_of_run
from mimir_engine.cohort.outcomes import LEDGER_FILE, LastRun, Outcomes
from mimir_engine.cohort.output_files import PROJECTIONS_FOLDER
from mimir_engine.cohort.shards.finished_run import FinishedRun, read_finished_run, shown_names
from mimir_engine.cohort.shards.joined_excluded import write_joined_excluded
from mimir_engine.cohort.shards.shard import WHOLE, Shard
from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import atomic_folder, output_errors
from mimir_engine.files.file_names import distinct_file_name
from mimir_engine.files.folder_lock import is_held, name_lock
from mimir_engine.measuring.study_result import StudyResult

#: Settings that no number depends on: they stay if all runs have the same.
NOTED = ("python", "limits", "ids")


@contextmanager
def merged_runs(
    folders: Sequence[Path],
    output: Path,
    modules: Sequence[str] = (),
    profiles: Sequence[Path] = (),
) -> Iterator[tuple[Path, Cohort]]:
    """Merge finished runs; the output folder appears once the block ends without an error.

    Ledgers, tables of excluded studies and projections are merged here. Tables of results are
    for the block to write. The merged folders are only read.

    Args:
        folders: Output folders of runs with the same inference modules, versions and settings.
        output: A folder that does not exist, or is empty.
        modules: The inference modules, as for `modules_of_run`.
        profiles: The files of ``--profile`` that the runs were given.

    Yields:
        The folder in which the output is made, and all results.

    Raises:
        MimirError: ``WRONG_USE`` if a folder is given twice; ``OUTPUT_IN_USE`` if the output is not
            empty or a run works in a folder; ``RESULTS_DIFFER``, ``SHARD_MISSING``,
            ``NAME_REPEATED``; what `read_finished_run` and `modules_of_run` raise;
            ``OUTPUT_UNWRITABLE``.
    """
    _check_folders(folders)
    with name_lock(output):
        _check_output(output)
        for folder in folders:
            _check_at_rest(folder)
        runs = [read_finished_run(folder) for folder in folders]
        _check_same(runs)
        _check_shards(runs)
        _check_names(runs)
        run = dict(runs[0].outcomes.run)
        found = modules_of_run(run, modules, profiles)
        with atomic_folder(output) as new:
            settings = _common_settings(runs)
            _write_ledger(new, runs, {**settings, "shard": str(WHOLE)})
            write_joined_excluded(folders, new)
            outcomes = Outcomes(new, StudyResult.check_json)
            del run["ledger_format"]
            cohort = Cohort(outcomes, found, runs[0].level, {**run, **settings})
            for each in runs:
                _link_projections(each, new)
            yield new, cohort


def _check_folders(folders: Sequence[Path]) -> None:
    seen = set()
    for folder in folders:
        place = os.path.realpath(folder)
        if place in seen:
            raise MimirError("WRONG_USE", f"'{folder}' is given twice", "Give each folder once.")
        seen.add(place)


def _check_output(output: Path) -> None:
    """Refuse an output that holds something; an empty folder is removed, to appear again."""
    with output_errors(output):
        if output.is_dir() and not any(output.iterdir()):
            output.rmdir()
        elif os.path.lexists(output):
            raise MimirError(
                "OUTPUT_IN_USE", f"'{output}' exists and is not empty", "Choose another folder."
            )


def _check_at_rest(folder: Path) -> None:
    """Refuse a folder in which a run works; one that begins later adds lines that are not seen."""
    if is_held(folder):
        raise MimirError(
            "OUTPUT_IN_USE",
            f"a run of MIMIR is writing to '{folder}'",
            "Wait for it to end; `mimir status` shows its progress.",
        )


def _check_same(runs: Sequence[FinishedRun]) -> None:
    """Refuse runs of different modules, versions, runtimes or settings."""
    first = _compared(runs[0])
    for run in runs[1:]:
        now = _compared(run)
        other = [key for key in {**first, **now} if first.get(key) != now.get(key)]
        if other:
            raise MimirError(
                "RESULTS_DIFFER",
                f"'{run.folder}' was not measured as '{runs[0].folder}' was"
                f" (different {', '.join(other)})",
                "Measure all shards with the same versions, inference modules and options.",
            )


def _compared(run: FinishedRun) -> dict[str, Any]:
    settings = {key: value for key, value in run.settings.items() if key not in NOTED}
    return {**run.outcomes.run, **settings}


def _check_shards(runs: Sequence[FinishedRun]) -> None:
    """Refuse some of the shards of a cohort without the others."""
    given = {run.shard for run in runs}
    whole = {Shard(number, shard.count) for shard in given for number in range(1, shard.count + 1)}
    missing = sorted(whole - given, key=lambda shard: (shard.count, shard.number))
    if missing:
        raise MimirError(
            "SHARD_MISSING",
            f"results of shards are missing: {shown_names([*map(str, missing)])}",
            "Give the output folders of all shards.",
        )


def _check_names(runs: Sequence[FinishedRun]) -> None:
    """Refuse runs that hold the same study."""
    holders: dict[str, FinishedRun] = {}
    for run in runs:
        names = run.outcomes.names()
        repeated = [name for name in names if name in holders]
        if repeated:
            raise MimirError(
                "NAME_REPEATED",
                f"'{holders[repeated[0]].folder}' and '{run.folder}' hold the same studies:"
                f" {shown_names(repeated)}",
                "Give only one of the folders, or measure the studies under unique names.",
            )
        holders.update(dict.fromkeys(names, run))


def _common_settings(runs: Sequence[FinishedRun]) -> dict[str, Any]:
    """Return the settings of the merged run."""
    settings = dict(runs[0].settings)
    for key in NOTED:
        if any(run.settings.get(key) != settings.get(key) for run in runs):
            settings.pop(key, None)
    return settings


def _write_ledger(folder: Path, runs: Sequence[FinishedRun], settings: Mapping[str, Any]) -> None:
    """Write the ledger of a run that has measured all studies."""
    last = [run.outcomes.last_run for run in runs]
    began = max(run.began for run in last if run)
    studies = sum(len(run.outcomes) for run in runs)
    nothing_left = LastRun(began, studies, to_do=0, settings=settings)
    with output_errors(folder), open(folder / LEDGER_FILE, "wb") as file:
        file.write(encode(runs[0].outcomes.run))
        for run in runs:
            file.writelines(run.outcomes.lines())
        file.write(nothing_left.line())
        file.flush()
        os.fsync(file.fileno())


def _link_projections(run: FinishedRun, folder: Path) -> None:
    """Link the projections of measured studies, or copy them where files cannot be linked."""
    if not (run.folder / PROJECTIONS_FOLDER).is_dir():
        return
    with output_errors(folder):
        (folder / PROJECTIONS_FOLDER).mkdir(exist_ok=True)
        for name in run.outcomes.names():
            picture = Path(PROJECTIONS_FOLDER, f"{distinct_file_name(name)}.png")
            with suppress(FileNotFoundError):
                if stat.S_ISREG(os.lstat(run.folder / picture).st_mode):
                    _link(run.folder / picture, folder / picture)


def _link(old: Path, new: Path) -> None:
    try:
        os.link(old, new)
    except OSError:
        shutil.copyfile(old, new)
