"""``mimir demo``: the whole way once, on a synthetic body whose measures are known."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from mimir_engine.errors import MimirError

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
    from mimir_engine.cli.infer import tell
    from mimir_engine.cohort.infer import InferOptions, infer
    from mimir_engine.cohort.sources import NamedSource
    from mimir_engine.inference_module import find_module
    from mimir_engine.phantom.dicom_study import study_name, write_study
    from mimir_engine.report.csv_files import write_cohort
    from mimir_engine.report.table import truth_table

    module = find_module("phantom")
    name = study_name(arguments.seed)
    path = arguments.output / "study" / f"{name}.zip"
    print(f"Making the synthetic study {path} ...", file=sys.stderr)
    path.parent.mkdir(parents=True, exist_ok=True)
    truth = write_study(path, arguments.seed)
    options = InferOptions(overwrite=True)
    cohort = infer([NamedSource(name, path)], [module], arguments.output, options, tell)
    write_cohort(arguments.output, cohort, ["mimir", *arguments.argv])
    for failure in cohort.failures:
        raise MimirError(failure.code, failure.reason.rstrip("."))
    result = cohort.results[0]
    print(truth_table(result.measurements, truth, module.column_prefix))
    print(f"\n{module.title}. {module.description}")
    picture = _draw(arguments.output, path, module, result, truth)
    print(f"\nWritten to {arguments.output}/: predictions.csv, failures.csv, run.json{picture}")
    return 0


def _draw(output: Path, path: Path, module: Any, result: Any, truth: dict[str, float]) -> str:
    """Draw the picture, if it can be drawn; how it is called in the closing line."""
    from mimir_engine.pipeline import prepare

    try:
        from mimir_engine.report.figure import draw_study
    except ImportError:
        print("No picture: pip install 'mimir-engine[figures]' draws it.", file=sys.stderr)
        return ""
    picture = output / f"{result.name}.png"
    draw_study(picture, prepare(path).projection, result, module, truth)
    return f", {picture.name}"
