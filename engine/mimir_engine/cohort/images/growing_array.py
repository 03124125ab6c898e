"""A ``.npy`` file that grows by one row at a time."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from mimir_engine.errors import MimirError
from mimir_engine.files.array_file import open_array
from mimir_engine.files.atomic import output_errors


class GrowingArray:
    """An array on disk that takes one more row at a time.

    The row is on the disk before the count in the header: a file whose writer was killed, also by a
    power cut, is complete without its last row. NumPy reserves room in the header for a larger
    count, so the header never moves what follows.
    """

    def __init__(
        self,
        path: Path,
        shape: tuple[int, ...],
        rows: int,
        dtype: DTypeLike = np.uint8,
        may_cut: bool = False,
    ) -> None:
        """Open the file or create it.

        Args:
            path: The file.
            shape: Shape of one row.
            rows: Number of valid rows; later ones were not finished and are cut off.
            dtype: Type of the numbers.
            may_cut: The file is known to be of this folder, even if none of its rows is valid.

        Raises:
            MimirError: ``IMAGES_DAMAGED`` for fewer rows, ``OUTPUT_IN_USE`` for a file of other
                content, ``OUTPUT_UNWRITABLE``.
        """
        self.path, self.shape, self.rows = path, shape, rows
        self.dtype = np.dtype(dtype)
        self._size = int(np.prod(shape)) * self.dtype.itemsize
        self._begin = len(self._header())
        self._check_content(may_cut)
        with output_errors(path):
            self._file = open(path, "r+b" if path.exists() else "w+b")  # noqa: SIM115
            end = self._begin + rows * self._size
            found = self._file.seek(0, os.SEEK_END)
            if rows and found < end:
                self._file.close()
                raise MimirError(
                    "IMAGES_DAMAGED",
                    f"'{path}' holds fewer than {rows} rows, although {rows} were written",
                    "Start again with --overwrite or in another folder.",
                )
            self._file.truncate(end)
            self._write_header()

    def _check_content(self, may_cut: bool) -> None:
        """Refuse to cut off foreign rows: a killed run leaves at most one that does not count."""
        count, *shape = stored_shape(self.path)
        is_other = bool(count) and tuple(shape) != self.shape
        if self.rows == 0 and not may_cut and self.path.exists():
            one_row = self._begin + self._size
            is_other = is_other or count > 1 or self.path.stat().st_size > one_row
        if is_other or (self.path.exists() and not self.path.is_file()):
            raise MimirError(
                "OUTPUT_IN_USE",
                f"'{self.path}' holds images that MIMIR cannot resume",
                "Choose another folder, or --overwrite to start again.",
            )

    def read(self, row: int) -> np.ndarray:
        """Read a row; fewer bytes than a row if it has not been written."""
        self._file.seek(self._begin + row * self._size)
        return np.frombuffer(self._file.read(self._size), self.dtype)

    def append(self, row: np.ndarray) -> int:
        """Write a row to the disk and return its index.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        assert row.shape == self.shape
        assert row.dtype == self.dtype
        with output_errors(self.path):
            self._file.seek(self._begin + self.rows * self._size)
            self._file.write(row.tobytes())
            self._file.flush()
            os.fsync(self._file.fileno())
            self.rows += 1
            self._write_header()
        return self.rows - 1

    def replace(self, row: int, content: np.ndarray) -> None:
        """Write a row that is there already to the disk once more.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        assert 0 <= row < self.rows
        assert (content.shape, content.dtype) == (self.shape, self.dtype)
        with output_errors(self.path):
            self._file.seek(self._begin + row * self._size)
            self._file.write(content.tobytes())
            self._file.flush()
            os.fsync(self._file.fileno())

    def _write_header(self) -> None:
        self._file.seek(0)
        self._file.write(self._header())
        self._file.flush()
        os.fsync(self._file.fileno())

    def _header(self) -> bytes:
        header = io.BytesIO()
        description = {
            "descr": np.lib.format.dtype_to_descr(self.dtype),
            "fortran_order": False,
            "shape": (self.rows, *self.shape),
        }
        np.lib.format.write_array_header_1_0(header, description)
        return header.getvalue()

    def __enter__(self) -> GrowingArray:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


def stored_shape(path: Path) -> tuple[int, ...]:
    """Shape of the array in a file; no rows if it is absent or was killed at its first bytes."""
    try:
        return open_array(path).shape or (0,)
    except (OSError, ValueError):
        return (0,)
