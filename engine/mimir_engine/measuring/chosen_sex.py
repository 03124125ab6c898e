"""Choose the sex that intervals, percentiles and z-scores of each module are for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from mimir_engine.study.finding import Finding

#: Where a chosen sex comes from.
RECORDED, ESTIMATED, OTHER_MODULE = "recorded", "estimated", "estimated by another module"


@dataclass(frozen=True)
class ChosenSex:
    """The sex that one module's results are for.

    Attributes:
        sex: ``female`` or ``male``; None if it is uncertain.
        source: ``recorded``, ``estimated`` or ``estimated by another module``; empty if uncertain.
    """

    sex: Optional[str] = None
    source: str = ""


def choose_sexes(own: Sequence[Optional[str]], recorded: str = "") -> list[ChosenSex]:
    """Choose the sex for each module's results.

    A recorded sex comes first, then the module's own estimate, then one that other modules agree
    on. Where they contradict each other, or the record, a module without an own estimate has none.

    Args:
        own: Each module's own estimate; None if it has none that is certain.
        recorded: ``female`` or ``male`` if it is recorded, else empty.
    """
    agreed = "" if contradict(own, recorded) else next((sex for sex in own if sex), "")
    return [_choose(sex, recorded, agreed, contradict(own, recorded)) for sex in own]


def _choose(own: Optional[str], recorded: str, agreed: str, contradicted: bool) -> ChosenSex:
    if recorded and (own or not contradicted):
        return ChosenSex(recorded, RECORDED)
    if own:
        return ChosenSex(own, ESTIMATED)
    return ChosenSex(agreed, OTHER_MODULE) if agreed else ChosenSex()


def contradict(own: Sequence[Optional[str]], recorded: str = "") -> bool:
    """Return whether certain estimates contradict each other or the record."""
    return len({sex for sex in (*own, recorded) if sex}) > 1


def find_contradicted_sex(own: Sequence[Optional[str]], recorded: str = "") -> list[Finding]:
    """Return the finding that estimates contradict each other or the record, if they do."""
    if not contradict(own, recorded):
        return []
    others = "the recorded one" if recorded else "another module's"
    return [
        Finding(
            "SEX_CONTRADICTED",
            f"one module's estimate of the sex contradicts {others}",
            remedy="Check that images and record are of the same person. Intervals, percentiles and"
            " z-scores that are for one sex may be wrong.",
        )
    ]
