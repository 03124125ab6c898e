"""``mimir project``: one study to the image that the networks see."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from mimir_engine.errors import MimirError


def add_parser(subparsers: Any) -> None:
    """Describe the command line."""
    parser = subparsers.add_parser(
        "project", help="make the 3 x 256 x 256 image of one study, and its fused volumes"
    )
    parser.add_argument("source", help="zip archive or folder of one study")
    parser.add_argument("--output", required=True, type=Path, help="image to write (.npy)")
    parser.add_argument(
        "--volumes", type=Path, metavar="DIR", help="write the fused water and fat here (.nrrd)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Project one study."""
    from mimir_engine.pipeline import read_and_fuse
    from mimir_engine.projection import project
    from mimir_engine.study import name_of

    try:
        study, fused = read_and_fuse(arguments.source)
        image = project(fused).image
    except MimirError as error:
        print(f"{error.code}: {name_of(arguments.source)}: {error.reason}", file=sys.stderr)
        return 1
    for finding in study.findings:
        print(f"{finding.code}: {study.name}: {finding.sentence}.", file=sys.stderr)
    _save(arguments.output, image)
    if arguments.volumes:
        from mimir_engine.report.nrrd_files import write_volumes

        write_volumes(arguments.volumes, study.name, fused)
    return 0


def _save(path: Path, image: np.ndarray) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            np.save(file, image)
    except OSError as error:
        raise MimirError(
            "OUTPUT_UNWRITABLE", f"'{path}' cannot be written ({error.strerror})", "Make room."
        ) from error
