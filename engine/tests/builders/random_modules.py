"""Inference modules for tests: random weights, made-up scales."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mimir_engine.files.optional_packages import is_installed
from mimir_engine.inference_module.acceptance import UK_BIOBANK
from mimir_engine.inference_module.architecture import expected_shapes
from mimir_engine.inference_module.format import InferenceModule, WeightsFile, module_to_json
from mimir_engine.inference_module.target import Target
from mimir_engine.measuring.runtime import Network

#: Variance of a first convolution's output for the raw pixels of `random_images`.
PIXEL_VARIANCE = 2 * 147.0**2

TARGETS = (
    Target("liverVolume", "", "L", 1000, 1450, 330, 1.3, non_negative=True),
    Target("height", "12144", "cm", 1, 169, 9.2, 0.8, non_negative=True),
    Target("sex", "31", "", 1, 0.48, 0.5, 1.0, kind="class"),
)


def module_spec(**changes: Any) -> InferenceModule:
    """A module of three targets that has no files yet."""
    module = InferenceModule(
        name="trial",
        version="1.0",
        title="A trial",
        description="Random weights.",
        architecture="resnet50",
        projection="mimir-2021",
        accepts=UK_BIOBANK,
        targets=TARGETS,
        licence="Apache-2.0",
    )
    return replace(module, **changes)


def write_without_network(folder: Path, **changes: Any) -> Path:
    """Write a module's folder with a dummy weights file, for tests that never read it."""
    folder.mkdir(parents=True)
    content = b"not weights"
    (folder / "weights.safetensors").write_bytes(content)
    weights = WeightsFile("weights.safetensors", sha256(content).hexdigest())
    record = module_to_json(module_spec(weights=(weights,), **changes))
    (folder / "module.json").write_text(json.dumps(record), "utf-8")
    return folder


@lru_cache(maxsize=4)
def random_state_dict(
    target_count: int = 3, seed: int = 0, architecture: str = "resnet50"
) -> Mapping[str, np.ndarray]:
    """A fresh ResNet that tells images apart: each output varies by about 0.1 between them.

    What random weights tell of an image is a small part of large features: outputs that varied by 1
    would show float32's rounding at 3e-4. The last layer is scaled by what any runtime makes of
    four images.
    """
    state = random_weights(architecture, target_count, seed)
    outputs = _raw_outputs(architecture, target_count, state)
    spread = 10 * outputs.std(axis=0)
    state["fc.weight"] /= spread[:, None]
    state["fc.bias"] = (state["fc.bias"] - outputs.mean(axis=0)) / spread
    return state


def random_weights(architecture: str, target_count: int, seed: int = 0) -> dict[str, np.ndarray]:
    """float32 weights that keep the size of features; batch norms are all a little different."""
    rng = np.random.default_rng(seed)
    weights: dict[str, np.ndarray] = {}
    for name, shape in expected_shapes(architecture, target_count).items():
        if name.endswith("num_batches_tracked"):
            weights[name] = np.array(1)
            continue
        if name.endswith("running_var"):
            values = rng.uniform(0.8, 1.25, shape) * (PIXEL_VARIANCE if name[:2] == "bn" else 1.0)
        elif len(shape) >= 2:
            values = rng.normal(0.0, np.sqrt(2.0 / np.prod(shape[1:])), shape)
        elif name.endswith("weight"):
            values = rng.uniform(0.4, 0.8, shape)
        else:
            values = rng.normal(0.0, 0.1, shape)
        weights[name] = values.astype(np.float32)
    return weights


def _raw_outputs(
    architecture: str, target_count: int, weights: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Outputs for four images, float32 ``(4, 2 * targets)``, by the runtime that is there."""
    network: Network
    if is_installed("onnx"):
        from mimir_engine.measuring.onnx_network import OnnxNetwork

        network = OnnxNetwork(architecture, target_count, weights)
    else:
        from mimir_engine.measuring.torch_network import TorchNetwork

        network = TorchNetwork(architecture, target_count, weights)
    return network(random_images(4))[0]


def runtimes() -> list[str]:
    """The runtimes that are installed, as parameters of a test; one that skips without any."""
    names = {"onnx": "onnx", "network": "torch"}
    found = [runtime for extra, runtime in names.items() if is_installed(extra)]
    missing = pytest.param("none", marks=pytest.mark.skip("neither ONNX Runtime nor PyTorch"))
    return found or [missing]


def random_images(count: int) -> np.ndarray:
    """uint8 ``(count, 3, 256, 256)`` of coarse squares, the same each time."""
    coarse = np.random.default_rng(1).integers(0, 256, (count, 3, 16, 16), np.uint8)
    return coarse.repeat(16, axis=2).repeat(16, axis=3)
