"""Folders of images with targets, of any size, as phantoms have them."""

from __future__ import annotations

from pathlib import Path

from mimir_engine.cohort.images.growing_array import GrowingArray
from mimir_engine.cohort.images.image_folder import IMAGES, TARGETS, describe_folder
from mimir_engine.training.dataset import Dataset


def write_image_folder(folder: Path, dataset: Dataset) -> Path:
    assert describe_folder(folder, dataset.studies, dataset.definitions, dataset.provenance)
    arrays = {IMAGES: dataset.read_images(slice(None)), TARGETS: dataset.targets}
    for name, rows in arrays.items():
        with GrowingArray(folder / name, rows.shape[1:], 0, rows.dtype) as array:
            for row in rows:
                array.append(row)
    return folder
