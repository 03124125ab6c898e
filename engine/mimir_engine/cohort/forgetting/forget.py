"""Remove people who withdrew from the results of a run, so that no file of them is left.

First a plan is written, then everything is removed, the ledger last. A command that is interrupted
leaves each file as it was or as it will be; the same command then does the rest.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from mimir_engine.cohort.chosen_sources import ids_of_name
from mimir_engine.cohort.excluded_table import (
    FORGOTTEN,
    read_counts,
    read_reasons,
    write_counts,
)
from mimir_engine.cohort.forgetting.image_rows import blacken_rows
from mimir_engine.cohort.forgetting.ledger_lines_without import entries_of, remove_lines
from mimir_engine.cohort.forgetting.plan import Plan, read_plan, remove_plan, write_plan
from mimir_engine.cohort.forgetting.run_record import (
    details_of,
    names_one,
    read_run_record,
    without,
)
from mimir_engine.cohort.forgetting.study_files import names_in, paths_of, remove_path
from mimir_engine.cohort.forgetting.tables import (
    TABLES,
    names_in_table,
    remove_from_parquet,
    remove_rows,
)
from mimir_engine.cohort.images.image_folder import IMAGES
from mimir_engine.cohort.inclusion.chosen_studies import StudyChoice
from mimir_engine.cohort.inclusion.persons import FROM_NAMES, PersonRule
from mimir_engine.cohort.modules_of_run import modules_of_run
from mimir_engine.cohort.outcomes import LEDGER_FILE, Outcomes, read_outcomes
from mimir_engine.cohort.output_files import (
    DATASET_FILE,
    GALLERY_FOLDER,
    PARQUET_FILE,
    PROJECTIONS_FOLDER,
    RUN_FILE,
    VOLUMES_FILE,
)
from mimir_engine.cohort.scanners.batch_drift import (
    DRIFT_FILE,
    compare_batch,
    drift_events,
    write_drift,
)
from mimir_engine.cohort.scanners.scan_number_table import SCAN_NUMBERS_FILE, read_scan_numbers
from mimir_engine.cohort.volumes.nnunet_dataset import write_dataset
from mimir_engine.cohort.volumes.volume_layout import layout_of_run
from mimir_engine.cohort.volumes.written_study import written_studies
from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import output_errors
from mimir_engine.files.folder_lock import folder_lock
from mimir_engine.files.json_file import write_json
from mimir_engine.files.leftovers import sweep_leftovers
from mimir_engine.files.optional_packages import require
from mimir_engine.files.regular_file import open_regular
from mimir_engine.inference_module import InferenceModule
from mimir_engine.source.source_name import ANONYMOUS_NAME

#: Tables of which `run.json` has the number of rows.
COUNTED_BY = {
    **{"predictions.csv": "done", "measurements.csv": "done", VOLUMES_FILE: "done"},
    "failures.csv": "failed",
}
#: Endings of files whose text is searched for names that are left.
_TEXTS = (".csv", ".txt", ".json", ".jsonl", ".md", ".html", ".tsv")
#: Bytes of such a file that are searched: notes are small, and each name is looked for.
MAX_SEARCHED = 16 << 20


@dataclass(frozen=True)
class Forgotten:
    """What was removed, and what the user has to do.

    Attributes:
        studies: Number of studies that were removed.
        sentences: How many ids matched, and what was not reached.
    """

    studies: int
    sentences: tuple[str, ...]


def forget(
    folder: Path,
    choice: StudyChoice,
    details: Sequence[Path] = (),
    persons: PersonRule = FROM_NAMES,
    modules: Sequence[str] = (),
    profiles: Sequence[Path] = (),
) -> Forgotten:
    """Remove people and studies from a folder of results.

    Args:
        folder: Output folder of ``infer``, ``measure``, ``check``, ``fuse`` or
            ``project --dataset``.
        choice: The list of people and studies to remove, as ``exclude``.
        details: Folders of study folders, reports, or pictures of checks.
        persons: How persons in the list are known.
        modules: Names or folders of the modules of the run; by default its ledger names them.
        profiles: Scan profiles that the run was given.

    Raises:
        MimirError: ``RESULTS_MISSING``; ``OUTPUT_IN_USE``; ``ID_UNMATCHED`` and others of
            `StudyChoice.apply`; ``RESULT_TABLE_INVALID``; `modules_of_run` if ``drift.csv`` must be
            written again; ``EXTRA_MISSING`` for Parquet without pyarrow; ``OUTPUT_UNWRITABLE``.
    """
    places = {os.path.realpath(place): place for place in (folder, *details)}.values()
    missing = next((place for place in places if not place.is_dir()), None)
    if missing:
        raise MimirError("RESULTS_MISSING", f"there is no folder '{missing}'", "Check its path.")
    with ExitStack() as held:
        for place in places:
            held.enter_context(folder_lock(place))
        outcomes, before = read_outcomes(folder), read_plan(folder)
        known = sorted({*_names(outcomes, details), *before.names})
        ids = [ids_of_name(name, persons) for name in known]
        chosen = choice.apply(ids)
        gone = [name for name, out in zip(known, chosen.excluded(ids)) if out]
        if not gone and not before.names:
            return Forgotten(0, chosen.sentences)
        record = read_run_record(folder)
        compared = _modules(folder, outcomes.run, modules, profiles)
        if (folder / PARQUET_FILE).exists():
            require("parquet")
        plan = Plan(tuple(sorted({*gone, *before.names})), before.before)
        names, texts = {*plan.names}, {*plan.names, *chosen.exclude}
        layout = layout_of_run(outcomes.run)
        write_plan(folder, plan)
        had_gallery = _remove_files(folder, details, names)
        if layout:
            _remove_all(path for name in names for path in layout.traces_of(folder, name))
        rows = _write_tables(folder, names, plan.forgotten)
        _write_record(folder, rows, _drift(folder, compared), texts, plan.forgotten)
        if (folder / IMAGES).exists():
            blacken_rows(folder / IMAGES, _rows_of_others(folder, names))
        if layout and (folder / DATASET_FILE).exists():
            write_dataset(folder, layout, written_studies(outcomes, names))
        remove_lines(outcomes, names)
        remove_plan(folder)
        told = _left(folder, details, record, had_gallery, texts)
        return Forgotten(len(names), (*chosen.sentences, *told))


def _names(outcomes: Outcomes, details: Sequence[Path]) -> Iterator[str]:
    """Yield the name of each study that a file of the results tells; some more than once."""
    yield from outcomes.names()
    yield from outcomes.excluded
    yield from outcomes.begun()
    for table in TABLES:
        yield from names_in_table(outcomes.folder / table)
    yield from read_reasons(outcomes.folder)
    for place in (outcomes.folder / PROJECTIONS_FOLDER, *details):
        yield from names_in(place)


def _modules(
    folder: Path, run: Mapping[str, Any], given: Sequence[str], profiles: Sequence[Path]
) -> Optional[list[InferenceModule]]:
    """Return the modules that ``drift.csv`` is computed with; None if there is no such table."""
    if not (folder / DRIFT_FILE).exists():
        return None
    try:
        return modules_of_run(run, given, profiles)
    except MimirError as error:
        remedy = f"{error.remedy} If it is lost, remove {DRIFT_FILE}, which is computed with it."
        raise MimirError(error.code, error.what, remedy) from error


def _remove_files(folder: Path, details: Sequence[Path], names: Collection[str]) -> bool:
    """Remove what holds one study each, and the page; return whether there was a page."""
    sweep_leftovers(folder / PROJECTIONS_FOLDER)
    for place in (folder / PROJECTIONS_FOLDER, *details):
        _remove_all(path for name in names for path in paths_of(place, name))
    had_gallery = os.path.lexists(folder / GALLERY_FOLDER)
    remove_path(folder / GALLERY_FOLDER)
    return had_gallery


def _remove_all(paths: Iterable[Path]) -> None:
    for path in paths:
        remove_path(path)


def _write_tables(folder: Path, names: Collection[str], forgotten: int) -> dict[str, int]:
    """Write all tables again; return the number of rows that each CSV table has now."""
    tables = (table for table in TABLES if (folder / table).exists())
    rows = {table: remove_rows(folder / table, names) for table in tables}
    if (folder / PARQUET_FILE).exists():
        remove_from_parquet(folder / PARQUET_FILE, names)
    reasons = read_reasons(folder)
    others = Counter(reason for name, reason in reasons.items() if name not in names)
    counts = others if reasons else read_counts(folder)
    write_counts(folder, {**counts, FORGOTTEN: forgotten})
    return rows


def _drift(folder: Path, modules: Optional[Sequence[InferenceModule]]) -> list[dict[str, Any]]:
    """Compare the remaining batch with the modules, and write the table again."""
    if modules is None:
        return []
    drifts = compare_batch(modules, read_scan_numbers(folder / SCAN_NUMBERS_FILE))
    write_drift(folder / DRIFT_FILE, drifts)
    return drift_events(drifts)


def _write_record(
    folder: Path,
    rows: Mapping[str, int],
    drift: list[dict[str, Any]],
    texts: Collection[str],
    forgotten: int,
) -> None:
    """Write the record again: with the numbers of the remaining studies, and no names."""
    record = read_run_record(folder)
    if not record:
        return
    counts = {key: rows[table] for table, key in COUNTED_BY.items() if table in rows}
    command = without(record.get("command", []), texts)
    record = {**record, **counts, "drift": drift, "command": command, "forgotten": forgotten}
    if not drift:
        del record["drift"]
    write_json(folder / RUN_FILE, record)


def _rows_of_others(folder: Path, names: Collection[str]) -> set[int]:
    """Return the rows of a data set that any line of another study names."""
    others = (entry for entry in entries_of(folder) if entry["name"] not in names)
    rows = (entry.get("row") for entry in others)
    return {row for row in rows if type(row) is int and row >= 0}


def _left(
    folder: Path,
    details: Sequence[Path],
    record: Mapping[str, Any],
    had_gallery: bool,
    texts: Collection[str],
) -> Iterator[str]:
    """Say what the user has to do: make again, give, or remove by hand."""
    if had_gallery:
        yield "The page of the cohort was removed: make it again with `mimir gallery`."
    kept = details_of(record.get("command", []))
    if kept and not details:
        yield (
            f"The run wrote details to a folder called '{kept}': give the same command with"
            " --details and its path."
        )
    if any(ANONYMOUS_NAME.fullmatch(text) for text in texts):
        yield "The key of --anonymous-names (--key) still holds their names: remove those lines."
    for path in sorted(folder.iterdir()):
        is_own = path.name in (LEDGER_FILE, *TABLES)  # written again
        is_text = path.suffix.lower() in _TEXTS and path.is_file()
        if is_text and not is_own and _mentions(path, texts):
            yield f"'{path.name}' still names one of the removed people: look at it."


def _mentions(path: Path, texts: Collection[str]) -> bool:
    with output_errors(path), open_regular(path) as file:
        content = file.read(MAX_SEARCHED).decode("utf-8", "replace")
    return names_one(f"{path.name} {content}", texts)
