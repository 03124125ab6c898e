from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("safetensors")
from random_modules import random_weights
from safetensors.numpy import save_file

from mimir_engine.errors import MimirError
from mimir_engine.inference_module.architecture import (
    ARCHITECTURES,
    build_network,
    expected_shapes,
)
from mimir_engine.inference_module.weights import load_weights, quantise, save_weights


def test_float32_weights_come_back_exactly(tmp_path: Path) -> None:
    weight = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    save_weights(tmp_path / "w.safetensors", {"fc.weight": weight, "bn.count": np.array(7)})
    loaded = load_weights(tmp_path / "w.safetensors")
    assert loaded.keys() == {"fc.weight", "bn.count"}
    assert np.array_equal(loaded["fc.weight"], weight)
    assert loaded["bn.count"].shape == ()
    assert loaded["bn.count"] == 7


def test_no_rounding_error_exceeds_the_bound_of_its_channel() -> None:
    weight = np.random.default_rng(0).normal(size=(64, 32, 3, 3))
    weight *= np.logspace(-6, 6, 64).reshape(-1, 1, 1, 1)  # channels of very different size
    rounded, scale = quantise(weight.astype(np.float32))
    assert rounded.dtype == np.int8
    assert scale.dtype == np.float32
    error = np.abs(rounded * scale.reshape(-1, 1, 1, 1) - weight).max(axis=(1, 2, 3))
    assert (error <= 1.0001 * np.abs(weight).max(axis=(1, 2, 3)) / 254).all()


def test_channels_of_zeros_and_of_tiny_numbers_are_preserved() -> None:
    weight = np.zeros((3, 4), np.float32)
    weight[1] = 1e-20
    weight[2] = 1e-44  # float32 itself holds no more than a few bits here
    rounded, scale = quantise(weight)
    restored = rounded * scale.reshape(-1, 1)
    assert (restored[0] == 0).all()
    np.testing.assert_allclose(restored[1], weight[1], rtol=1e-2)
    assert np.isfinite(restored).all()


