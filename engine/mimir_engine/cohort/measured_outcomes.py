"""Read the outcomes of a folder that holds measurements."""

from __future__ import annotations

from pathlib import Path

from mimir_engine.cohort.outcomes import Outcomes, read_outcomes
from mimir_engine.errors import MimirError
from mimir_engine.measuring.study_result import StudyResult


def read_measured_outcomes(folder: Path) -> Outcomes:
    """Read what came of the studies of an output folder of `mimir infer` or `mimir measure`.

    Raises:
        MimirError: As `read_outcomes`; ``RESULTS_MISSING`` if another command wrote the folder.
    """
    outcomes = read_outcomes(folder, StudyResult.check_json)
    if "ledger_format" not in outcomes.run:
        raise MimirError(
            "RESULTS_MISSING",
            f"'{folder}' holds no measurements of MIMIR",
            "Give output folders of `mimir infer` or `mimir measure`.",
        )
    return outcomes
