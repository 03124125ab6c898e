"""Folders of images that are all alike, for scan profiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mimir_engine.cohort.images.image_folder import STUDY_COLUMNS
from mimir_engine.cohort.scanners.scan_number_table import ScanRow, write_scan_numbers
from mimir_engine.files.csv_writer import write_csv


def usual_images(folder: Path, count: int, numbers: bool = True) -> Path:
    """Write smooth images of some brightness, and a number of the scan of each."""
    smooth = np.zeros((count, 3, 256, 256), np.uint8)
    rng = np.random.default_rng(7)
    ramp = np.linspace(0, 1, 256)[:, None] * np.linspace(1, 0.5, 256)
    for image in smooth:
        image[:] = (ramp * rng.uniform(80, 120, (3, 1, 1))).astype(np.uint8)
    folder.mkdir()
    np.save(folder / "images.npy", smooth)
    rows = [(row, f"study {row}", "", "") for row in range(count)]
    write_csv(folder / "studies.csv", STUDY_COLUMNS, rows)
    if numbers:
        ratios = rng.normal(0.8, 0.03, count)
        scans = (ScanRow(f"study {k}", (), {"lean_to_fat": r}) for k, r in enumerate(ratios))
        write_scan_numbers(folder / "scan_numbers.csv", scans)
    return folder