def test_an_eight_bit_resnet50_is_small_and_expands_to_float32(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    state_dict = random_weights("resnet50", 22)
    save_weights(path, state_dict, eight_bit=True)
    assert path.stat().st_size <= 24_000_000
    loaded = load_weights(path, expected_shapes("resnet50", 22))
    assert loaded.keys() == state_dict.keys()
    for name, values in loaded.items():
        own = state_dict[name]
        if values.ndim >= 2:
            rows = own.reshape(len(own), -1)
            error = np.abs(values.reshape(rows.shape) - rows).max(axis=1)
            assert (error <= 1.0001 * np.abs(rows).max(axis=1) / 254).all(), name
        else:
            np.testing.assert_allclose(values, own, rtol=1e-3, atol=1e-7)


def test_a_variance_beyond_float16_is_kept_in_float32(tmp_path: Path) -> None:
    variance = np.array([1.0, 1e6], np.float32)
    save_weights(tmp_path / "w.safetensors", {"bn1.running_var": variance}, eight_bit=True)
    assert np.array_equal(load_weights(tmp_path / "w.safetensors")["bn1.running_var"], variance)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_every_type_of_number_is_read_as_float32(tmp_path: Path, dtype: type) -> None:
    save_file({"fc.bias": np.array([0.5, -3.0], dtype)}, tmp_path / "w.safetensors")
    loaded = load_weights(tmp_path / "w.safetensors")["fc.bias"]
    assert loaded.dtype == np.float32
    assert loaded.tolist() == [0.5, -3.0]


def test_bfloat16_is_read_although_numpy_lacks_it(tmp_path: Path) -> None:
    values = np.array([[1.0, -2.5, 3.25], [0.0, 1e30, -1e-30]], np.float32)
    halves = (values.view(np.uint32) >> 16).astype("<u2")
    parts = {"a": np.array([7.0], "<f4"), "fc.weight": halves}
    table, start = {}, 0
    for name, part in parts.items():
        dtype = "BF16" if name == "fc.weight" else "F32"
        offsets = [start, start + part.nbytes]
        table[name] = {"dtype": dtype, "shape": part.shape, "data_offsets": offsets}
        start += part.nbytes
    header = json.dumps(table).encode("ascii")
    content = len(header).to_bytes(8, "little") + header
    (tmp_path / "w.safetensors").write_bytes(
        content + b"".join(p.tobytes() for p in parts.values())
    )
    loaded = load_weights(tmp_path / "w.safetensors", {"a": (1,), "fc.weight": (2, 3)})
    assert loaded["a"].tolist() == [7.0]
    np.testing.assert_allclose(loaded["fc.weight"], values, rtol=2**-7)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_expected_shapes_are_those_of_torchvision(architecture: str) -> None:
    torch = pytest.importorskip("torch")
    with torch.device("meta"):
        state_dict = build_network(architecture, 3).state_dict()
    shapes = {name: tuple(tensor.shape) for name, tensor in state_dict.items()}
    assert expected_shapes(architecture, 3) == shapes


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_neither_written_nor_read(
    tmp_path: Path, value: float
) -> None:
    bad = {"fc.bias": np.array([1.0, value], np.float32)}
    with pytest.raises(MimirError, match="WEIGHTS_NOT_FINITE"):
        save_weights(tmp_path / "w.safetensors", bad)
    save_file(bad, tmp_path / "foreign.safetensors")
    with pytest.raises(MimirError, match="WEIGHTS_NOT_FINITE"):
        load_weights(tmp_path / "foreign.safetensors")


SHAPES = {"fc.weight": (2, 3), "fc.bias": (2,)}


@pytest.mark.parametrize(
    ("tensors", "reason"),
    [
        ({"fc.weight": np.zeros((2, 3), np.float32)}, "fc.bias is missing"),
        (
            {
                "fc.weight": np.zeros((2, 3), np.float32),
                "fc.bias": np.zeros(2, np.float32),
                "x": np.zeros(1, np.float32),
            },
            "x does not belong",
        ),
        (
            {"fc.weight": np.zeros((3, 2), np.float32), "fc.bias": np.zeros(2, np.float32)},
            r"\(3, 2\), not \(2, 3\)",
        ),
        (
            {"fc.weight": np.zeros((2, 3), np.int8), "fc.bias": np.zeros(2, np.float32)},
            "fc.weight has no scales",
        ),
        (
            {
                "fc.weight": np.zeros((2, 3), np.int8),
                "fc.weight.scale": np.zeros(3, np.float32),
                "fc.bias": np.zeros(2, np.float32),
            },
            "different sizes",
        ),
        ({"fc.weight": np.zeros((2, 3), bool), "fc.bias": np.zeros(2, np.float32)}, "BOOL"),
    ],
)
def test_another_networks_weights_are_refused(
    tmp_path: Path, tensors: dict[str, np.ndarray], reason: str
) -> None:
    save_file(tensors, tmp_path / "w.safetensors")
    with pytest.raises(MimirError, match=f"WEIGHTS_MISMATCH.*{reason}"):
        load_weights(tmp_path / "w.safetensors", SHAPES)


def test_a_scale_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    tensors = {
        "fc.weight": np.ones((2, 3), np.int8),
        "fc.weight.scale": np.array([1.0, float("nan")], np.float32),
    }
    save_file(tensors, tmp_path / "w.safetensors")
    with pytest.raises(MimirError, match="WEIGHTS_NOT_FINITE"):
        load_weights(tmp_path / "w.safetensors")


def test_damaged_and_foreign_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(path, {"fc.weight": np.zeros((20, 30), np.float32)})
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
    save_weights(path, {"fc.weight": np.ones((20, 30), np.float32)})
    loaded = load_weights(path)
    content = path.read_bytes()
    with open(path, "r+b") as file:
        file.write(b"\0" * len(content))
    assert (loaded["fc.weight"] == 1).all()
