"""A ``.npy`` file of images that grows at its end."""

from __future__ import annotations

import io
import os
from pathlib import Path
from types import TracebackType
from typing import Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import output_errors


class ImageFile:
    """An array on disk that takes one more image at a time.

    The images of a row come first, then the count in the header: a file whose writer was killed is
    one without its last image. NumPy keeps room in the header for a longer count, so that it never
    moves what follows.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], rows: int) -> None:
        """Open the file or make it.

        Args:
            path: The file.
            shape: Of an image of uint8.
            rows: How many images count; any behind them were not finished and go.

        Raises:
            MimirError: ``IMAGES_DAMAGED`` where there are fewer, ``OUTPUT_IN_USE`` where the file
                is none of ours, ``OUTPUT_UNWRITABLE``.
        """
        self.path, self.shape, self.rows = path, shape, rows
        self._size = int(np.prod(shape))
        self._begin = len(self._header())
        self._check_own()
        with output_errors(path):
            self._file = open(path, "r+b" if path.exists() else "w+b")  # noqa: SIM115
            end = self._begin + rows * self._size
            found = self._file.seek(0, os.SEEK_END)
            if rows and found < end:
                self._file.close()
                raise MimirError(
                    "IMAGES_DAMAGED",
                    f"'{path}' holds fewer than the {rows} images it held",
                    "Make the projections anew, by --overwrite or in another folder.",
                )
            self._file.truncate(end)
            self._write_header()

    def _check_own(self) -> None:
        """Never cut off the images of somebody else: where none count, one at most is left over."""
        try:
            found = np.load(self.path, mmap_mode="r", allow_pickle=False).shape
        except (OSError, ValueError, EOFError):  # not there, or killed at its very first bytes
            found = (0, *self.shape)
        if found[1:] != self.shape or (self.rows == 0 and found[0] > 1):
            raise MimirError(
                "OUTPUT_IN_USE",
                f"'{self.path}' holds images that MIMIR can't go on with",
                "Choose another folder, or --overwrite to start anew.",
            )

    def append(self, image: np.ndarray) -> int:
        """Write an image to the disk; its row.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        assert image.shape == self.shape
        assert image.dtype == np.uint8
        with output_errors(self.path):
            self._file.seek(self._begin + self.rows * self._size)
            self._file.write(image.tobytes())
            self._file.flush()
            self.rows += 1
            self._write_header()
        return self.rows - 1

    def _write_header(self) -> None:
        self._file.seek(0)
        self._file.write(self._header())
        self._file.flush()
        os.fsync(self._file.fileno())

    def _header(self) -> bytes:
        header = io.BytesIO()
        description = {"descr": "|u1", "fortran_order": False, "shape": (self.rows, *self.shape)}
        np.lib.format.write_array_header_1_0(header, description)
        return header.getvalue()

    def __enter__(self) -> ImageFile:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._file.close()
