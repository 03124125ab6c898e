"""Apply lists of ids to the studies of a run, and to what its output folder holds already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mimir_engine.cohort.events import Listener
from mimir_engine.cohort.excluded_table import IN_EXCLUDE, NOT_IN_ONLY
from mimir_engine.cohort.images.image_folder import study_id
from mimir_engine.cohort.inclusion.chosen_studies import ChosenStudies, StudyChoice
from mimir_engine.cohort.inclusion.persons import FROM_NAMES, PersonRule
from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.sources import NamedSource, file_names
from mimir_engine.fusion.volume_pair import VolumePair


def choose_sources(
    sources: Sequence[NamedSource],
    ledger: Ledger,
    choice: StudyChoice,
    persons: PersonRule = FROM_NAMES,
    listener: Listener = lambda event: None,
) -> tuple[list[NamedSource], ChosenStudies, dict[str, str]]:
    """Select the studies of a run; results of excluded ones leave the tables of its folder.

    They stay in the ledger on disk. `StudyChoice.only` selects among the sources alone: results of
    earlier runs stay.

    Returns:
        The studies of the run; the choice; the reason of each study that is left out, by its name.

    Raises:
        MimirError: As `StudyChoice.apply`.
    """
    given = [_ids(source, persons) for source in sources]
    names = {source.name for source in sources}
    earlier = [name for name in ledger.names() if name not in names] if choice.exclude else []
    held = [ids_of_name(name, persons) for name in earlier]
    chosen = choice.apply(given, held)
    gone = {source.name for source, out in zip(sources, chosen.excluded(given)) if out}
    gone |= {name for name, out in zip(earlier, chosen.excluded(held)) if out}
    if chosen.record:
        event = {"event": "chosen", "ids": dict(chosen.record)}
        listener({**event, "sentences": [*chosen.sentences, *_kept(gone, ledger)]})
    ledger.pass_over(gone)
    used = [s for s, is_used in zip(sources, chosen.used(given)) if is_used]
    left_out = {source.name for source in sources} - {source.name for source in used} - gone
    reasons = {**dict.fromkeys(left_out, NOT_IN_ONLY), **dict.fromkeys(gone, IN_EXCLUDE)}
    return used, chosen, reasons


def _kept(gone: set[str], ledger: Ledger) -> list[str]:
    """Say that results of excluded studies are still on disk, if they are."""
    kept = len(gone.intersection(ledger.names()))
    if not kept:
        return []
    what = "1 excluded study was" if kept == 1 else f"{kept} excluded studies were"
    return [
        f"{what} measured by earlier runs. What was excluded is in no table, but its files stay:"
        " `mimir forget` removes them."
    ]


def _ids(source: NamedSource, persons: PersonRule) -> frozenset[str]:
    """Return all ids of a study: of its name, and of its file unless that is one of many."""
    has_own_file = isinstance(source.source, (str, Path, VolumePair))
    names = {source.name, *source.hidden, *(file_names(source) if has_own_file else ())}
    return frozenset().union(*(ids_of_name(name, persons) for name in names))


def ids_of_name(name: str, persons: PersonRule) -> frozenset[str]:
    """Return all ids that a study has by its name: of the study, the visit and the person."""
    ((study,), _) = persons.assign([study_id(name)], required=False)
    return study.ids
