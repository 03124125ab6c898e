"""Select the studies that are still to be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Callable

from mimir_engine.cohort.fingerprint import Fingerprint, fingerprint
from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.sources import NamedSource, check_names
from mimir_engine.errors import MimirError
from mimir_engine.readers.reader_limits import ReaderLimits


def pending_studies(
    sources: Sequence[NamedSource],
    ledger: Ledger,
    limits: ReaderLimits,
    is_current: Callable[[Mapping[str, Any]], bool] = lambda entry: True,
) -> list[NamedSource]:
    """Select the studies that are still to be done: new, failed or changed ones.

    A study that ended its reader is not tried again until its files or the limits change.

    Args:
        sources: Studies, of different names.
        ledger: The ledger of the output folder.
        limits: What reading one study may take.
        is_current: Returns whether the entry of an unchanged study may stay; it gets the entry
            without its body.

    Raises:
        MimirError: ``NAME_REPEATED``; ``NAME_TAKEN`` if the ledger has another study of the
            same name.
    """
    asked = {source.name: source for source in check_names(sources)}
    for name, entry in ledger.heads([*asked]):
        has_died = "limits" in entry
        if "files" not in entry or ("code" in entry and not has_died):
            continue
        source, then = asked[name], Fingerprint(**entry["files"])
        now = fingerprint(source.source, source.labels)
        is_same = now.content == then.content
        if has_died:
            stays = is_same and entry["limits"] == asdict(limits)
        elif is_same:
            stays = is_current(entry)
        elif now.place != then.place:
            raise MimirError(
                "NAME_TAKEN",
                f"the folder holds another study called '{name}'",
                "Choose another folder, or give the study a unique name with --sources.",
            )
        else:
            stays = False
        if stays:
            del asked[name]
    return list(asked.values())
