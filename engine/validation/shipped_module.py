"""How good the shipped phantom module is on phantoms that nothing has seen before.

Some phantoms go the whole way (DICOM archive, ``infer``, ``predictions.csv``), the others are
projected directly. Prints, and writes as CSV and picture, per measurement: R², mean absolute error
and the share of 95 % intervals that hold the truth; and how far the two ways are apart.

    python engine/validation/shipped_module.py --output DIR [--direct 150] [--archives 50]
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mimir_engine.cohort.measure_studies import InferOptions, infer
from mimir_engine.cohort.result_files import write_cohort
from mimir_engine.cohort.sources import NamedSource
from mimir_engine.inference_module import InferenceModule, find_module
from mimir_engine.measuring.measurement import measure
from mimir_engine.measuring.network import Predictor
from mimir_engine.phantom.anatomy import build_body
from mimir_engine.phantom.dicom_study import study_name, write_study
from mimir_engine.phantom.population import draw_person
from mimir_engine.phantom.render_projection import render_projection

#: First phantom of those kept for evaluation; neither training nor calibration goes this far.
FIRST_SEED = 2_000_000


@dataclass(frozen=True)
class Estimates:
    """Of some phantoms: truth, estimate and bounds, each ``(phantoms, targets)``."""

    truth: np.ndarray
    value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


def main() -> None:
    """Measure, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--direct", type=int, default=150)
    parser.add_argument("--archives", type=int, default=50)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    module = find_module("phantom")
    middle = FIRST_SEED + arguments.archives
    by_archive = from_archives(module, range(FIRST_SEED, middle), arguments.output)
    twins = directly(module, range(FIRST_SEED, middle))
    direct = directly(module, range(middle, middle + arguments.direct))
    everything = Estimates(
        *(
            np.concatenate([getattr(e, part) for e in (by_archive, direct)])
            for part in ("truth", "value", "lower", "upper")
        )
    )
    rows = table(module, everything, by_archive, twins)
    write_table(arguments.output / "phantom_module.csv", rows)
    draw(arguments.output / "phantom_module.png", module, everything)


def from_archives(module: InferenceModule, seeds: range, folder: Path) -> Estimates:
    """The whole way: archives are written, inferred and thrown away."""
    sources = []
    for seed in seeds:
        path = folder / "studies" / f"{study_name(seed)}.zip"
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            write_study(path, seed, contrasts=("water", "fat"))
        sources.append(NamedSource(study_name(seed), path))
    cohort = infer(sources, [module], folder / "inferred", InferOptions(), lambda event: None)
    write_cohort(folder / "inferred", cohort, sys.argv)
    if cohort.failures:
        raise SystemExit(f"failed: {cohort.failures}")
    order = {source.name: index for index, source in enumerate(sources)}
    results = sorted(cohort.results, key=lambda result: order[result.name])
    return _estimates(seeds, module, [result.measurements for result in results])


def directly(module: InferenceModule, seeds: range) -> Estimates:
    """Without DICOM: the phantom's projection straight to the network."""
    images = np.stack([render_projection(seed) for seed in seeds])
    prediction = Predictor(module).predict(images)
    measured = [
        measure(module, mean, variance)
        for mean, variance in zip(prediction.mean, prediction.variance)
    ]
    return _estimates(seeds, module, measured)


def _estimates(seeds: range, module: InferenceModule, measured: list) -> Estimates:
    truths = [build_body(draw_person(seed)).truth() for seed in seeds]
    return Estimates(
        np.array([[truth[target.name] for target in module.targets] for truth in truths]),
        *(
            np.array([[getattr(m, part) for m in study] for study in measured])
            for part in ("value", "lower", "upper")
        ),
    )


def r_squared(e: Estimates) -> np.ndarray:
    """Share of the truth's variance explained."""
    residual = ((e.truth - e.value) ** 2).sum(axis=0)
    return 1 - residual / ((e.truth - e.truth.mean(axis=0)) ** 2).sum(axis=0)


def coverage(e: Estimates) -> np.ndarray:
    """Share of the intervals that hold the truth."""
    return ((e.lower <= e.truth) & (e.truth <= e.upper)).mean(axis=0)


def table(
    module: InferenceModule, everything: Estimates, by_archive: Estimates, twins: Estimates
) -> list[dict[str, str]]:
    """A row a measurement."""
    error = np.abs(everything.truth - everything.value).mean(axis=0)
    width = (everything.upper - everything.lower).mean(axis=0)
    sd = np.array([target.sd / target.divisor for target in module.targets])
    apart = np.abs(by_archive.value - twins.value).mean(axis=0) / sd
    columns = zip(
        module.targets,
        r_squared(everything),
        r_squared(by_archive),
        error,
        width,
        coverage(everything),
        coverage(by_archive),
        apart,
    )
    return [
        {
            "measurement": target.name,
            "unit": target.unit,
            "phantoms": str(len(everything.truth)),
            "r2": f"{r2:.3f}",
            "r2_archives": f"{r2_archives:.3f}",
            "mae": f"{mae:.3g}",
            "mean_width95": f"{wide:.3g}",
            "coverage95": f"{covered:.3f}",
            "coverage95_archives": f"{covered_archives:.3f}",
            "archive_to_direct_sd": f"{between:.3f}",
        }
        for target, r2, r2_archives, mae, wide, covered, covered_archives, between in columns
    ]


def write_table(path: Path, rows: list[dict[str, str]]) -> None:
    """As CSV, and on the screen."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in rows[0]}
    for row in ({name: name for name in rows[0]}, *rows):
        print("  ".join(row[name].ljust(width) for name, width in widths.items()))


def draw(path: Path, module: InferenceModule, e: Estimates) -> None:
    """Estimate against truth with intervals, a panel a measurement."""
    columns = 4
    panels = -(-len(module.targets) // columns)
    figure = Figure(figsize=(3.1 * columns, 2.9 * panels), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(panels, columns, squeeze=False).ravel()
    scores, covered = r_squared(e), coverage(e)
    for index, (axis, target) in enumerate(zip(axes, module.targets)):
        truth, value = e.truth[:, index], e.value[:, index]
        spread = np.abs(np.stack([e.lower[:, index], e.upper[:, index]]) - value)
        axis.errorbar(truth, value, spread, fmt="o", ms=2.2, lw=0.6, color="#1a5276", alpha=0.65)
        ends = [min(truth.min(), value.min()), max(truth.max(), value.max())]
        axis.plot(ends, ends, color="#c0392b", lw=0.9)
        unit = f" ({target.unit})" if target.unit else ""
        axis.set_title(
            f"{target.name}{unit}\nR² {scores[index]:.3f}, {100 * covered[index]:.0f} % covered",
            fontsize=8.5,
        )
        axis.tick_params(labelsize=7)
    for axis in axes[len(module.targets) :]:
        axis.set_axis_off()
    figure.supxlabel("truth", fontsize=9)
    figure.supylabel("estimate with 95 % interval", fontsize=9)
    figure.savefig(path)


if __name__ == "__main__":
    main()
