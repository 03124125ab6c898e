"""``mimir project``: make the images that the networks see."""

from __future__ import annotations

import argparse
from pathlib import Path

from mimir_engine.cli import DONE, SOME_FAILED, say, wrong_use
from mimir_engine.cli._choice_options import add_choice_options, person_rule, study_choice
from mimir_engine.cli._progress import shown_events
from mimir_engine.cli._study_options import (
    add_repair_option,
    add_shard_option,
    add_site_option,
    add_study_options,
    check_study_options,
    chosen_studies,
    read_options,
    reader_limits,
)
from mimir_engine.cohort.events import Listener
from mimir_engine.cohort.shards.shard import WHOLE
from mimir_engine.files.leftovers import sweep_leftovers


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_study_options(parser)
    add_shard_option(parser)
    add_repair_option(parser)
    add_choice_options(parser, splits_persons=False)
    add_site_option(parser)
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
    if not arguments.dataset:
        return _project_one(arguments)
    with shown_events() as listener:
        return _project_many(arguments, listener)


def _project_many(arguments: argparse.Namespace, listener: Listener) -> int:
    from mimir_engine.cohort.image_dataset import project_studies

    if arguments.volumes:
        raise wrong_use("project", "--volumes requires --output")
    check_study_options(arguments)
    sources, folder = chosen_studies(arguments, listener), arguments.dataset
    done, failed = project_studies(
        sources,
        folder,
        listener,
        arguments.jobs,
        arguments.overwrite,
        read_options(arguments),
        reader_limits(arguments),
        study_choice(arguments),
        person_rule(arguments),
        arguments.shard,
    )
    listener({"event": "finished", "done": done, "failed": failed, "output": str(folder)})
    return SOME_FAILED if failed else DONE


def _project_one(arguments: argparse.Namespace) -> int:
    if len(arguments.source) != 1 or arguments.sources:
        raise wrong_use("project", "--output takes one study; use --dataset for many")
    if arguments.shard != WHOLE:
        raise wrong_use("project", "--shard requires --dataset")
    if arguments.exclude or arguments.only:
        raise wrong_use("project", "--exclude and --only require --dataset")
    if not arguments.output.name:
        raise wrong_use("project", "--output must name a file")
    check_study_options(arguments)

    from mimir_engine.cohort.anonymous_names import anonymous_sources
    from mimir_engine.cohort.reader_calls import FUNCTIONS, write_projection_in_reader
    from mimir_engine.cohort.sources import NamedSource
    from mimir_engine.errors import error_of
    from mimir_engine.readers.readers import Readers
    from mimir_engine.study import source_name

    (path,) = arguments.source
    source = NamedSource(source_name(path), Path(path))
    if arguments.anonymous_names:
        (source,) = anonymous_sources([source], arguments.key)
    reading = read_options(arguments)
    for folder in filter(None, (arguments.output.parent, arguments.volumes)):
        sweep_leftovers(folder)
    try:
        with Readers(FUNCTIONS, reader_limits(arguments)) as readers:
            findings = write_projection_in_reader(
                readers, source, reading, arguments.output, arguments.volumes
            )
    except Exception as error:
        known = error_of(error)
        if known.code == "OUTPUT_UNWRITABLE":
            raise
        say(f"{known.code}: {source.name}: {source.shown(known.reason)}")
        return SOME_FAILED
    for finding in findings:
        say(f"{finding.code}: {source.name}: {finding.sentence}.")
    return DONE
