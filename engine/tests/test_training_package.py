"""From a training run to an inference module, with a real ResNet50 of random weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from mimir_engine.device import cpu_threads
from mimir_engine.errors import MimirError
from mimir_engine.inference_module import load_module, verify_module
from mimir_engine.network import Predictor
from mimir_engine.training.calibration import variance_factors
from mimir_engine.training.checkpoint import Checkpoint, save_checkpoint
from mimir_engine.training.dataset import (
    Dataset,
    TargetDefinition,
    load_dataset,
    standardisation_of,
    write_dataset,
)
from mimir_engine.training.fit import initial_network
from mimir_engine.training.package import PHANTOM, package
from mimir_engine.training.recipe import FROM_SCRATCH

DEFINITIONS = (
    TargetDefinition("sex", "", kind="class", non_negative=False),
    TargetDefinition("liverVolume", "L", ukb_field="21080", divisor=1000.0),
)


def dataset(count: int, seed: int) -> Dataset:
    """Noise of different brightness, with a sex and a liver volume in mL drawn apart from it."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, rng.integers(50, 256, (count, 3, 1, 1)), (count, 3, 256, 256))
    targets = np.stack([np.arange(count) % 2, rng.normal(1500, 200, count)], axis=1)
    provenance = {"first_seed": seed}
    return Dataset(images.astype(np.uint8), targets, DEFINITIONS, "mimir-2021", provenance)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training run that claims to be finished, beside its held-out data."""
    folder = tmp_path_factory.mktemp("run")
    recipe = replace(FROM_SCRATCH, still_last_layer=False)
    training = dataset(6, seed=1)
    network = initial_network(recipe, 2)
    checkpoint = Checkpoint(
        recipe=recipe,
        step=recipe.steps,
        finished=True,
        network=network.state_dict(),
        optimiser={},
        definitions=DEFINITIONS,
        standardisation=standardisation_of(training.targets, training.target_names),
        projection=training.projection,
        fingerprint=training.fingerprint(),
        provenance=dict(training.provenance),
    )
    save_checkpoint(folder, checkpoint)
    write_dataset(folder / "held_out", dataset(4, seed=2))
    write_dataset(folder / "training", training)
    return folder


def test_a_run_becomes_a_module_whose_intervals_fit_the_held_out_data(
    run: Path, tmp_path: Path
) -> None:
    with cpu_threads(1):
        package(run, run / "held_out", tmp_path / "phantom", PHANTOM, eight_bit=True)
        module = load_module(tmp_path / "phantom")
        verify_module(module)
        held_out = load_dataset(run / "held_out")
        prediction = Predictor(module).predict(np.asarray(held_out.images))
    labels = held_out.targets / [1, 1000]
    assert variance_factors(labels, prediction.mean, prediction.variance) == pytest.approx(1.0)
    sex, liver = module.targets
    assert (sex.kind, sex.non_negative) == ("class", False)
    assert (liver.unit, liver.divisor, liver.ukb_field) == ("L", 1000.0, "21080")
    assert 1000 < liver.mean < 2000
    assert sum(file.stat().st_size for file in (tmp_path / "phantom").iterdir()) < 25e6
    assert (module.demonstration, module.column_prefix) == (True, "phantom_")
    assert module.provenance["training"]["data"] == {"first_seed": 1}
    assert set(module.provenance["calibration"]["targets"]) == {"sex", "liverVolume"}
    assert module.bfloat16_error_sd is not None
    statistics = module.statistics()
    assert statistics is not None
    assert statistics.counts == {"female": 2, "male": 2}
    assert statistics.reference == "4 held-out synthetic phantoms"


def test_variances_are_never_scaled_on_the_training_data(run: Path, tmp_path: Path) -> None:
    with pytest.raises(MimirError, match="DATASET_MISMATCH"):
        package(run, run / "training", tmp_path / "module", PHANTOM)
    assert not (tmp_path / "module").exists()


def test_held_out_data_of_other_targets_are_refused(run: Path, tmp_path: Path) -> None:
    other = dataset(4, seed=2)
    renamed = (DEFINITIONS[0], replace(DEFINITIONS[1], name="spleenVolume"))
    write_dataset(tmp_path / "other", replace(other, definitions=renamed))
    with pytest.raises(MimirError, match=r"DATASET_MISMATCH.*targets"):
        package(run, tmp_path / "other", tmp_path / "module", PHANTOM)
