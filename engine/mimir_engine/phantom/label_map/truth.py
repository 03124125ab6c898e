"""The true values of each label of a phantom."""

from __future__ import annotations

from typing import Union

import numpy as np

from mimir_engine.phantom.label_map.label_map import PhantomLabels
from mimir_engine.phantom.label_map.names import LABELS

#: Unit of each true value of a label; whole numbers have none.
LABEL_UNITS = {
    "label": "",
    "voxels": "",
    "volume_l": "L",
    "anatomy_volume_l": "L",
    "fat_fraction_percent": "%",
    "core_voxels": "",
    "core_fat_fraction_percent": "%",
    "noisy_core_fat_fraction_percent": "%",
}

Truth = dict[str, Union[int, float, None]]


def label_truths(labels: PhantomLabels) -> dict[str, Truth]:
    """Measure each label that has voxels, by its name.

    Returns:
        For each label, the values of `LABEL_UNITS`:

        - ``voxels`` and ``volume_l`` of the map, which a perfect segmentation has;
        - ``anatomy_volume_l``: volume of the tissue in view, voxels counted by their shares;
        - ``fat_fraction_percent``: signal fat fraction of the tissue itself;
        - ``core_voxels`` and ``core_fat_fraction_percent``: voxels whose six neighbours have the
          same label, and the mean of their fat fractions without noise. Thin sheets of fat
          between the muscles belong to it. None if there are no such voxels;
        - ``noisy_core_fat_fraction_percent``: the mean that is expected with the scan's noise,
          which raises low signals, as those of fat in muscle. None if there are no such voxels.
    """
    counts, core_counts, clean, noisy = _sums(labels).tolist()
    truths: dict[str, Truth] = {}
    for number, label in LABELS.items():
        if counts[number]:
            tissue = labels.painter.tissue(label.tissue)
            cores = int(core_counts[number])
            truths[label.name] = {
                "label": number,
                "voxels": int(counts[number]),
                "volume_l": int(counts[number]) * labels.voxel_l,
                "anatomy_volume_l": float(labels.covered[number]) * labels.voxel_l,
                "fat_fraction_percent": 100.0 * tissue.fat / (tissue.water + tissue.fat),
                "core_voxels": cores,
                "core_fat_fraction_percent": clean[number] / cores if cores else None,
                "noisy_core_fat_fraction_percent": noisy[number] / cores if cores else None,
            }
    return truths


def core(array: np.ndarray) -> np.ndarray:
    """Find the voxels whose six neighbours have the same label, at the edge of the map none."""
    inside = np.zeros(array.shape, bool)
    middle = array[1:-1, 1:-1, 1:-1]
    same = middle > 0
    for axis in range(3):
        for step in (0, 2):
            window = [slice(1, -1)] * 3
            window[axis] = slice(step, array.shape[axis] - 2 + step)
            same &= array[tuple(window)] == middle
    inside[1:-1, 1:-1, 1:-1] = same
    return inside


def _sums(labels: PhantomLabels) -> np.ndarray:
    """Sum over the voxels of each label: ``(4, labels + 1)``.

    The sums are the voxels, those of the core, and the fat fractions (%) of the core without noise
    and as expected with it.
    """
    sums = np.zeros((4, len(LABELS) + 1))
    for plane, is_core, fractions in zip(labels.array, core(labels.array), labels.fat_fractions):
        inside = plane[is_core]
        of_core = 100.0 * fractions[:, is_core[plane > 0]].astype(np.float64)
        for total, numbers, weights in zip(
            sums, (plane[plane > 0], inside, inside, inside), (None, None, *of_core)
        ):
            total += np.bincount(numbers, weights=weights, minlength=sums.shape[1])
    return sums
