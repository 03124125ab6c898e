"""``mimir project``: studies to the images that the networks see."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mimir_engine.cli import DONE, SOME_FAILED, say
from mimir_engine.errors import MimirError


def add_parser(subparsers: Any) -> None:
    """Describe the command line."""
    parser = subparsers.add_parser(
        "project",
        help="make the 3 x 256 x 256 image of one study, or a data set of many",
    )
    parser.add_argument("source", nargs="*", help="zip archive or folder of a study; or of many")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--output", type=Path, metavar="FILE", help="image of one study (.npy)")
    place.add_argument(
        "--dataset",
        type=Path,
        metavar="DIR",
        help="folder of the images of many studies; more can be added, a stopped run goes on there",
    )
    parser.add_argument(
        "--volumes", type=Path, metavar="DIR", help="write the fused water and fat here (.nrrd)"
    )
    parser.add_argument(
        "--sources",
        metavar="FILE",
        help="of a data set, as JSON lines {name, path}, {name, files} or {name, fused}",
    )
    parser.add_argument(
        "--jobs", type=int, default=2, help="studies read at once, some 400 MB each (default: 2)"
    )
    parser.add_argument("--overwrite", action="store_true", help="start the data set anew")


def run(arguments: argparse.Namespace) -> int:
    """Project one study, or all of a data set."""
    return _project_many(arguments) if arguments.dataset else _project_one(arguments)


def _project_many(arguments: argparse.Namespace) -> int:
    from mimir_engine.cli._progress import tell
    from mimir_engine.cli._study_list import read_source_list
    from mimir_engine.cohort.image_dataset import project_studies
    from mimir_engine.cohort.sources import named_sources

    if arguments.volumes:
        raise _wrong_use("--volumes goes with --output")
    if bool(arguments.source) == bool(arguments.sources):
        raise _wrong_use("give either SOURCE or --sources")
    if arguments.jobs < 1:
        raise _wrong_use(f"--jobs {arguments.jobs} reads nothing")
    if arguments.source:
        sources = named_sources(arguments.source)
    else:
        sources = read_source_list(arguments.sources)

    def listener(event: Mapping[str, Any]) -> None:
        if event["event"] == "run":
            say(f"{event['studies']} studies, {event['already_done']} of them done before")
        else:
            tell(event)

    folder = arguments.dataset
    projected = project_studies(sources, folder, listener, arguments.jobs, arguments.overwrite)
    done, failed = projected.done, projected.failed
    tell({"event": "finished", "done": done, "failed": failed, "output": str(folder)})
    return SOME_FAILED if failed else DONE


def _project_one(arguments: argparse.Namespace) -> int:
    from mimir_engine.files.optional_packages import require

    if len(arguments.source) != 1 or arguments.sources:
        raise _wrong_use("--output takes one study; --dataset takes many")
    if arguments.volumes:
        require("volumes")

    import numpy as np

    from mimir_engine.cohort.outcome import failure_of
    from mimir_engine.files.atomic import atomic_file
    from mimir_engine.fusion.nrrd import write_nrrd
    from mimir_engine.measuring.one_study import read_and_fuse
    from mimir_engine.projection.project import project
    from mimir_engine.study import source_name

    source = arguments.source[0]
    name = source_name(source)
    try:
        study, fused = read_and_fuse(source)
        image = project(fused).image
    except Exception as error:
        failure = failure_of(name, error)
        say(f"{failure.code}: {name}: {failure.reason}")
        return SOME_FAILED
    for finding in study.findings:
        say(f"{finding.code}: {study.name}: {finding.sentence}.")
    with atomic_file(arguments.output) as file:
        np.save(file, image)
    if arguments.volumes:
        write_nrrd(arguments.volumes, study.name, fused)
    return DONE


def _wrong_use(what: str) -> MimirError:
    return MimirError("WRONG_USE", what, "Try 'mimir project --help'.")
