"""``mimir demo``: measure a synthetic study and compare with the truth."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mimir_engine.cli import DONE, SOME_FAILED, say, show
from mimir_engine.cli._measuring import add_runtime_option
from mimir_engine.cli._number_options import seed_number
from mimir_engine.cli._progress import print_event
from mimir_engine.errors import MimirError
from mimir_engine.files.optional_packages import require

if TYPE_CHECKING:
    from mimir_engine.inference_module.format import InferenceModule
    from mimir_engine.measuring.study_result import StudyResult

#: Phantom of the demonstration, outside the seeds of training and calibration.
DEMO_SEED = 3_000_000


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("mimir-demo"),
        metavar="DIR",
        help="output folder (default: mimir-demo)",
    )
    parser.add_argument(
        "--seed",
        type=seed_number,
        default=DEMO_SEED,
        help=f"seed of the phantom (default: {DEMO_SEED})",
    )
    add_runtime_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Make a study, measure it, compare it with the truth and draw it."""
    from mimir_engine.cohort.measure_studies import InferOptions, infer
    from mimir_engine.cohort.result_files import write_cohort
    from mimir_engine.cohort.sources import NamedSource
    from mimir_engine.demo.truth_table import truth_table
    from mimir_engine.files.folder_lock import folder_lock
    from mimir_engine.inference_module import find_module, module_folders
    from mimir_engine.inference_module.folder import same_name_elsewhere
    from mimir_engine.measuring.runtime import choose_runtime
    from mimir_engine.phantom.dicom_study import study_name, write_study

    choose_runtime(arguments.runtime)  # what it lacks is told before any work
    output, name = arguments.output, study_name(arguments.seed)
    first = next((folder for folder in module_folders() if folder.name == "phantom"), "phantom")
    module = find_module(first)
    path = output / "study" / f"{name}.zip"
    _check_folder(output)
    for other in same_name_elsewhere(module):
        say(f"Using {module.folder}; a different module of this name is in {other}.")
    say(f"Making the synthetic study {path} ...")
    with folder_lock(path.parent):  # the run's own lock holds the folder above
        truth = write_study(path, arguments.seed)
        options = InferOptions(overwrite=True, runtime=arguments.runtime)
        cohort = infer([NamedSource(name, path)], [module], output, options, print_event)
        write_cohort(output, cohort, ["mimir", "demo"])
        result = next(cohort.results, None)
        if result is None:
            return SOME_FAILED
        show("", *truth_table(result.measurements, truth).split("\n"))
        show("", f"{module.title}. {module.description}")
        pictures = _draw(output, path, module, result, truth)
        files = ", ".join(["predictions.csv", "failures.csv", "run.json", *pictures])
        show("", f"Written to {output}: {files}")
        return DONE


def _check_folder(output: Path) -> None:
    """Refuse to overwrite results, other than those of an earlier demonstration."""
    from mimir_engine.cohort.ledger import RESULT_FILES
    from mimir_engine.cohort.outcomes import LEDGER_FILE

    is_demonstration = any((output / "study").glob("*.truth.json"))
    if not is_demonstration and any((output / f).exists() for f in (LEDGER_FILE, *RESULT_FILES)):
        raise MimirError(
            "OUTPUT_IN_USE",
            f"'{output}' holds results of other studies",
            "Choose another folder with --output.",
        )


def _draw(
    output: Path, study: Path, module: InferenceModule, result: StudyResult, truth: dict[str, float]
) -> list[str]:
    """Draw the picture if matplotlib is installed, and return its name."""
    try:
        require("figures")
    except MimirError as error:
        say(f"No picture: {error.reason}")
        return []
    from mimir_engine.demo.study_figure import draw_study
    from mimir_engine.measuring.one_study import prepare

    picture = f"{result.name}.png"
    draw_study(output / picture, prepare(study).projection, result, module, truth)
    return [picture]
