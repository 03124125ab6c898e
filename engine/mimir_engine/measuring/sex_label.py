"""Label a score of the sex as female, male or uncertain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from mimir_engine.inference_module.format import InferenceModule

#: Scores are 0 for female and 1 for male; between these two the sex is called uncertain.
MAX_FEMALE_SCORE, MIN_MALE_SCORE = 0.2, 0.8
#: Beyond these two it is uncertain, too: no person has such a score, so the image misleads the
#: network. All of 4,000 phantoms lie between.
MIN_SCORE, MAX_SCORE = -0.3, 1.3
UNCERTAIN = "uncertain"


def sex_label(score: float) -> str:
    """Return ``female``, ``male`` or ``uncertain`` for a score of the sex."""
    if MIN_SCORE <= score < MAX_FEMALE_SCORE:
        return "female"
    return "male" if MIN_MALE_SCORE < score <= MAX_SCORE else UNCERTAIN


def predicted_sex(module: InferenceModule, values: Iterable[float]) -> Optional[str]:
    """Return ``female`` or ``male`` if a module's own estimate is certain, else None.

    Args:
        module: The inference module.
        values: Its estimates, in the order of its targets.
    """
    labels = {sex_label(value) for target, value in zip(module.targets, values) if target.is_sex}
    certain = labels - {UNCERTAIN}
    return certain.pop() if len(certain) == 1 else None
