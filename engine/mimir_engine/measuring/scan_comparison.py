"""Compare a scan with those that an inference module knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from mimir_engine.checks.scan_numbers import SCAN_NUMBERS
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.inference_module.scan_profile import (
    NUMBERS,
    number_contributions,
)
from mimir_engine.measuring.stored_fields import check_fields

TYPICAL, UNUSUAL, NOT_KNOWN = "TYPICAL", "UNUSUAL", "NOT_KNOWN"
#: Contributions that are named.
NAMED = 3
#: Smaller contributions, in units of their limit, are not named beside larger ones.
MIN_SHARE = 0.2
#: Levels of the ends of the usual range.
USUAL_RANGE = (0.025, 0.975)
#: What the layers of a network see, in words.
LAYER_WORDS = {
    "relu": "fine detail, as the network sees it",
    "layer1": "edges and textures, as the network sees them",
}


@dataclass(frozen=True)
class Contribution:
    """One thing by which a scan differs from usual ones.

    Attributes:
        name: Name of the number, of ``SCAN_NUMBERS``, or of the layer.
        value: Its value; of a layer, its distance from usual scans.
        lower: Lower end of the usual range; None for a layer.
        upper: Upper end of the usual range; of a layer, the limit of its distance.
        share: Its distance in units of that distance's limit.
    """

    name: str
    value: float
    lower: Optional[float]
    upper: float
    share: float

    @property
    def words(self) -> str:
        """Say it in words: ``lean to fat signal 0.63; 0.72 to 0.86 is usual``."""
        if self.lower is None:
            what = LAYER_WORDS.get(self.name, self.name)
            return f"{what}: distance {_number(self.value)}; up to {_number(self.upper)} is usual"
        what, low, high = SCAN_NUMBERS.get(self.name, self.name), self.lower, self.upper
        text = f"{what} {_number(self.value)}; {_number(low)} to {_number(high)} is usual"
        return f"{text}, but not beside the other numbers" if low <= self.value <= high else text


@dataclass(frozen=True)
class ScanComparison:
    """Whether a scan is like those that an inference module knows.

    Attributes:
        module: Name of the inference module.
        verdict: ``TYPICAL``, ``UNUSUAL``, or ``NOT_KNOWN`` if the module has no scan profile.
        ratio: The largest distance in units of its limit; above 1 it is unusual. None if not known.
        reference: The scans compared with, in words.
        contributions: What differs most, largest first.
    """

    module: str
    verdict: str
    ratio: Optional[float] = None
    reference: str = ""
    contributions: tuple[Contribution, ...] = ()

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> ScanComparison:
        """Read what ``dataclasses.asdict`` and JSON made of a comparison."""
        return cls(
            **{
                **fields,
                "contributions": tuple(Contribution(**each) for each in fields["contributions"]),
            }
        )

    @classmethod
    def check_json(cls, fields: Mapping[str, Any]) -> None:
        """Check that `from_json` takes these fields.

        Raises:
            TypeError: It does not.
        """
        check_fields(cls, fields)
        for contribution in fields["contributions"]:
            check_fields(Contribution, contribution)

    @property
    def is_unusual(self) -> bool:
        """True if the scan is unlike those that the module knows."""
        return self.verdict == UNUSUAL

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        if self.ratio is None:
            return f"Whether this scan is like those that {self.module} knows is not known."
        is_like = "is unlike" if self.is_unusual else "is like"
        text = f"The scan {is_like} the {self.reference}"
        if not self.is_unusual:
            return f"{text}."
        return f"{text}. {'. '.join(_capital(each.words) for each in self.contributions)}."


def compare_scan(
    module: InferenceModule,
    numbers: Mapping[str, float],
    layers: Mapping[str, np.ndarray],
) -> ScanComparison:
    """Compare one scan with the scan profile of a module.

    Args:
        module: Its profile is its own or one that the user gave.
        numbers: Those of ``SCAN_NUMBERS`` that the scan shows.
        layers: ``(features,)`` by name of the layer, of ``Predictor.predict``.

    Raises:
        MimirError: ``PROFILE_INVALID`` if the profile is damaged or of another network.
    """
    profile = module.profile()
    if profile is None:
        return ScanComparison(module.name, NOT_KNOWN)
    ratios, contributions = [0.0], []
    for name, layer in profile.layers.items():
        distance, limit = float(layer.distances(layers[name][None])[0]), profile.limits[name]
        ratios.append(distance / limit)
        contributions.append(Contribution(name, distance, None, limit, distance / limit))
    if profile.numbers is not None:
        known = profile.numbers
        values = np.array([numbers.get(name, np.nan) for name in known.names])
        squared, falls = number_contributions(known, values)
        shares = falls / [profile.limits[name] for name in known.names]
        ratios += [squared / profile.limits[NUMBERS], float(np.nanmax(shares, initial=0.0))]
        for name, value, share in zip(known.names, map(float, values), map(float, shares)):
            if np.isfinite(share):
                low, high = np.interp(USUAL_RANGE, known.levels, known.quantiles[name])
                contributions.append(Contribution(name, value, float(low), float(high), share))
    ratio = max(ratios)
    contributions.sort(key=lambda each: -each.share)
    named = [each for each in contributions if each.share >= MIN_SHARE] or contributions[:1]
    return ScanComparison(
        module.name,
        UNUSUAL if ratio > 1 else TYPICAL,
        ratio,
        profile.reference,
        tuple(named[:NAMED]),
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _number(value: float) -> str:
    """Format with three significant digits, and none after the point for large numbers."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
