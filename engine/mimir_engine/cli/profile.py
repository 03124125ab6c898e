"""``mimir profile``: describe your own usual scans, so that later ones are compared with them."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from mimir_engine.cli import DONE, SOME_FAILED, say, show, wrong_use
from mimir_engine.cli._choice_options import (
    add_choice_options,
    person_rule,
    say_all,
    study_choice,
)
from mimir_engine.cli._measuring import add_runtime_option
from mimir_engine.cli._progress import shown_events
from mimir_engine.cli._progress_bar import counted
from mimir_engine.cli._study_options import (
    add_repair_option,
    add_study_options,
    check_study_options,
    chosen_studies,
    read_options,
    reader_limits,
)
from mimir_engine.errors import MimirError


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_study_options(parser)
    add_repair_option(parser)
    parser.add_argument(
        "--module", required=True, metavar="NAME_OR_DIR", help="inference module to be used"
    )
    parser.add_argument(
        "--dataset",
        type=Path,
        metavar="DIR",
        help="folder of `mimir project --dataset` that the scans are added to; without sources, its"
        " scans are used (default: images are not kept)",
    )
    parser.add_argument(
        "--output", required=True, type=Path, metavar="FILE", help="scan profile (.safetensors)"
    )
    add_runtime_option(parser)
    add_choice_options(parser, splits_persons=False)


def run(arguments: argparse.Namespace) -> int:
    """Make the images of the scans, then describe them."""
    has_sources = bool(arguments.source or arguments.sources)
    if has_sources or arguments.dataset is None:
        check_study_options(arguments)
    if not arguments.output.name:
        raise wrong_use("profile", "--output must name a file")
    from mimir_engine.cohort.image_dataset import project_studies
    from mimir_engine.files.leftovers import temporary_folder
    from mimir_engine.inference_module import find_module
    from mimir_engine.inference_module.profile_file import write_profile
    from mimir_engine.measuring.network import Predictor
    from mimir_engine.measuring.runtime import choose_runtime
    from mimir_engine.training.dataset import load_images
    from mimir_engine.training.usual_scans import make_profile

    choose_runtime(arguments.runtime)  # what it lacks is told before any work
    predictor = Predictor(find_module(arguments.module), runtime=arguments.runtime)
    failed = 0
    choice, persons = study_choice(arguments), person_rule(arguments)
    with ExitStack() as stack:
        folder = arguments.dataset or stack.enter_context(
            temporary_folder(arguments.output.absolute().parent)
        )
        if has_sources:
            reading, limits = read_options(arguments), reader_limits(arguments)
            with shown_events() as listener:
                _, failed = project_studies(
                    *(chosen_studies(arguments, listener), folder, listener, arguments.jobs),
                    reading=reading,
                    limits=limits,
                    choice=choice,
                    persons=persons,
                )
        images = load_images(folder)
        studies = persons.assign(images.studies, required=False)[0]
        if not has_sources:
            chosen = choice.apply([study.ids for study in studies])
            say_all(chosen.sentences)
            used = chosen.used([study.ids for study in studies])
            images, studies = images.subset(used), tuple(s for s, u in zip(studies, used) if u)
        images = replace(images, studies=studies)
        with counted("image") as progress:
            made = make_profile(*(predictor, images, folder), is_own=True, progress=progress)
    if made.profile is None:
        raise MimirError("PROFILE_TOO_SMALL", made.notice, "Add scans.")
    write_profile(arguments.output, made.profile)
    if made.notice:
        say(f"{made.notice}.")
    show(f"{made.profile.reference} described in {arguments.output}; {made.profile.promise}")
    return SOME_FAILED if failed else DONE
