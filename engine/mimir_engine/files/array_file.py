"""Open untrusted NumPy arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mimir_engine.files.regular_file import open_regular


def open_array(path: Path) -> np.ndarray:
    """Map the array of an ``.npy`` file into memory, read-only.

    A header that declares more than the file holds takes no memory.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not an array of plain numbers.
    """
    open_regular(path).close()
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError:
        raise
    except Exception as error:  # NumPy raises many kinds on damaged headers
        raise ValueError("not a NumPy array") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "buif":
        raise ValueError("not a NumPy array of numbers")
    return array
