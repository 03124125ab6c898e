"""Remove the volumes of studies from an output folder."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from mimir_engine.cohort.volumes.volume_layout import VolumeLayout
from mimir_engine.cohort.volumes.volume_names import NNUNET
from mimir_engine.files.atomic import output_errors


def remove_volumes(output: Path, layout: VolumeLayout, names: Iterable[str]) -> None:
    """Remove what a run wrote for studies; other files in their folders stay.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    for name in names:
        files = layout.files_of(output, name)
        for path in files:
            with output_errors(path):
                path.unlink(missing_ok=True)
        if files and layout.arrangement != NNUNET:
            with suppress(OSError):  # something else is in it
                files[0].parent.rmdir()
