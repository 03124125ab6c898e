"""Blacken images of a data set that no study of its ledger has any more."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np

from mimir_engine.cohort.forgetting.study_files import remove_path
from mimir_engine.cohort.images.growing_array import GrowingArray
from mimir_engine.projection.project import IMAGE_SHAPE


def blacken_rows(path: Path, kept: Collection[int]) -> None:
    """Set the images of all other rows to 0, and cut off those behind the last that is kept.

    The rows of other studies stay where they are, since tables and training runs name them.

    Args:
        path: The images of ``mimir project --dataset``.
        kept: Rows that a study still has.

    Raises:
        MimirError: ``IMAGES_DAMAGED``, ``OUTPUT_UNWRITABLE``.
    """
    if not kept:
        remove_path(path)
        return
    with GrowingArray(path, IMAGE_SHAPE, 1 + max(kept), may_cut=True) as images:
        for row in set(range(images.rows)).difference(kept):
            images.replace(row, np.zeros(IMAGE_SHAPE, np.uint8))
