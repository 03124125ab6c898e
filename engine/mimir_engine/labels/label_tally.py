"""Count the voxels of each label: how many, where, and how many lie at the edge of the view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mimir_engine.direct.body import Body
from mimir_engine.labels.label_map import LabelMap
from mimir_engine.labels.nearest_voxels import NearestVoxels, nearest_voxels
from mimir_engine.study.volume import Volume

#: Number of values of a uint16.
ALL_LABELS = 2**16


@dataclass(frozen=True)
class LabelTally:
    """Counts of the voxels of each label; one row or number per label.

    Attributes:
        labels: The labels that have voxels, uint16, growing.
        voxels: Number of voxels, int64.
        inside: How many of them lie within the volumes.
        in_body: How many of them lie within the body.
        at_edge: How many of them lie at the edge of the view, or beyond it.
        mean_x_mm: Mean patient x (LPS): it grows to the left.
        in_slice: True where a slice of the volumes has the label, bool ``[label, slice]``.
    """

    labels: np.ndarray
    voxels: np.ndarray
    inside: np.ndarray
    in_body: np.ndarray
    at_edge: np.ndarray
    mean_x_mm: np.ndarray
    in_slice: np.ndarray


def tally_labels(label_map: LabelMap, volume: Volume, body: Body) -> LabelTally:
    """Count the voxels of each label.

    A voxel is at the edge of the view if it lies in the first or last slice, row or column of the
    label map or of the volumes, or outside the volumes.

    Args:
        label_map: The labels, on any axial grid.
        volume: Its grid is that of the images.
        body: The body in them.
    """
    shape = label_map.array.shape
    image = nearest_voxels(label_map.affine, shape, volume.affine, volume.array.shape)
    thinned = nearest_voxels(label_map.affine, shape, body.affine, body.mask.shape)
    edges = _edges(image, volume.array.shape)
    is_inside = [axis >= 0 for axis in image.axes]
    labels = _labels_in(label_map.array)
    rows = np.zeros(ALL_LABELS, np.intp)
    rows[labels] = np.arange(len(labels))
    counts = np.zeros((4, len(labels)), np.int64)
    columns = np.zeros(len(labels))
    in_slice = np.zeros((len(labels), len(volume.array)), bool)
    for index, plane in enumerate(label_map.array):
        y, x = np.nonzero(plane)
        row = rows[plane[y, x]]
        kinds = (
            np.ones(len(row), bool),
            is_inside[0][index] & is_inside[1][y] & is_inside[2][x],
            thinned.plane(body.mask, index)[y, x],
            edges[0][index] | edges[1][y] | edges[2][x],
        )
        for count, kind in zip(counts, kinds):
            count += np.bincount(row[kind], minlength=len(labels))
        columns += np.bincount(row, weights=x, minlength=len(labels))
        in_slice[row[kinds[1]], image.axes[0][index]] = True
    x_mm = label_map.affine[0, 3] + label_map.spacing_mm[0] * columns / np.maximum(counts[0], 1)
    voxels, inside, in_body, at_edge = counts
    return LabelTally(labels, voxels, inside, in_body, at_edge, x_mm, in_slice)


def _labels_in(array: np.ndarray) -> np.ndarray:
    """Return the labels that have voxels, growing, without the background."""
    counts = np.zeros(ALL_LABELS, np.int64)
    for plane in array:
        counts += np.bincount(plane.reshape(-1), minlength=ALL_LABELS)
    return (1 + np.flatnonzero(counts[1:])).astype(np.uint16)


def _edges(nearest: NearestVoxels, shape: tuple[int, ...]) -> list[np.ndarray]:
    """Return, for each axis, which indices of the label map lie at the edge of the view."""
    edges = []
    for axis, size in zip(nearest.axes, shape):
        edge = (axis <= 0) | (axis == size - 1)
        edge[[0, -1]] = True
        edges.append(edge)
    return edges
