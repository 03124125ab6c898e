"""Options of the commands that also measure stitched volumes: one study, or a table of many."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from mimir_engine.cli import wrong_use

if TYPE_CHECKING:
    from mimir_engine.cohort.sources import NamedSource

#: Options that concern one study; they all need water and fat.
_ONE_STUDY = ("water", "fat", "in_phase", "opposed_phase", "name")


def add_volume_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that name stitched volumes instead of scans."""
    group = parser.add_argument_group(
        "stitched volumes instead of scans (.nii.gz, .nii or .nrrd; all contrasts on one grid)"
    )
    for contrast in ("water", "fat", "in-phase", "opposed-phase"):
        need = "volume" if contrast in ("water", "fat") else "volume, only to check the others"
        group.add_argument(
            f"--{contrast}", type=Path, metavar="FILE", help=f"{contrast} {need}, of one study"
        )
    group.add_argument("--name", help="name of this study (default: by the file of water)")
    group.add_argument(
        "--volumes",
        dest="volume_table",
        type=Path,
        metavar="TABLE",
        help="many studies: a table with the columns name, water and fat, and if you like in_phase,"
        " opposed_phase and labels; its paths begin at its own folder",
    )


def names_volumes(arguments: argparse.Namespace) -> bool:
    """Return whether the options name stitched volumes.

    Raises:
        MimirError: ``WRONG_USE`` if they are incomplete or contradict each other.
    """
    given = [option for option in _ONE_STUDY if getattr(arguments, option, None) is not None]
    table = getattr(arguments, "volume_table", None)
    if given and not {"water", "fat"}.issubset(given):
        raise wrong_use(arguments.command, "give both --water and --fat")
    if given and table:
        raise wrong_use(arguments.command, "give either --water and --fat, or --volumes")
    return bool(given or table)


def volume_sources(arguments: argparse.Namespace) -> list[NamedSource]:
    """Return the studies whose volumes the options name.

    Raises:
        MimirError: ``SOURCES_INVALID``, ``NO_STUDIES``, ``NAME_REPEATED``.
    """
    from mimir_engine.cohort.sources import NamedSource
    from mimir_engine.cohort.volume_list import read_volume_list
    from mimir_engine.errors import printable
    from mimir_engine.fusion.volume_pair import VolumePair, name_of_volumes

    if arguments.volume_table:
        return read_volume_list(arguments.volume_table)
    files = (arguments.water, arguments.fat, arguments.in_phase, arguments.opposed_phase)
    name = arguments.name or name_of_volumes(arguments.water)
    return [NamedSource(printable(name, "_"), VolumePair(*files))]


def volume_arguments(arguments: argparse.Namespace) -> set[Optional[str]]:
    """Return the texts of the command line that name a study's volumes or the study itself."""
    given = (getattr(arguments, option, None) for option in _ONE_STUDY)
    return {str(value) for value in given if value is not None}
