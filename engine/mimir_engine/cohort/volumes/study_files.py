"""Write the files of one study: first to a temporary folder, then all of them to their places."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Optional

import numpy as np

from mimir_engine.cohort.volumes.volume_layout import VolumeLayout
from mimir_engine.files.atomic import output_errors
from mimir_engine.fusion.volume_files.image_file import write_image
from mimir_engine.fusion.volume_files.sidecar import Sidecar, write_sidecar
from mimir_engine.study.volume import Volume, spacing_of


@dataclass(frozen=True)
class VoxelGrid:
    """The voxels of a volume without its images.

    Attributes:
        shape: Slices, rows, columns.
        affine: ``(4, 4)``, ``(column, row, slice, 1)`` to LPS millimetres.
    """

    shape: tuple[int, int, int]
    affine: np.ndarray

    @classmethod
    def of(cls, volume: Volume) -> VoxelGrid:
        """Return the voxels of a volume."""
        slices, rows, columns = volume.array.shape
        return cls((slices, rows, columns), volume.affine)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance of voxel centres along column, row and slice index."""
        return spacing_of(self.affine)

    @property
    def edges_mm(self) -> tuple[float, float]:
        """Patient z (LPS) of the lowest and the uppermost edge."""
        step = self.spacing_mm[2]
        lowest = float(self.affine[2, 3]) - step / 2
        return lowest, lowest + self.shape[0] * step


class StudyFiles:
    """The files of one study, in a temporary folder until `publish`.

    Args:
        scratch: An empty folder on the disk of the output folder.
        name: Name of the study.
        layout: Where its files will lie.

    Attributes:
        sizes: Bytes of each file by its path in the output folder.
    """

    def __init__(self, scratch: Path, name: str, layout: VolumeLayout) -> None:
        self.sizes: dict[str, int] = {}
        self._scratch, self._name, self._layout = scratch, name, layout
        self._grids: dict[Optional[int], VoxelGrid] = {}
        self._names: set[str] = set()

    @property
    def volumes(self) -> tuple[str, ...]:
        """Names of the volumes that were written, in the order of the layout."""
        return tuple(name for name in self._layout.wanted if name in self._names)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Names of the volumes that were not."""
        return tuple(name for name in self._layout.wanted if name not in self._names)

    @property
    def grids(self) -> tuple[VoxelGrid, ...]:
        """The voxels of the stitched volumes, or of each station from the head to the feet."""
        return tuple(self._grids[key] for key in sorted(self._grids, key=lambda key: key or 0))

    def write(self, name: str, volume: Volume, station: Optional[int] = None) -> None:
        """Write one volume.

        Args:
            name: One of ``VOLUMES``.
            volume: The images.
            station: Number of the station, from the head, beginning with 1; None if stitched.

        Raises:
            MimirError: ``EXTRA_MISSING``, ``OUTPUT_UNWRITABLE``.
        """
        self._write(self._layout.volume(self._name, name, station), volume)
        self._grids.setdefault(station, VoxelGrid.of(volume))
        self._names.add(name)

    def write_labels(self, labels: Volume) -> None:
        """Write the label map, uint8 or uint16; the errors are those of `write`."""
        self._write(self._layout.labels(self._name), labels)

    def publish(self, output: Path, sidecar: Sidecar) -> None:
        """Move all files to their places, and last what describes them.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        described = self._layout.sidecar(self._name)
        write_sidecar(self._scratch / described, sidecar)
        self._note(described)
        with output_errors(output):
            for path in self.sizes:
                (output / path).parent.mkdir(parents=True, exist_ok=True)
                os.replace(self._scratch / path, output / path)

    def _write(self, path: PurePosixPath, volume: Volume) -> None:
        write_image(self._scratch / path, volume)
        self._note(path)

    def _note(self, path: PurePosixPath) -> None:
        with output_errors(self._scratch / path):
            self.sizes[str(path)] = os.stat(self._scratch / path).st_size
