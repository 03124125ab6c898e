"""What inference modules say of phantoms that they have not seen, as `mimir infer` would say it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mimir_engine.evaluation.predictions import Predictions
from mimir_engine.evaluation.uncertainty import interval_curve
from mimir_engine.inference_module import InferenceModule, load_module
from mimir_engine.inference_module.features import typicality
from mimir_engine.measuring.measurement import interval_factor, measure
from mimir_engine.measuring.network import Predictor
from mimir_engine.training.conformal import LEVELS

#: Levels of the calibration curve; at 0 and 1 every curve is where it should be.
CURVE = (0.0, *LEVELS, 1.0)
LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class Measured:
    """A cohort, measured.

    Attributes:
        predictions: With references, intervals of `LEVEL`, and the group "sex" (recorded).
        factors: Half widths in SD at `LEVELS`, float64 ``(phantoms, targets, levels)``.
        unusual: Which images lie beyond the 99 % quantile of usual ones, bool ``(phantoms,)``.
    """

    predictions: Predictions
    factors: np.ndarray
    unusual: np.ndarray

    def curve(self) -> np.ndarray:
        """Share of references inside the intervals of each level of `CURVE`, (targets, levels)."""
        p = self.predictions
        inner = []
        for target in range(len(p.names)):
            half = self.factors[:, target] * p.sd[:, target, None]
            mean = p.mean[:, target, None]
            inner.append(interval_curve(p.reference[:, target], mean - half, mean + half))
        return np.pad(np.array(inner), ((0, 0), (1, 1)), constant_values=(0.0, 1.0))


def measured(
    modules: Sequence[Path], data: Path, cache: Path, tell: Callable[[int, int], None]
) -> Measured:
    """Measure a folder of phantom projections; each phantom by one of the modules in turn.

    Args:
        modules: Folders of modules of the same targets. Several are no ensemble: the networks of
            a cross-validation's folds, each as good as another for a new phantom.
        data: Folder of `mimir phantom --projections`.
        cache: Where what the networks say is kept (.npz), so that a killed run goes on.
        tell: Called with (phantoms done, phantoms in all).
    """
    loaded = [load_module(folder) for folder in modules]
    if not cache.exists():
        _predict(loaded, data, cache, tell)
    with np.load(cache) as kept:
        mean, variance, ratio = kept["mean"], kept["variance"], kept["ratio"]
    return _as_measured(loaded, data, mean, variance, ratio)


def _predict(
    modules: Sequence[InferenceModule], data: Path, cache: Path, tell: Callable[[int, int], None]
) -> None:
    images = np.load(data / "images.npy", mmap_mode="r")
    shape = (len(images), len(modules[0].targets))
    mean, variance, ratio = np.empty(shape), np.empty(shape), np.empty(len(images))
    done = 0
    for turn, module in enumerate(modules):
        rows = np.arange(turn, len(images), len(modules))
        said, features = Predictor(module).predict_with_features(images[rows])
        statistics = module.features()
        mean[rows], variance[rows] = said.mean, said.variance
        ratio[rows] = np.nan if statistics is None else typicality(statistics, features).ratio
        done += len(rows)
        tell(done, len(images))
    cache.parent.mkdir(parents=True, exist_ok=True)
    np.savez(cache.with_suffix(".part.npz"), mean=mean, variance=variance, ratio=ratio)
    cache.with_suffix(".part.npz").replace(cache)


def _as_measured(
    modules: Sequence[InferenceModule],
    data: Path,
    mean: np.ndarray,
    variance: np.ndarray,
    ratio: np.ndarray,
) -> Measured:
    description = json.loads((data / "projections.json").read_text())
    reference = np.load(data / "targets.npy").astype(np.float64)
    targets = modules[0].targets
    factors = np.empty((*mean.shape, len(LEVELS)))
    known = {(id(m), sex): _factors(m, sex) for m in modules for sex in (None, "female", "male")}
    lower, upper = np.full((2, *mean.shape), np.nan)
    for row in range(len(mean)):
        module = modules[row % len(modules)]
        study = measure(module, mean[row], variance[row], LEVEL)
        factors[row] = known[id(module), study[0].sex]
        for place, measurement in enumerate(study):
            if measurement.kind != "class":
                lower[row, place], upper[row, place] = measurement.lower, measurement.upper
    sexes = reference[:, description["names"].index("sex")]
    predictions = Predictions(
        names=tuple(target.name for target in targets),
        units=tuple(target.unit for target in targets),
        studies=tuple(map(str, description["seeds"])),
        reference=reference,
        mean=mean,
        sd=np.sqrt(variance),
        lower=lower,
        upper=upper,
        level=LEVEL,
        groups={"sex": tuple("male" if sex else "female" for sex in sexes)},
    )
    return Measured(predictions, factors, ratio > 1)


def _factors(module: InferenceModule, sex: str | None) -> np.ndarray:
    """Half widths in SD at `LEVELS`, float64 (targets, levels); NaN for a class."""
    return np.array(
        [
            [
                np.nan if target.kind == "class" else interval_factor(target, level, sex)
                for level in LEVELS
            ]
            for target in module.targets
        ]
    )
