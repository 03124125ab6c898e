"""``mimir fuse``: write stitched volumes of studies."""

from __future__ import annotations

import argparse
from pathlib import Path

from mimir_engine.cli import DONE, SOME_FAILED, wrong_use
from mimir_engine.cli._choice_options import add_choice_options, person_rule, study_choice
from mimir_engine.cli._cluster_options import add_cluster_options, chosen_cluster
from mimir_engine.cli._measuring import with_listener
from mimir_engine.cli._name_lists import names_in
from mimir_engine.cli._study_options import (
    add_output_option,
    add_repair_option,
    add_shard_option,
    add_study_options,
    check_study_options,
    chosen_studies,
    read_options,
    reader_limits,
    shown_command,
)
from mimir_engine.cohort.events import Listener, engine_event
from mimir_engine.cohort.volumes.arrangements import (
    CHANNELS,
    FORMATS,
    LAYOUTS,
    NIFTI,
    NNUNET,
    PLAIN,
)
from mimir_engine.measuring.volume_names import VOLUMES


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_study_options(parser)
    add_shard_option(parser)
    add_repair_option(parser)
    add_choice_options(parser, splits_persons=False)
    add_cluster_options(parser)
    add_output_option(parser)
    parser.add_argument(
        "--contrasts",
        default="",
        metavar="NAME[,...]",
        help=f"volumes to write: {', '.join(VOLUMES)} (default: all there are; with --layout"
        f" {NNUNET}, whose channels have this order: {','.join(CHANNELS)})",
    )
    parser.add_argument(
        "--format", choices=FORMATS, default=NIFTI, help="format of the files (default: nifti)"
    )
    parser.add_argument(
        "--layout",
        choices=LAYOUTS,
        default=PLAIN,
        help="plain: one folder per study; nnunet: images as nnU-Net reads them; stations: each"
        " station on its own, unstitched (default: plain)",
    )
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="FILE_OR_DIR",
        help="with --layout nnunet: label map of the study, or a folder with one for each study,"
        " named after it, on the voxels of the stitched volumes; makes a data set that nnU-Net can"
        " be trained with",
    )
    parser.add_argument(
        "--identifiers",
        action="store_true",
        help="describe each study with the month of the scan and its UIDs, which are left out"
        " otherwise",
    )
    parser.add_argument("--overwrite", action="store_true", help="discard earlier volumes in DIR")
    parser.add_argument(
        "--events", action="store_true", help="print progress as JSON lines on standard output"
    )


def run(arguments: argparse.Namespace) -> int:
    """Stitch all studies, and write the table of their volumes."""
    return with_listener(arguments, _fuse)


def _fuse(arguments: argparse.Namespace, listener: Listener) -> int:
    listener(engine_event())
    check_study_options(arguments)
    if arguments.labels and arguments.layout != NNUNET:
        raise wrong_use("fuse", f"--labels requires --layout {NNUNET}")
    if arguments.identifiers and arguments.anonymous_names:
        raise wrong_use("fuse", "--identifiers and --anonymous-names contradict each other")

    from mimir_engine.cohort.volumes.fuse_studies import FuseOptions, fuse_studies
    from mimir_engine.cohort.volumes.volume_layout import VolumeLayout

    names = tuple(names_in(arguments.contrasts))
    try:
        layout = VolumeLayout(arguments.layout, arguments.format, names, bool(arguments.labels))
    except ValueError as error:
        raise wrong_use("fuse", f"--contrasts {arguments.contrasts}: {error}") from error
    layout.require_packages()
    options = FuseOptions(
        layout,
        arguments.identifiers,
        arguments.jobs,
        arguments.overwrite,
        read_options(arguments),
        reader_limits(arguments),
        study_choice(arguments),
        person_rule(arguments),
        arguments.shard,
    )
    cluster = chosen_cluster(arguments)
    studies = chosen_studies(arguments, listener)
    output, command = arguments.output, shown_command(arguments)
    done, failed = fuse_studies(studies, output, options, listener, command, cluster)
    listener({"event": "finished", "done": done, "failed": failed, "output": str(output)})
    return SOME_FAILED if failed else DONE
