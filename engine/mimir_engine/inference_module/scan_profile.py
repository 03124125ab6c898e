"""What the scans that a module knows are like, and how far another scan is from them.

A profile describes the numbers of the scan checks and the first layers of the network: quantiles,
correlations, leading components; never one person's. A scan has several distances from it:

* ``numbers``: Mahalanobis' d² = vᵀ R⁻¹ v of the numbers' normal scores v, with their correlations
  R. Numbers that the scan does not show are marginalised.
* one for each number j: (R⁻¹v)_j² / (R⁻¹)_jj, by which d² falls when it is left out. One number
  may be far from usual, or not go with the others, and the sum of all be usual.
* one for each layer: with the coordinates z of its features in the leading components, and the
  residual r outside of them, the sum of z_k² / variance_k and of |r|² / g. The first is Hotelling's
  T²; g = var(|r|²) / (2 mean(|r|²)), so that both count by their degrees of freedom (Box, 1954;
  Yue and Qin, "Reconstruction-based fault identification using a combined index", 2001).

Nothing here is Gaussian: each distance is compared with a limit that was set on unseen scans.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.inference_module.number_reference import NumberReference, normal_scores

INVALID = "PROFILE_INVALID"
NUMBERS = "numbers"
#: Scans that correlations need per number, to count as much as none would.
SCANS_PER_NUMBER = 4


@dataclass(frozen=True, eq=False)
class LayerReference:
    """How the features of one layer are distributed: mean and SD of each channel.

    Attributes:
        mean: float32 ``(features,)``.
        components: float32 ``(rank, features)``, orthonormal rows.
        variances: float32 ``(rank,)``, along the components.
        residual_scale: The g above.
    """

    mean: np.ndarray
    components: np.ndarray
    variances: np.ndarray
    residual_scale: float

    def __post_init__(self) -> None:
        rank, count = len(self.variances), len(self.mean)
        shapes = {"mean": (count,), "components": (rank, count), "variances": (rank,)}
        for name, shape in shapes.items():
            _check(getattr(self, name), shape, f"the {name} of a layer")
        if not ((self.variances > 0).all() and 0 < self.residual_scale < np.inf):
            raise MimirError(INVALID, "the variances of a layer must be above 0")

    def parts(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute T² and the squared residual of images, float64 ``(images,)`` each.

        Args:
            features: ``(images, features)``.

        Raises:
            MimirError: ``PROFILE_INVALID`` for features of another network.
        """
        if features.ndim != 2 or features.shape[1] != len(self.mean):
            raise MimirError(INVALID, "the scan profile belongs to another network")
        centred = features.astype(np.float64) - self.mean
        coordinates = centred @ self.components.T.astype(np.float64)
        inside: np.ndarray = (coordinates**2 / self.variances).sum(axis=1)
        residual = centred - coordinates @ self.components
        return inside, (residual**2).sum(axis=1)

    def distances(self, features: np.ndarray) -> np.ndarray:
        """Compute the distance of images, float64 ``(images,)``."""
        inside, outside = self.parts(features)
        return inside + outside / self.residual_scale


@dataclass(frozen=True, eq=False)
class ScanProfile:
    """The scans that a module knows, or those that a user compares with.

    Attributes:
        network: SHA-256 of the weights whose layers are described.
        scans: Number of scans that it was made of.
        is_own: The scans are a user's own, not those of the module's calibration.
        flagged: Share of its scans that checks and profile together flag, and bounds of the share
            of later scans of the same kind (95 %).
        numbers: None if the numbers of the scans were not known.
        layers: By name of the layer.
        limits: Of each distance; larger ones are unusual.
        sha256: Of the file that it was read from; empty before.
    """

    network: str
    scans: int
    is_own: bool
    flagged: tuple[float, float, float]
    numbers: Optional[NumberReference]
    layers: Mapping[str, LayerReference] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    sha256: str = ""

    def __post_init__(self) -> None:
        of_numbers = () if self.numbers is None else (NUMBERS, *self.numbers.names)
        if self.limits.keys() != {*of_numbers, *self.layers}:
            raise MimirError(INVALID, "a scan profile must have one limit per distance")
        if not all(0 < limit < np.inf for limit in self.limits.values()):
            raise MimirError(INVALID, "the limits of a scan profile must be above 0")

    @property
    def reference(self) -> str:
        """The scans compared with, in words."""
        whose = "scans of your own" if self.is_own else "scans of the module's calibration"
        return f"{self.scans:,} {whose}"

    @property
    def promise(self) -> str:
        """How many usual scans are flagged, in words."""
        share, low, high = (100 * part for part in self.flagged)
        return (
            f"checks and profile together flag {share:.1f} % of such scans"
            f" ({low:.1f} to {high:.1f} %)"
        )


def number_contributions(
    reference: NumberReference, values: np.ndarray
) -> tuple[float, np.ndarray]:
    """Compute d² of a scan, and by how much it falls when each number is left out.

    Few scans know little of how numbers go together: correlations are shrunk accordingly.

    Args:
        reference: Usual scans.
        values: float64 ``(numbers,)``; NaN if the scan does not show one.

    Returns:
        d², to which a missing number adds 1, the mean of a usual one; and float64 ``(numbers,)``,
        NaN for missing numbers.
    """
    scores = normal_scores(reference, values[None])[0]
    known = np.isfinite(scores)
    needed = SCANS_PER_NUMBER * len(values)
    shrunk = needed / (needed + reference.scans)
    correlation = (1 - shrunk) * reference.correlation + shrunk * np.eye(len(values))
    inverse = np.linalg.inv(correlation[np.ix_(known, known)])
    weighted = inverse @ scores[known]
    falls = np.full(len(values), np.nan)
    falls[known] = weighted**2 / np.diag(inverse)
    return float(scores[known] @ weighted) + float((~known).sum()), falls


def _check(array: np.ndarray, shape: tuple[int, ...], what: str) -> None:
    if array.shape != shape or not np.isfinite(array).all():
        raise MimirError(INVALID, f"{what} must be finite and of the shape {shape}")
