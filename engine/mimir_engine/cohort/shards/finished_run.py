"""Read the results of a run that is finished, so that they can be merged with others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mimir_engine
from mimir_engine.cohort.measure_studies import LEDGER_FORMAT
from mimir_engine.cohort.measured_outcomes import read_measured_outcomes
from mimir_engine.cohort.outcomes import Outcomes
from mimir_engine.cohort.output_files import PLAN_FILE
from mimir_engine.cohort.shards.shard import Shard
from mimir_engine.errors import MimirError

#: Names that a message shows.
MAX_SHOWN = 3
_RUN_AGAIN = "Run its command again to finish it; `mimir status` shows its progress."


@dataclass(frozen=True)
class FinishedRun:
    """The results of one output folder.

    Attributes:
        outcomes: The outcomes of its studies, without those that its last run excluded.
        settings: What ``run.json`` says of the run, beside what all results depend on.
        level: Level of the intervals.
        shard: The part of the studies that the run was given.
    """

    outcomes: Outcomes
    settings: Mapping[str, Any]
    level: float
    shard: Shard

    @property
    def folder(self) -> Path:
        """The output folder."""
        return self.outcomes.folder


def read_finished_run(folder: Path) -> FinishedRun:
    """Read the results of an output folder of ``mimir infer`` or ``mimir measure``.

    Raises:
        MimirError: ``RESULTS_MISSING``; ``RESULTS_DIFFER`` if another version made them;
            ``RUN_UNFINISHED`` if studies are left, or some are being removed;
            ``LEDGER_DAMAGED``.
    """
    outcomes = read_measured_outcomes(folder)
    version = outcomes.run.get("mimir")
    if (version, outcomes.run["ledger_format"]) != (mimir_engine.__version__, LEDGER_FORMAT):
        raise MimirError(
            "RESULTS_DIFFER",
            f"'{folder}' was measured with MIMIR {version}, and this is {mimir_engine.__version__}",
            "Merge with the version that measured it.",
        )
    if (folder / PLAN_FILE).exists():
        what = "the removal of people from it was interrupted"
        raise _unfinished(folder, what, "Give the same `mimir forget` again.")
    last = outcomes.last_run
    if last is None:
        raise _unfinished(folder, "it has not begun to measure")
    if outcomes.damaged_lines:
        raise _unfinished(folder, f"{outcomes.damaged_lines} lines of its ledger are damaged")
    if last.left:
        begun = shown_names(sorted(outcomes.begun()))
        among = f", among them {begun}, which it had begun" if begun else ""
        raise _unfinished(folder, f"{last.left} of its {last.studies} studies are left{among}")
    settings = dict(last.settings)
    try:
        level, shard = float(settings["level"]), Shard.parse(settings.pop("shard"))
    except (LookupError, TypeError, ValueError) as error:
        raise MimirError(
            "LEDGER_DAMAGED",
            f"the ledger of '{folder}' does not say how the last run measured",
            _RUN_AGAIN,
        ) from error
    return FinishedRun(outcomes, settings, level, shard)


def shown_names(names: Sequence[str]) -> str:
    """Quote a few names, and count the others."""
    shown: Iterable[str] = (f"'{name}'" for name in names[:MAX_SHOWN])
    others = len(names) - MAX_SHOWN
    return ", ".join(shown) + (f" and {others} others" if others > 0 else "")


def _unfinished(folder: Path, what: str, remedy: str = _RUN_AGAIN) -> MimirError:
    return MimirError("RUN_UNFINISHED", f"'{folder}' is not finished: {what}", remedy)
