"""A training goes on from the network of a module."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from random_modules import module_spec, random_state_dict  # noqa: E402
from small_training import small_dataset  # noqa: E402

from mimir_engine.errors import MimirError  # noqa: E402
from mimir_engine.inference_module import (  # noqa: E402
    InferenceModule,
    module_sha256,
    write_module,
)
from mimir_engine.training.fit import initial_network  # noqa: E402
from mimir_engine.training.initial_weights import learned_from, with_start  # noqa: E402
from mimir_engine.training.recipe import FINE_TUNE, Recipe  # noqa: E402

TARGETS = ("liverVolume", "height", "sex")


@pytest.fixture
def module(tmp_path: Path) -> InferenceModule:
    runs = [{"fingerprint": "own", "data": {"start": {"fingerprints": ["before"]}}}]
    spec = module_spec(provenance={"training": runs})
    return write_module(tmp_path / "trial", spec, [random_state_dict()])


def recipe_of(module: InferenceModule) -> Recipe:
    return replace(FINE_TUNE, start_sha256=module_sha256(module))


def test_a_network_begins_with_the_modules_weights(module: InferenceModule) -> None:
    network = initial_network(recipe_of(module), TARGETS, module).state_dict()
    own = {name: torch.from_numpy(array) for name, array in random_state_dict().items()}
    for name in ("conv1.weight", "layer4.2.conv3.weight", "fc.weight"):
        assert torch.allclose(network[name], own[name].float(), atol=1e-3), "stored as float16"


def test_for_other_targets_the_last_layer_is_new(module: InferenceModule) -> None:
    network = initial_network(recipe_of(module), ("liverVolume", "age", "sex"), module)
    own = {name: torch.from_numpy(array) for name, array in random_state_dict().items()}
    assert torch.allclose(network.state_dict()["conv1.weight"], own["conv1.weight"], atol=1e-3)
    assert not torch.allclose(network.state_dict()["fc.weight"], own["fc.weight"], atol=1e-3)


@pytest.mark.parametrize(
    "changes", [{"start_sha256": "0" * 64}, {"architecture": "resnet18"}], ids=["other", "smaller"]
)
def test_another_module_than_that_of_the_run_is_refused(
    module: InferenceModule, changes: dict[str, str]
) -> None:
    with pytest.raises(MimirError, match="START_MISMATCH"):
        initial_network(replace(recipe_of(module), **changes), TARGETS, module)


def test_data_that_the_start_learned_from_stay_known(module: InferenceModule) -> None:
    dataset = with_start(small_dataset(), module)
    assert dataset.provenance["start"]["name"] == "trial"
    run = {"fingerprint": "new", "data": dataset.provenance}
    assert learned_from([run]) == {"new", "own", "before"}
