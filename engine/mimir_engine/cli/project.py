"""``mimir project``: one study to the image that the networks see."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mimir_engine.cli import DONE, SOME_FAILED, say


def add_parser(subparsers: Any) -> None:
    """Describe the command line."""
    parser = subparsers.add_parser(
        "project", help="make the 3 x 256 x 256 image of one study, and its fused volumes"
    )
    parser.add_argument("source", help="zip archive or folder of one study")
    parser.add_argument(
        "--output", required=True, type=Path, metavar="FILE", help="image to write (.npy)"
    )
    parser.add_argument(
        "--volumes", type=Path, metavar="DIR", help="write the fused water and fat here (.nrrd)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Project one study."""
    from mimir_engine.extras import require

    if arguments.volumes:
        require("volumes")

    import numpy as np

    from mimir_engine.cohort.outcome import failure_of
    from mimir_engine.pipeline import read_and_fuse
    from mimir_engine.projection import project
    from mimir_engine.report.nrrd_files import write_volumes
    from mimir_engine.study import name_of
    from mimir_engine.whole_files import whole_file

    name = name_of(arguments.source)
    try:
        study, fused = read_and_fuse(arguments.source)
        image = project(fused).image
    except Exception as error:
        failure = failure_of(name, error)
        say(f"{failure.code}: {name}: {failure.reason}")
        return SOME_FAILED
    for finding in study.findings:
        say(f"{finding.code}: {study.name}: {finding.sentence}.")
    with whole_file(arguments.output) as file:
        np.save(file, image)
    if arguments.volumes:
        write_volumes(arguments.volumes, study.name, fused)
    return DONE
