"""How a network's features are spread over data it is at home in: is an image like those at all?

The features are the 2,048 numbers that the network's last layer reads. Their mean and leading
principal components go with a module, no study's own features. How far an image lies outside is
the squared distance

    d² = sum_k z_k² / variance_k + |r|² / residual_scale

with the coordinates z in the components and the residual r outside of them. The first part is
Hotelling's T², the second the residual's Q on a scale g = var(Q) / (2 mean(Q)), on which it is
about chi-squared (Box, 1954), so that both parts count by their degrees of freedom (the combined
index of Yue and Qin, "Reconstruction-based fault identification using a combined index", 2001).
Features are no Gaussians, so d² is judged by its quantiles among images that the components were
not fitted on, never by a chi-squared table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import numpy as np

from mimir_engine.errors import MimirError

INVALID = "FEATURES_INVALID"
MAX_FILE_BYTES = 8 << 20

RANK = 64
LEAST_IMAGES = 50
"""Fewer images say too little about 2,048 features to ship anything."""
FOLDS = 5
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99)

_ARRAYS = {
    "mean": 1,
    "components": 2,
    "variances": 1,
    "residual_scale": 1,
    "levels": 1,
    "quantiles": 1,
}


@dataclass(frozen=True, eq=False)
class FeatureStatistics:
    """Mean and leading components of a network's features.

    Attributes:
        mean: float32 ``(features,)``.
        components: float32 ``(rank, features)``, orthonormal rows.
        variances: float32 ``(rank,)``, along the components.
        residual_scale: float32 ``(1,)``, the g above.
        levels: float32, increasing, between 0 and 1.
        quantiles: float32, the d² that this share of unseen images stays below.
    """

    mean: np.ndarray
    components: np.ndarray
    variances: np.ndarray
    residual_scale: np.ndarray
    levels: np.ndarray = field(default_factory=lambda: np.array(LEVELS, np.float32))
    quantiles: np.ndarray = field(default_factory=lambda: np.zeros(len(LEVELS), np.float32))

    def __post_init__(self) -> None:
        for name, dimensions in _ARRAYS.items():
            array = getattr(self, name)
            if array.ndim != dimensions or not np.isfinite(array).all():
                raise MimirError(INVALID, f"the {name} of the features are no such numbers")
        sizes = (
            self.components.shape == (len(self.variances), len(self.mean)),
            len(self.residual_scale) == 1,
            len(self.levels) == len(self.quantiles) >= 1,
        )
        if not all(sizes):
            raise MimirError(INVALID, "the feature statistics don't fit one another")
        if not ((self.variances > 0).all() and (self.residual_scale > 0).all()):
            raise MimirError(INVALID, "a variance of the features is not above zero")
        if (np.diff(self.levels) <= 0).any() or (np.diff(self.quantiles) < 0).any():
            raise MimirError(INVALID, "the quantiles of the features' distance do not rise")


@dataclass(frozen=True, eq=False)
class Typicality:
    """How far some images lie outside the data that a module is at home in.

    Attributes:
        distance: float64 ``(images,)``, the d² above.
        ratio: float64 ``(images,)``, the same over its 99 % quantile (the largest that is kept)
            among unseen images of the same kind, of which one in a hundred is above 1.
        quantiles: ``{level: distance}`` among those images.
    """

    distance: np.ndarray
    ratio: np.ndarray
    quantiles: dict[float, float]


def typicality(statistics: FeatureStatistics, features: np.ndarray) -> Typicality:
    """Judge images by their features.

    Args:
        statistics: Those of an inference module, as its ``features()`` gives them.
        features: ``(images, features)``, as ``Predictor.predict_with_features`` gives them.

    Raises:
        MimirError: ``FEATURES_INVALID`` for features of another size.
    """
    if features.ndim != 2 or features.shape[1] != len(statistics.mean):
        raise MimirError(
            INVALID,
            f"features of shape {features.shape} are none of the network that they are judged by",
        )
    inside, outside = _parts(statistics, features)
    distance = inside + outside / float(statistics.residual_scale[0])
    quantiles = {
        round(float(level), 6): float(quantile)
        for level, quantile in zip(statistics.levels, statistics.quantiles)
    }
    return Typicality(distance, distance / float(statistics.quantiles[-1]), quantiles)


def describe_features(features: np.ndarray, rank: int = RANK) -> Optional[FeatureStatistics]:
    """Statistics of a network's features over some images.

    None for fewer than `LEAST_IMAGES`, and for features that are the same for all of them.
    The distance's scale and quantiles are taken from each fifth of the images by components of the
    other four.

    Args:
        features: ``(images, features)``, best of images that the network has not seen in training.
        rank: Components to keep, at most a quarter of the images.
    """
    count = len(features)
    if count < LEAST_IMAGES:
        return None
    # Features are float32: squared, their rounding errors are this part of them.
    squares = float(np.square(features, dtype=np.float64).sum(axis=1).mean())
    rounding = max(np.finfo(np.float32).eps ** 2 * squares, float(np.finfo(np.float32).tiny))
    if features.var(axis=0, dtype=np.float64).sum() <= rounding:
        return None
    rank = min(rank, count // 4, features.shape[1] - 1)
    parts = [
        _parts(_principal(features[~held_out], rank), features[held_out])
        for held_out in _folds(count)
    ]
    inside = np.concatenate([part[0] for part in parts])
    outside = np.concatenate([part[1] for part in parts])
    scale = max(float(outside.var() / (2 * max(outside.mean(), rounding))), rounding)
    fitted = _principal(features, rank)
    return FeatureStatistics(
        fitted.mean,
        fitted.components,
        fitted.variances,
        residual_scale=np.array([scale], np.float32),
        quantiles=np.quantile(inside + outside / scale, LEVELS).astype(np.float32),
    )


def write_features(path: Path, statistics: FeatureStatistics) -> None:
    """Write ``features.safetensors``."""
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(getattr(statistics, name), np.float32) for name in _ARRAYS}
    path.write_bytes(save(arrays))


def read_features(path: Path) -> FeatureStatistics:
    """Read ``features.safetensors``.

    Raises:
        MimirError: ``FEATURES_INVALID``.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        with open(path, "rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise MimirError(INVALID, f"{path.name} is larger than {MAX_FILE_BYTES >> 20} MB")
        arrays = load(content)
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise MimirError(
            INVALID, f"{path.name} cannot be read ({error})", "Fetch the inference module again."
        ) from error
    if arrays.keys() != _ARRAYS.keys() or any(a.dtype != np.float32 for a in arrays.values()):
        raise MimirError(INVALID, f"{path.name} holds other arrays than feature statistics")
    return FeatureStatistics(**arrays)


def _folds(count: int) -> Iterator[np.ndarray]:
    """Which images are held out, a fifth at a time."""
    for fold in range(FOLDS):
        yield np.arange(count) % FOLDS == fold


def _principal(features: np.ndarray, rank: int) -> FeatureStatistics:
    """Mean and leading components, without scale and quantiles."""
    mean = features.mean(axis=0, dtype=np.float64)
    centred = features - mean
    wide = len(features) < features.shape[1]
    # The smaller of the two products has the same leading eigenvalues, and costs least.
    squares, vectors = np.linalg.eigh(centred @ centred.T if wide else centred.T @ centred)
    squares, vectors = squares[::-1][:rank], vectors[:, ::-1][:, :rank]
    floor = np.finfo(np.float32).eps * max(float(squares[0]), 1e-12)
    squares = np.maximum(squares, floor)
    rows = vectors.T @ centred / np.sqrt(squares)[:, None] if wide else vectors.T
    return FeatureStatistics(
        mean=mean.astype(np.float32),
        components=rows.astype(np.float32),
        variances=(squares / (len(features) - 1)).astype(np.float32),
        residual_scale=np.ones(1, np.float32),
    )


def _parts(statistics: FeatureStatistics, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """T² in the components and the squared residual outside of them, float64 ``(images,)`` each."""
    centred = features.astype(np.float64) - statistics.mean
    coordinates = centred @ statistics.components.T.astype(np.float64)
    inside: np.ndarray = (coordinates**2 / statistics.variances).sum(axis=1)
    residual = centred - coordinates @ statistics.components
    return inside, (residual**2).sum(axis=1)
