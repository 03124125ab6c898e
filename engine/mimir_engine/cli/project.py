"""``mimir project``: make the images that the networks see."""

from __future__ import annotations

import argparse
from pathlib import Path

from mimir_engine.cli import DONE, SOME_FAILED, say, wrong_use
from mimir_engine.cli._progress import print_event
from mimir_engine.cli._study_options import add_study_options, check_study_options, chosen_studies
from mimir_engine.files.optional_packages import require


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_study_options(parser)
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument(
        "--output", type=Path, metavar="FILE", help="write the image of one study (.npy)"
    )
    place.add_argument(
        "--dataset",
        type=Path,
        metavar="DIR",
        help="folder for the images of many studies; a stopped run is resumed there, and studies"
        " can be added",
    )
    parser.add_argument(
        "--volumes",
        type=Path,
        metavar="DIR",
        help="with --output: also write fused water and fat (.nrrd)",
    )
    parser.add_argument("--overwrite", action="store_true", help="discard earlier images in DIR")


def run(arguments: argparse.Namespace) -> int:
    """Project one study, or all of a data set."""
    return _project_many(arguments) if arguments.dataset else _project_one(arguments)


def _project_many(arguments: argparse.Namespace) -> int:
    from mimir_engine.cohort.image_dataset import project_studies

    if arguments.volumes:
        raise wrong_use("project", "--volumes requires --output")
    check_study_options(arguments)
    sources, folder = chosen_studies(arguments), arguments.dataset
    jobs, overwrite = arguments.jobs, arguments.overwrite
    done, failed = project_studies(
        sources, folder, print_event, jobs, overwrite, arguments.reconstruction
    )
    print_event({"event": "finished", "done": done, "failed": failed, "output": str(folder)})
    return SOME_FAILED if failed else DONE


def _project_one(arguments: argparse.Namespace) -> int:
    if len(arguments.source) != 1 or arguments.sources:
        raise wrong_use("project", "--output takes one study; use --dataset for many")
    if not arguments.output.name:
        raise wrong_use("project", "--output must name a file")
    if arguments.volumes:
        require("volumes")

    from mimir_engine.cohort.anonymous_names import anonymous_sources
    from mimir_engine.cohort.sources import NamedSource
    from mimir_engine.cohort.study_failure import failure_of
    from mimir_engine.fusion.fused_folder import write_array
    from mimir_engine.fusion.nrrd import write_nrrd
    from mimir_engine.measuring.one_study import read_and_fuse
    from mimir_engine.projection.project import project
    from mimir_engine.study import source_name

    (path,) = arguments.source
    source = NamedSource(source_name(path), Path(path))
    if arguments.anonymous_names:
        (source,) = anonymous_sources([source], arguments.key)
    try:
        study, fused = read_and_fuse(source.source, source.name, arguments.reconstruction)
        image = project(fused).image
    except Exception as error:
        failure = failure_of(source.name, error)
        say(f"{failure.code}: {source.name}: {source.shown(failure.reason)}")
        return SOME_FAILED
    for finding in study.findings:
        say(f"{finding.code}: {study.name}: {finding.sentence}.")
    write_array(arguments.output, image)
    if arguments.volumes:
        write_nrrd(arguments.volumes, study.name, fused)
    return DONE
