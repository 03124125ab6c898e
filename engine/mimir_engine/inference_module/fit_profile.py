"""Make a scan profile of usual scans, with limits that few of them pass.

Distances for the limits are those of each fifth of the scans from components of the other four:
scans that components were fitted to are closer to them than later ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

import numpy as np

from mimir_engine.inference_module.number_reference import NumberReference, describe_numbers
from mimir_engine.inference_module.scan_profile import (
    NUMBERS,
    LayerReference,
    ScanProfile,
    number_contributions,
)

#: Fewer scans cannot tell what one in a hundred is like.
MIN_SCANS = 100
#: Share of usual scans that checks and profile together may flag.
FLAGGED_SHARE = 0.01
#: Share left to the profile where the checks alone flag as many.
MIN_SHARE = 0.002
FOLDS = 5
RANK = 64
#: Share of scans, and least number, that the tail of a distance is fitted to.
TAIL_SHARE, MIN_TAIL = 0.1, 40
#: Where so many values lie above a limit, it is their quantile, not that of the fitted tail.
MIN_BEYOND = 5
#: Parts of the flagged share that single numbers get for themselves, since no check sees what they
#: tell, and it does most harm: the ratio of lean to fat signal shifts all fat fractions, and in a
#: mirrored body no organ is in its place.
OWN_PARTS: Mapping[str, float] = {"lean_to_fat": 0.6, "liver_side": 0.1, "back_flatness": 0.1}
#: Share of the scans that must show a number.
MIN_KNOWN = 0.9


@dataclass(frozen=True, eq=False)
class UsualScans:
    """Scans that a profile is made of.

    Attributes:
        persons: Who each scan is of; scans of a person stay in one fold.
        flagged: Whether a check has flagged it, bool ``(scans,)``.
        names: Names of the numbers.
        numbers: float64 ``(scans, numbers)``, NaN if not shown; without columns if not known.
        layers: float32 ``(scans, features)`` by name of the layer.
    """

    persons: Sequence[str]
    flagged: np.ndarray
    names: tuple[str, ...]
    numbers: np.ndarray
    layers: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.persons)

    def where(self, chosen: np.ndarray) -> UsualScans:
        """Return some of the scans; ``chosen`` is bool ``(scans,)``."""
        persons = [person for person, is_in in zip(self.persons, chosen) if is_in]
        layers = {name: features[chosen] for name, features in self.layers.items()}
        return UsualScans(persons, self.flagged[chosen], self.names, self.numbers[chosen], layers)


def fit_profile(scans: UsualScans, network: str, is_own: bool = False) -> Optional[ScanProfile]:
    """Make the profile of some scans; None for fewer than `MIN_SCANS` that no check has flagged.

    Args:
        scans: Usual scans, preferably not used in training.
        network: SHA-256 of the weights whose layers were taken.
        is_own: They are a user's own.
    """
    usual = scans.where(~scans.flagged)
    if len(usual) < MIN_SCANS:
        return None
    _, person = np.unique(usual.persons, return_inverse=True)
    folds = [person % FOLDS == fold for fold in range(FOLDS)]
    parts = [distances(*_describe(usual.where(~fold)), usual.where(fold)) for fold in folds]
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    by_checks = float(scans.flagged.mean())
    share = max(FLAGGED_SHARE - by_checks, MIN_SHARE) / (1 - by_checks)
    limits = joint_limits(found, np.sort(person % FOLDS), share)
    passed = np.any([found[name] > limit for name, limit in limits.items()], axis=0)
    numbers, layers = _describe(usual)
    flagged = int(scans.flagged.sum() + passed.sum())
    return ScanProfile(
        network, len(scans), is_own, _with_bounds(flagged, len(scans)), numbers, layers, limits
    )


def distances(
    numbers: Optional[NumberReference],
    layers: Mapping[str, LayerReference],
    scans: UsualScans,
) -> dict[str, np.ndarray]:
    """Compute the distances of scans, float64 ``(scans,)`` each; see `scan_profile`."""
    found = {name: layer.distances(scans.layers[name]) for name, layer in layers.items()}
    if numbers is not None:
        columns = [scans.names.index(name) for name in numbers.names]
        pairs = [number_contributions(numbers, row) for row in scans.numbers[:, columns]]
        found[NUMBERS] = np.array([squared for squared, _ in pairs])
        falls = np.nan_to_num([falls for _, falls in pairs])
        found.update(zip(numbers.names, falls.T))
    return found


def joint_limits(
    found: Mapping[str, np.ndarray], fold: np.ndarray, share: float
) -> dict[str, float]:
    """Choose limits of several distances, so that a share of scans passes any of them.

    Those of `OWN_PARTS` have their part of that share; the others have equal parts of the rest. How
    rare a scan is in any of these is judged by the tails of the other folds: the largest value of a
    sample looks less rare in its own tail.

    Args:
        found: float64 ``(scans,)`` of usual scans.
        fold: Fold of each scan, int ``(scans,)``.
        share: Between 0 and 1.
    """
    own = {name: part * share for name, part in OWN_PARTS.items() if name in found}
    limits = {name: _Tail(found[name]).limit(part) for name, part in own.items()}
    others = {name: values for name, values in found.items() if name not in own}
    rarest = np.empty(len(fold))
    for k in np.unique(fold):
        shares = [_Tail(v[fold != k]).share_above(v[fold == k]) for v in others.values()]
        rarest[fold == k] = -np.log(np.min(shares, axis=0))
    each = float(np.exp(-_Tail(rarest).limit(share - sum(own.values()))))
    return {**limits, **{name: _Tail(values).limit(each) for name, values in others.items()}}


class _Tail:
    """The largest values of a sample as an exponential distribution.

    Limits lie where there are few scans or none, and must not depend on the one or two largest.
    """

    def __init__(self, values: np.ndarray) -> None:
        self._sorted = np.sort(values)
        count = max(round(TAIL_SHARE * len(values)), min(MIN_TAIL, len(values) // 4))
        self._share = count / len(values)
        self._start = float(self._sorted[-count - 1])
        self._scale = max(float(self._sorted[-count:].mean()) - self._start, 1e-12)

    def share_above(self, values: np.ndarray) -> np.ndarray:
        """Return the share of values above each of these; never 0."""
        counted = 1 - np.searchsorted(self._sorted, values, side="left") / len(self._sorted)
        excess = np.minimum((values - self._start) / self._scale, 500.0)
        return np.where(excess > 0, self._share * np.exp(-np.maximum(excess, 0.0)), counted)

    def limit(self, share: float) -> float:
        """Return what this share of values lies above."""
        if share >= self._share or share * len(self._sorted) >= MIN_BEYOND:
            return float(np.quantile(self._sorted, 1 - share))
        return self._start + self._scale * float(np.log(self._share / share))


def _with_bounds(flagged: int, count: int) -> tuple[float, float, float]:
    """Return a share with bounds of 95 %: Beta, Jeffreys' prior, by drawing from it."""
    drawn = np.random.default_rng(0).beta(flagged + 0.5, count - flagged + 0.5, 100_000)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return flagged / count, float(low), float(high)


