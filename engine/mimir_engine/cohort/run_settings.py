"""What the record of a run says in the same way, whether studies are measured or stitched."""

from __future__ import annotations

import platform
from dataclasses import asdict
from typing import Any

import numpy as np
import pydicom

import mimir_engine
from mimir_engine.cohort.inclusion.chosen_studies import ChosenStudies
from mimir_engine.readers.reader_limits import ReaderLimits, limits_in_force
from mimir_engine.study.read_options import ReadOptions


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that read and stitch studies."""
    return {
        "mimir": mimir_engine.__version__,
        "numpy": np.__version__,
        "pydicom": pydicom.__version__,
    }


def reading_settings(
    reading: ReadOptions, limits: ReaderLimits, chosen: ChosenStudies
) -> dict[str, Any]:
    """Return how studies are read and chosen, as JSON values.

    Args:
        reading: How studies are read.
        limits: What reading one study may take; those that this system can set are noted.
        chosen: What came of the lists of studies to leave out and to take.
    """
    return {
        "swap_repair": reading.swap_repair,
        "python": platform.python_version(),
        "limits": asdict(limits_in_force(limits)),
        **({"ids": chosen.record} if chosen.record else {}),
    }
