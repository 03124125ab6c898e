"""Detect images unlike the calibration data, by the features of a network.

The features are the 2,048 inputs of the network's last layer. A module contains their mean and
leading principal components, but no study's own features. The distance of an image is

    d² = sum_k z_k² / variance_k + |r|² / residual_scale

with the coordinates z in the components and the residual r outside of them. The first part is
Hotelling's T², the second the residual's Q on a scale g = var(Q) / (2 mean(Q)), on which it is
about chi-squared (Box, 1954), so that both parts count by their degrees of freedom (the combined
index of Yue and Qin, "Reconstruction-based fault identification using a combined index", 2001).
Features are not Gaussian, so d² is compared with its quantiles among images that the components
were not fitted to, never with a chi-squared table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import atomic_file
from mimir_engine.files.regular_file import open_regular

INVALID = "FEATURES_INVALID"
MAX_FILE_BYTES = 8 << 20

RANK = 64
#: Fewer images are not enough to describe 2,048 features.
MIN_IMAGES = 50
FOLDS = 5
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99)

#: Arrays of the file.
ARRAYS = ("mean", "components", "variances", "residual_scale", "levels", "quantiles")


@dataclass(frozen=True, eq=False)
class FeatureStatistics:
    """Mean and leading components of a network's features.

    Attributes:
        mean: float32 ``(features,)``.
        components: float32 ``(rank, features)``, orthonormal rows.
        variances: float32 ``(rank,)``, along the components.
        residual_scale: float32 ``(1,)``, the g above.
        levels: float32, increasing, between 0 and 1.
        quantiles: float32, the d² below which this share of unseen images lies.
    """

    mean: np.ndarray
    components: np.ndarray
    variances: np.ndarray
    residual_scale: np.ndarray
    levels: np.ndarray = field(default_factory=lambda: np.array(LEVELS, np.float32))
    quantiles: np.ndarray = field(default_factory=lambda: np.zeros(len(LEVELS), np.float32))

    def __post_init__(self) -> None:
        for name in ARRAYS:
            array, dimensions = getattr(self, name), 2 if name == "components" else 1
            if array.ndim != dimensions or not np.isfinite(array).all():
                raise MimirError(
                    INVALID, f"the {name} of the features must be finite, with {dimensions} axes"
                )
        sizes = (
            self.components.shape == (len(self.variances), len(self.mean)),
            len(self.residual_scale) == 1,
            len(self.levels) == len(self.quantiles) >= 1,
        )
        if not all(sizes):
            raise MimirError(INVALID, "the sizes of the feature statistics do not match")
        if not ((self.variances > 0).all() and (self.residual_scale > 0).all()):
            raise MimirError(INVALID, "the variances of the features must be above 0")
        if (np.diff(self.levels) <= 0).any() or (np.diff(self.quantiles) < 0).any():
            raise MimirError(INVALID, "the quantiles of the features' distance must increase")


def distance_ratio(statistics: FeatureStatistics, features: np.ndarray) -> np.ndarray:
    """Compute the distance of images from the data that a module was calibrated on.

    Args:
        statistics: Those of an inference module.
        features: ``(images, features)`` of ``Predictor.predict_with_features``.

    Returns:
        float64 ``(images,)``, the d² above divided by its 99 % quantile among unseen images of the
        same kind, of which one in a hundred is above 1.

    Raises:
        MimirError: ``FEATURES_INVALID`` for features of another size.
    """
    if features.ndim != 2 or features.shape[1] != len(statistics.mean):
        raise MimirError(
            INVALID, f"features of the shape {features.shape} belong to another network"
        )
    inside, outside = _parts(statistics, features)
    distance = inside + outside / float(statistics.residual_scale[0])
    return distance / float(statistics.quantiles[-1])


def describe_features(features: np.ndarray, rank: int = RANK) -> Optional[FeatureStatistics]:
    """Compute the statistics of a network's features.

    None for fewer than `MIN_IMAGES` images, and for features that are the same for all images.
    Scale and quantiles of the distance come from each fifth of the images, with components of the
    other four.

    Args:
        features: ``(images, features)``, preferably of images not used in training.
        rank: Number of components, at most a quarter of the images.
    """
    count = len(features)
    if count < MIN_IMAGES:
        return None
    # Features are float32: squared, their rounding errors are this part of them.
    squares = float(np.square(features, dtype=np.float64).sum(axis=1).mean())
    rounding = max(np.finfo(np.float32).eps ** 2 * squares, float(np.finfo(np.float32).tiny))
    if features.var(axis=0, dtype=np.float64).sum() <= rounding:
        return None
    rank = min(rank, count // 4, features.shape[1] - 1)
    fold_of = np.arange(count) % FOLDS
    parts = [
        _parts(_principal(features[fold_of != fold], rank), features[fold_of == fold])
        for fold in range(FOLDS)
    ]
    inside, outside = np.concatenate(parts, axis=1)
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
    """Write ``features.safetensors``.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(getattr(statistics, name), np.float32) for name in ARRAYS}
    with atomic_file(path) as file:
        file.write(save(arrays))


def read_features(path: Path) -> FeatureStatistics:
    """Read ``features.safetensors``.

    Raises:
        MimirError: ``FEATURES_INVALID``.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        with open_regular(path) as file:
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise MimirError(INVALID, f"{path.name} is larger than {MAX_FILE_BYTES >> 20} MB")
        arrays = load(content)
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise MimirError(
            INVALID, f"{path.name} cannot be read ({error})", "Download the inference module again."
        ) from error
    if arrays.keys() != set(ARRAYS) or any(a.dtype != np.float32 for a in arrays.values()):
        raise MimirError(INVALID, f"{path.name} does not contain feature statistics")
    return FeatureStatistics(**arrays)


def _principal(features: np.ndarray, rank: int) -> FeatureStatistics:
    """Compute mean and leading components, without scale and quantiles."""
    mean = features.mean(axis=0, dtype=np.float64)
    centred = features - mean
    wide = len(features) < features.shape[1]
    # Both products have the same leading eigenvalues; the smaller one is cheaper.
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
    """Compute T² in the components and the squared residual, float64 ``(images,)`` each."""
    centred = features.astype(np.float64) - statistics.mean
    coordinates = centred @ statistics.components.T.astype(np.float64)
    inside: np.ndarray = (coordinates**2 / statistics.variances).sum(axis=1)
    residual = centred - coordinates @ statistics.components
    return inside, (residual**2).sum(axis=1)
