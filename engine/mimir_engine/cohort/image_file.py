"""Append images to a ``.npy`` file."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import writing


class ImageFile:
    """An array on disk that grows by one image at a time.

    An image is written first, then the count in the header: a writer that is killed leaves a valid
    file without the last image. NumPy leaves room in the header for a longer count, so the images
    never move.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], rows: int) -> None:
        """Open the file or make it.

        Args:
            path: The file.
            shape: Of one image, uint8.
            rows: Number of images that count; further ones were not finished and are cut off.

        Raises:
            MimirError: ``IMAGES_DAMAGED`` where there are fewer, ``OUTPUT_IN_USE`` where the file
                was not made by MIMIR, ``OUTPUT_UNWRITABLE``.
        """
        self.path, self.shape, self.rows = path, shape, rows
        self._size = int(np.prod(shape))
        self._begin = len(self._header())
        self._check_own()
        with writing(path):
            self._file = open(path, "r+b" if path.exists() else "w+b")  # noqa: SIM115
            end = self._begin + rows * self._size
            found = self._file.seek(0, os.SEEK_END)
            if rows and found < end:
                self._file.close()
                raise MimirError(
                    "IMAGES_DAMAGED",
                    f"'{path}' holds fewer than {rows} images, which it should hold",
                    "Make the images again, with --overwrite or in another folder.",
                )
            self._file.truncate(end)
            self._write_header()

    def _check_own(self) -> None:
        """Refuse to cut off other images: where none count, at most one can be left over."""
        try:
            found = np.load(self.path, mmap_mode="r", allow_pickle=False).shape
        except (OSError, ValueError, EOFError):  # missing, or cut off at its first bytes
            found = (0, *self.shape)
        if found[1:] != self.shape or (self.rows == 0 and found[0] > 1):
            raise MimirError(
                "OUTPUT_IN_USE",
                f"'{self.path}' holds images that MIMIR cannot resume",
                "Choose another folder, or use --overwrite to start again.",
            )

    def append(self, image: np.ndarray) -> int:
        """Write an image to the disk, and return its row.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        assert image.shape == self.shape
        assert image.dtype == np.uint8
        with writing(self.path):
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

    def __exit__(self, *error: object) -> None:
        self._file.close()
