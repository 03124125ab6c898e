"""Test that a checkpoint comes back as it was saved, and that a hostile one is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs PyTorch")

from finished_runs import DEFINITIONS, dataset, write_run  # noqa: E402
from one_thread import one_thread  # noqa: E402
from safetensors import safe_open  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from small_training import SMALL, small_dataset, small_network  # noqa: E402

from mimir_engine.errors import MimirError  # noqa: E402
from mimir_engine.training import fit as fitting  # noqa: E402
from mimir_engine.training.checkpoint import (  # noqa: E402
    FILE_NAME,
    METADATA_KEY,
    load_checkpoint,
    save_checkpoint,
)
from mimir_engine.training.ensemble import combine_runs  # noqa: E402
from mimir_engine.training.fit import fit  # noqa: E402
from mimir_engine.training.identity import PHANTOM  # noqa: E402

DATA = small_dataset()
Tensors = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two steps that was stopped after its first."""
    folder = tmp_path_factory.mktemp("stopped")
    with pytest.MonkeyPatch.context() as patch, one_thread():
        patch.setattr(fitting, "build_network", small_network)
        patch.setattr(fitting._Run, "finish", _stop)
        with pytest.raises(KeyboardInterrupt):
            fit(DATA, folder, replace(SMALL, steps=2))
    return folder


def _stop(_: object) -> None:
    raise KeyboardInterrupt


