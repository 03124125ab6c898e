"""Remove the volumes of studies from an output folder."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from mimir_engine.cohort.outcomes import read_outcomes
from mimir_engine.cohort.volumes.arrangements import NNUNET
from mimir_engine.cohort.volumes.volume_layout import VolumeLayout, layout_of_run
from mimir_engine.errors import MimirError
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


def remove_earlier_volumes(output: Path) -> None:
    """Remove the volumes that the run of an output folder wrote, if it wrote any.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    try:
        outcomes = read_outcomes(output)
        layout = layout_of_run(outcomes.run)
    except MimirError:  # nothing of ours, or damaged
        return
    if layout:
        names = {*outcomes.names(), *outcomes.excluded, *outcomes.begun()}
        remove_volumes(output, layout, sorted(names))