def _describe(
    scans: UsualScans,
) -> tuple[Optional[NumberReference], dict[str, LayerReference]]:
    layers = {name: _describe_layer(features) for name, features in scans.layers.items()}
    known = {name: layer for name, layer in layers.items() if layer is not None}
    return _describe_numbers(scans), known


def _describe_numbers(scans: UsualScans) -> Optional[NumberReference]:
    """Describe the numbers that nearly all scans show and that vary."""
    chosen = []
    for column, values in enumerate(scans.numbers.T):
        known = values[np.isfinite(values)]
        if len(known) >= MIN_KNOWN * len(scans):
            lowest, low, high, highest = np.quantile(known, (0.01, 0.25, 0.75, 0.99))
            if lowest < low and high < highest:
                chosen.append(column)
    described = describe_numbers([scans.names[k] for k in chosen], scans.numbers[:, chosen])
    return described if described.names else None


def _describe_layer(features: np.ndarray, rank: int = RANK) -> Optional[LayerReference]:
    """Describe a layer; None if its features are the same for all images."""
    count = len(features)
    # Features are float32: squared, their rounding errors are this part of them.
    squares = float(np.square(features, dtype=np.float64).sum(axis=1).mean())
    limits = np.finfo(np.float32)
    rounding = max(float(limits.eps) ** 2 * squares, float(limits.tiny))
    if features.var(axis=0, dtype=np.float64).sum() <= rounding:
        return None
    rank = min(rank, count // 4, features.shape[1] - 1)
    fold_of = np.arange(count) % FOLDS
    outside = np.concatenate(
        [
            _principal(features[fold_of != fold], rank).parts(features[fold_of == fold])[1]
            for fold in range(FOLDS)
        ]
    )
    scale = max(float(outside.var() / (2 * max(outside.mean(), rounding))), rounding)
    fitted = _principal(features, rank)
    return LayerReference(fitted.mean, fitted.components, fitted.variances, scale)


def _principal(features: np.ndarray, rank: int) -> LayerReference:
    """Compute mean and leading components; the residual has no scale yet."""
    mean = features.mean(axis=0, dtype=np.float64)
    centred = features - mean
    wide = len(features) < features.shape[1]
    # Both products have the same leading eigenvalues; the smaller one is cheaper.
    squares, vectors = np.linalg.eigh(centred @ centred.T if wide else centred.T @ centred)
    squares, vectors = squares[::-1][:rank], vectors[:, ::-1][:, :rank]
    floor = np.finfo(np.float32).eps * max(float(squares[0]), 1e-12)
    squares = np.maximum(squares, floor)
    rows = vectors.T @ centred / np.sqrt(squares)[:, None] if wide else vectors.T
    variances = squares / (len(features) - 1)
    return LayerReference(
        mean.astype(np.float32), rows.astype(np.float32), variances.astype(np.float32), 1.0
    )
