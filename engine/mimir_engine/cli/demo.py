"""``mimir demo``: the whole way once, on a synthetic body whose measures are known."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mimir_engine.cli import DONE, SOME_FAILED, say
from mimir_engine.errors import MimirError

if TYPE_CHECKING:
    from mimir_engine.cohort.outcome import StudyResult
    from mimir_engine.inference_module.format import InferenceModule

#: Phantom of the demonstration: no training or calibration has seen it.
DEMO_SEED = 3_000_000


def add_parser(subparsers: Any) -> None:
    """Describe the command line."""
    parser = subparsers.add_parser(
        "demo", help="make a synthetic study, measure it, and compare with the truth"
    )
    parser.add_argument("--output", type=Path, default=Path("mimir-demo"), metavar="DIR")
    parser.add_argument("--seed", type=int, default=DEMO_SEED, help="which phantom")


def run(arguments: argparse.Namespace) -> int:
    """Make, measure, compare, draw."""
    from mimir_engine.files.optional_packages import require

    if arguments.seed < 0:
        raise MimirError("WRONG_USE", "--seed starts at 0", "Leave it out.")
    require("network")

    from mimir_engine.cli._progress import tell
    from mimir_engine.cohort.measure_studies import InferOptions, infer
    from mimir_engine.cohort.result_files import write_cohort
    from mimir_engine.cohort.sources import NamedSource
    from mimir_engine.demo.truth_table import truth_table
    from mimir_engine.files.atomic import output_errors
    from mimir_engine.inference_module import find_module
    from mimir_engine.phantom.dicom_study import study_name, write_study

    output, name = arguments.output, study_name(arguments.seed)
    module = find_module("phantom")
    path = output / "study" / f"{name}.zip"
    _check_folder(output)
    say(f"Making the synthetic study {path} ...")
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        truth = write_study(path, arguments.seed)
    options = InferOptions(overwrite=True)
    cohort = infer([NamedSource(name, path)], [module], output, options, tell)
    write_cohort(output, cohort, ["mimir", *arguments.argv])
    result = next((result for result in cohort.results if result.name == name), None)
    if result is None:
        return SOME_FAILED
    print(f"\n{truth_table(result.measurements, truth)}")
    print(f"\n{module.title}. {module.description}")
    files = [
        "predictions.csv",
        "failures.csv",
        "run.json",
        *_draw(output, path, module, result, truth),
    ]
    print(f"\nWritten to {output}: {', '.join(files)}")
    return DONE


def _check_folder(output: Path) -> None:
    """Results are written over if they are an earlier demonstration's.

    Raises:
        MimirError: ``OUTPUT_IN_USE``.
    """
    from mimir_engine.cohort.ledger import LEDGER_FILE, RESULT_FILES

    is_demonstration = any((output / "study").glob("*.truth.json"))
    if not is_demonstration and any((output / f).exists() for f in (LEDGER_FILE, *RESULT_FILES)):
        raise MimirError(
            "OUTPUT_IN_USE",
            f"'{output}' holds results that are no demonstration's",
            "Choose another folder by --output.",
        )


def _draw(
    output: Path,
    study: Path,
    module: InferenceModule,
    result: StudyResult,
    truth: dict[str, float],
) -> list[str]:
    """Draw the picture, if it can be drawn; its name."""
    from mimir_engine.files.optional_packages import is_installed
    from mimir_engine.measuring.one_study import prepare

    if not is_installed("figures"):
        say("No picture: pip install 'mimir-engine[figures]' draws it.")
        return []
    from mimir_engine.demo.study_figure import draw_study

    picture = f"{result.name}.png"
    draw_study(output / picture, prepare(study).projection, result, module, truth)
    return [picture]
