# ruff: noqa: E402  (without torch the file is skipped before it imports what needs it)
from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
from random_modules import random_state_dict
from safetensors.torch import save_file

from mimir_engine.errors import MimirError
from mimir_engine.inference_module.architecture import expected_shapes
from mimir_engine.inference_module.weights import load_weights, quantise, save_weights


def test_float32_weights_come_back_exactly(tmp_path: Path) -> None:
    state_dict = {"fc.weight": torch.randn(4, 3), "bn.num_batches_tracked": torch.tensor(7)}
    save_weights(tmp_path / "w.safetensors", state_dict)
    loaded = load_weights(tmp_path / "w.safetensors")
    assert loaded.keys() == state_dict.keys()
    assert torch.equal(loaded["fc.weight"], state_dict["fc.weight"])
    assert loaded["bn.num_batches_tracked"] == 7


def test_no_rounding_error_exceeds_the_bound_of_its_channel() -> None:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(64, 32, 3, 3, generator=generator)
    weight *= torch.logspace(-6, 6, 64).reshape(-1, 1, 1, 1)  # channels of very different size
    rounded, scale = quantise(weight)
    assert rounded.dtype == torch.int8
    error = (rounded * scale.reshape(-1, 1, 1, 1) - weight).abs().amax(dim=(1, 2, 3))
    largest = weight.abs().amax(dim=(1, 2, 3))
    assert bool((error <= 1.0001 * largest / 254).all())


def test_channels_of_zeros_and_of_tiny_numbers_are_preserved() -> None:
    weight = torch.zeros(3, 4)
    weight[1] = 1e-20
    weight[2] = 1e-44  # float32 itself holds no more than a few bits here
    rounded, scale = quantise(weight)
    restored = rounded * scale.reshape(-1, 1)
    assert bool((restored[0] == 0).all())
    torch.testing.assert_close(restored[1], weight[1], rtol=1e-2, atol=0)
    assert bool(torch.isfinite(restored).all())


def test_an_eight_bit_resnet50_is_small_and_expands_to_a_float32_state_dict(
    tmp_path: Path,
) -> None:
    path = tmp_path / "w.safetensors"
    state_dict = random_state_dict(target_count=22)
    save_weights(path, state_dict, eight_bit=True)
    assert path.stat().st_size <= 24_000_000
    loaded = load_weights(path, expected_shapes("resnet50", 22))
    assert loaded.keys() == state_dict.keys()
    for name, tensor in loaded.items():
        if tensor.ndim >= 2:
            largest = state_dict[name].abs().flatten(1).amax(dim=1)
            error = (tensor - state_dict[name]).abs().flatten(1).amax(dim=1)
            assert bool((error <= 1.0001 * largest / 254).all()), name
        elif tensor.is_floating_point():
            torch.testing.assert_close(tensor, state_dict[name], rtol=1e-3, atol=1e-7)


def test_a_variance_beyond_float16_is_kept_in_float32(tmp_path: Path) -> None:
    variance = torch.tensor([1.0, 1e6])
    save_weights(tmp_path / "w.safetensors", {"bn1.running_var": variance}, eight_bit=True)
    assert torch.equal(load_weights(tmp_path / "w.safetensors")["bn1.running_var"], variance)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_neither_written_nor_read(
    tmp_path: Path, value: float
) -> None:
    bad = {"fc.bias": torch.tensor([1.0, value])}
    with pytest.raises(MimirError, match="WEIGHTS_NOT_FINITE"):
        save_weights(tmp_path / "w.safetensors", bad)
    save_file(bad, tmp_path / "foreign.safetensors")
    with pytest.raises(MimirError, match="WEIGHTS_NOT_FINITE"):
        load_weights(tmp_path / "foreign.safetensors")


SHAPES = {"fc.weight": (2, 3), "fc.bias": (2,)}


@pytest.mark.parametrize(
    ("tensors", "reason"),
    [
        ({"fc.weight": torch.zeros(2, 3)}, "fc.bias is missing"),
        (
            {"fc.weight": torch.zeros(2, 3), "fc.bias": torch.zeros(2), "x": torch.zeros(1)},
            "x does not belong",
        ),
        ({"fc.weight": torch.zeros(3, 2), "fc.bias": torch.zeros(2)}, r"\(3, 2\), not \(2, 3\)"),
        (
            {"fc.weight": torch.zeros(2, 3, dtype=torch.int8), "fc.bias": torch.zeros(2)},
            "fc.weight has no scales",
        ),
        (
            {
                "fc.weight": torch.zeros(2, 3, dtype=torch.int8),
                "fc.weight.scale": torch.zeros(3),
                "fc.bias": torch.zeros(2),
            },
            "different sizes",
        ),
        ({"fc.weight": torch.zeros(2, 3, dtype=torch.bool), "fc.bias": torch.zeros(2)}, "BOOL"),
    ],
)
def test_another_networks_weights_are_refused(
    tmp_path: Path, tensors: dict[str, torch.Tensor], reason: str
) -> None:
    save_file(tensors, tmp_path / "w.safetensors")
    with pytest.raises(MimirError, match=f"WEIGHTS_MISMATCH.*{reason}"):
        load_weights(tmp_path / "w.safetensors", SHAPES)


def test_a_scale_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    tensors = {
        "fc.weight": torch.ones(2, 3, dtype=torch.int8),
        "fc.weight.scale": torch.tensor([1.0, float("nan")]),
    }
    save_file(tensors, tmp_path / "w.safetensors")
    with pytest.raises(MimirError, match="WEIGHTS_NOT_FINITE"):
        load_weights(tmp_path / "w.safetensors")


def test_damaged_and_foreign_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(path, {"fc.weight": torch.zeros(20, 30)})
    content = path.read_bytes()
    for damaged in (b"", content[:40], content[:-8], b"\xff" * 64, pickle.dumps({"fc.weight": 1})):
        path.write_bytes(damaged)
        with pytest.raises(MimirError, match="WEIGHTS_UNREADABLE"):
            load_weights(path)


def test_a_table_that_is_far_too_large_is_refused_unread(tmp_path: Path) -> None:
    table = b'{"a":' + b"[" * (2 << 20)
    (tmp_path / "w.safetensors").write_bytes(len(table).to_bytes(8, "little") + table)
    with pytest.raises(MimirError, match=r"WEIGHTS_UNREADABLE: .*table is larger than 1 MB"):
        load_weights(tmp_path / "w.safetensors")


def test_a_missing_and_a_far_too_large_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MimirError, match="WEIGHTS_MISSING"):
        load_weights(tmp_path / "none.safetensors")
    huge = tmp_path / "huge.safetensors"
    huge.touch()
    os.truncate(huge, (1 << 30) + 1)  # sparse: takes no room
    with pytest.raises(MimirError, match="WEIGHTS_TOO_LARGE"):
        load_weights(huge)


def test_a_file_can_be_replaced_after_loading_without_changing_what_was_loaded(
    tmp_path: Path,
) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(path, {"fc.weight": torch.ones(20, 30)})
    loaded = load_weights(path)
    content = path.read_bytes()
    with open(path, "r+b") as file:
        file.write(b"\0" * len(content))
    assert bool((loaded["fc.weight"] == 1).all())