@pytest.fixture
def resume(stopped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Go on with that run after its checkpoint was changed."""
    monkeypatch.setattr(fitting, "build_network", small_network)
    with safe_open(stopped / FILE_NAME, framework="pt") as file:
        text = file.metadata()[METADATA_KEY]
        tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118

    def resume(
        change: Callable[[Tensors], object] = lambda _: None,
        rewrite: Callable[[str], str] = str,
    ) -> None:
        change(tensors)
        save_file(tensors, tmp_path / FILE_NAME, {METADATA_KEY: rewrite(text)})
        with one_thread():
            fit(DATA, tmp_path, replace(SMALL, steps=2))

    return resume


def refused(what: str = "") -> Any:
    return pytest.raises(MimirError, match=f"CHECKPOINT_UNREADABLE: .*{what}")


def edited(**changes: object) -> Callable[[str], str]:
    return lambda text: json.dumps({**json.loads(text), **changes})


def test_an_unchanged_checkpoint_is_resumed(resume: Callable[..., None], tmp_path: Path) -> None:
    resume()
    assert load_checkpoint(tmp_path).finished


def test_a_checkpoint_comes_back_as_it_was_saved(stopped: Path, tmp_path: Path) -> None:
    before = load_checkpoint(stopped)
    save_checkpoint(tmp_path, before)
    after = load_checkpoint(tmp_path)
    for one, other in ((before.network, after.network), (before.optimiser, after.optimiser)):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)
    assert (after.step, after.finished, after.recipe) == (1, False, replace(SMALL, steps=2))
    assert (after.definitions, after.fingerprint) == (DATA.definitions, DATA.fingerprint)
    assert np.array_equal(after.standardisation.mean, np.nanmean(DATA.targets, axis=0))
    assert (tmp_path / FILE_NAME).read_bytes() == (stopped / FILE_NAME).read_bytes()


@pytest.mark.parametrize(
    ("rewrite", "what"),
    [
        (lambda text: text[:-1], "not valid JSON"),
        (lambda _: "[]", "must be a JSON object"),
        (lambda _: "[" * 100_000, "not valid JSON"),
        (lambda text: text[:-1] + ', "step": 1}', "a key occurs twice"),
        (lambda text: text.replace('"step": 1', '"step": NaN'), "'step' must be an integer"),
        (lambda text: text.replace('"step": 1', '"step": 1e999'), "'step' must be an integer"),
        (
            edited(provenance={"age": float("inf")}),
            "'provenance, age' must have finite numbers only",
        ),
        (edited(schema_version=1), "schema version 1"),
        (edited(step=3), "step 3 of 2"),
        (edited(step=-1), "step -1 of 2"),
        (edited(extra=1), "unknown key 'extra'"),
        (edited(mean=[1.0]), "not those of the targets"),
        (edited(sd=[1.0, 0.0]), "not those of the targets"),
        (edited(recipe={"schedule": "never"}), "schedule is 'never'"),
    ],
)
def test_a_hostile_description_is_refused(
    resume: Callable[..., None], rewrite: Callable[[str], str], what: str
) -> None:
    with refused(what):
        resume(rewrite=rewrite)


WEIGHT, MOMENT = "network/conv1.weight", "optimiser/conv1.weight/exp_avg"


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: tensors.pop(WEIGHT),
        lambda tensors: tensors.pop(MOMENT),
        lambda tensors: tensors.update({WEIGHT: tensors[WEIGHT][:1]}),
        lambda tensors: tensors.update({MOMENT: tensors[MOMENT][:1]}),
        lambda tensors: tensors.update({"optimiser/fc.bias/step": torch.zeros(1)}),
        lambda tensors: tensors.update({WEIGHT: tensors[WEIGHT].double()}),
        lambda tensors: tensors.update({WEIGHT: tensors[WEIGHT].long()}),
        lambda tensors: tensors.update({MOMENT: tensors[MOMENT].long()}),
        lambda tensors: tensors.update({"network/bn1.num_batches_tracked": torch.tensor(1.0)}),
        lambda tensors: tensors[WEIGHT].fill_(float("nan")),
        lambda tensors: tensors[MOMENT].fill_(float("inf")),
        lambda tensors: tensors.update({"network/more": torch.zeros(1)}),
        lambda tensors: tensors.update({"optimiser/0/exp_avg": torch.zeros(1)}),
        lambda tensors: tensors.update({"optimiser/more/exp_avg": torch.zeros(1)}),
        lambda tensors: tensors.update({"other/more": torch.zeros(1)}),
        lambda tensors: tensors.update({"network": torch.zeros(1)}),
    ],
)
def test_tensors_of_another_form_are_refused(
    resume: Callable[..., None], change: Callable[[Tensors], object]
) -> None:
    with refused():
        resume(change)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda content: b"", ""),
        (lambda content: content[:100], ""),
        (lambda content: content[:-1], ""),
        (lambda content: content + b"\0", ""),
        (lambda content: (2**63).to_bytes(8, "little") + content[8:], "its table is larger"),
        (lambda content: b"\x80\x02}q\x00." + content, ""),  # a pickle's first instructions
        (lambda content: (2).to_bytes(8, "little") + b"{}", "mimir"),
    ],
)
def test_a_damaged_file_is_refused(
    stopped: Path, tmp_path: Path, change: Callable[[bytes], bytes], what: str
) -> None:
    (tmp_path / FILE_NAME).write_bytes(change((stopped / FILE_NAME).read_bytes()))
    with refused(what):
        load_checkpoint(tmp_path)


def test_a_file_that_is_far_too_large_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / FILE_NAME).open("wb") as file:
        file.write((2).to_bytes(8, "little") + b"{}")
        file.truncate(2 << 30)  # sparse
    with refused("it is larger than 1024 MB"):
        load_checkpoint(tmp_path)


def test_a_description_that_could_not_be_read_again_is_not_saved(
    stopped: Path, tmp_path: Path
) -> None:
    checkpoint = load_checkpoint(stopped)
    long = {str(number): "x" * 9_000 for number in range(200)}
    with pytest.raises(MimirError, match=r"OUTPUT_UNWRITABLE: .*too long"):
        save_checkpoint(tmp_path, replace(checkpoint, provenance=long))
    assert list(tmp_path.iterdir()) == []


def test_a_loaded_checkpoint_can_be_replaced(stopped: Path, tmp_path: Path) -> None:
    save_checkpoint(tmp_path, load_checkpoint(stopped))
    loaded = load_checkpoint(tmp_path)
    (tmp_path / FILE_NAME).write_bytes(b"")  # a mapped file would end the process here
    assert torch.equal(loaded.network["fc.bias"], load_checkpoint(stopped).network["fc.bias"])


@pytest.mark.parametrize(
    "changes",
    [
        {"definitions": DEFINITIONS[:1]},
        {"network": {}},
        {"network": {"fc.weight": torch.zeros(4, 512), "fc.bias": torch.zeros(4)}},
        {"recipe": {"architecture": "resnet50"}},
        {"recipe": {"architecture": "../resnet18"}},
    ],
)
def test_a_checkpoint_of_another_network_is_not_packaged(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    run = tmp_path / "run"
    write_run(run, dataset(6, seed=1), 1)
    combine_runs([run], PHANTOM)
    checkpoint = load_checkpoint(run)
    if "recipe" in changes:
        changes = {"recipe": replace(checkpoint.recipe, **changes["recipe"])}
    if "definitions" in changes:
        scale = checkpoint.standardisation
        changes["standardisation"] = replace(scale, mean=scale.mean[:1], sd=scale.sd[:1])
    save_checkpoint(run, replace(checkpoint, **changes))
    with refused():
        combine_runs([run], PHANTOM)
