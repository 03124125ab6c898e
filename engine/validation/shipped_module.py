"""Check the shipped phantom module on phantoms that nothing has seen before.

All phantoms are projected directly. The first of them also go through DICOM archives and
`mimir infer`, and both results are compared. Metrics and figures of each way are written to a
folder of its own.

    python engine/validation/shipped_module.py --output DIR [--phantoms 200] [--archives 50]
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from commands import THREADS, mimir
from measured_cohort import measure_cohort

from mimir_engine.evaluation.evaluate import Evaluation, evaluate
from mimir_engine.evaluation.figures import draw_evaluation
from mimir_engine.evaluation.predictions import Predictions, tidy_predictions
from mimir_engine.evaluation.reference_table import tidy
from mimir_engine.evaluation.tables import write_metrics
from mimir_engine.files.markdown_table import markdown_table
from mimir_engine.files.table_reader import open_table
from mimir_engine.inference_module import InferenceModule, find_module

#: First phantom of those kept for evaluation, beyond those of training and calibration.
FIRST_SEED = 2_000_000
#: Metrics of the printed comparison: R², mean absolute error, coverage of 95 % intervals.
METRICS = ("r2", "mae", "picp")


def main() -> None:
    """Measure, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="folder of the results")
    parser.add_argument("--phantoms", type=int, default=200, help="number of phantoms")
    parser.add_argument("--archives", type=int, default=50, help="number of DICOM archives")
    arguments = parser.parse_args()
    output, module = arguments.output, find_module("phantom")
    first = ("phantom", "--population", 1, "--seed", FIRST_SEED)
    images, studies = output / "images", output / "studies"
    options = ("--projections", "--jobs", THREADS)
    mimir(*first, "--count", arguments.phantoms, "--output", images, *options)
    mimir(*first, "--count", arguments.archives, "--output", studies, "--light")
    mimir("infer", studies, "--modules", "phantom", "--output", output / "inferred")
    cache = output / f"predictions-{module.version}.npz"
    projected = measure_cohort([module.folder], images, cache).predictions
    inferred = read_inferred(output / "inferred" / "predictions.csv", projected)
    evaluations = {"projections": projected, "archives": inferred}
    found = [judge(output / name, predictions) for name, predictions in evaluations.items()]
    print(comparison(module, *found, inferred.mean - projected.mean[: len(inferred)]))


def read_inferred(path: Path, projected: Predictions) -> Predictions:
    """Read the results of the archives, with the references of the same phantoms."""
    with open_table(path) as table:
        inferred = tidy_predictions(tidy(table))
    count = len(inferred)
    if inferred.studies != projected.studies[:count]:
        raise SystemExit(f"{path} has other phantoms than the projections")
    return replace(inferred, names=projected.names, reference=projected.reference[:count])


def judge(folder: Path, predictions: Predictions) -> Evaluation:
    """Write metrics and figures of predictions."""
    evaluation = evaluate(predictions)
    write_metrics(folder, evaluation)
    draw_evaluation(folder / "figures", predictions, evaluation)
    return evaluation


def comparison(
    module: InferenceModule, projected: Evaluation, inferred: Evaluation, difference: np.ndarray
) -> str:
    """Format one row per target: both evaluations, and the mean difference of the two ways."""
    sd = np.array([target.sd / target.divisor for target in module.targets])
    apart = np.abs(difference).mean(axis=0) / sd
    rows = [
        [name]
        + [f"{e.value(name, metric):.3f}" for e in (projected, inferred) for metric in METRICS]
        + [f"{apart[place]:.3f}"]
        for place, name in enumerate(projected.names)
    ]
    counts = projected.studies, inferred.studies
    heads = [f"{metric} ({count})" for count in counts for metric in METRICS]
    return markdown_table(("target", *heads, "difference, SD"), rows, 1)


if __name__ == "__main__":
    main()
