"""Inference modules for tests: random weights, made-up scales."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mimir_engine.inference_module.acceptance import UK_BIOBANK
from mimir_engine.inference_module.format import InferenceModule, WeightsFile, module_to_json
from mimir_engine.inference_module.target import Target

if TYPE_CHECKING:
    import torch

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
def random_state_dict(target_count: int = 3, seed: int = 0) -> Mapping[str, torch.Tensor]:
    """A fresh ResNet50 that tells images apart: each output varies by about 0.1 between them.

    Its batch-norm statistics are those of four images, disturbed at random. What random weights
    tell of an image is a small part of large features: outputs that varied by 1 would show
    float32's rounding at 3e-4.
    """
    import torch

    from mimir_engine.inference_module.architecture import build_network

    images = torch.from_numpy(random_images(4)).float()
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        network = build_network("resnet50", target_count)
        norms = [part for part in network.modules() if isinstance(part, torch.nn.BatchNorm2d)]
        for norm in norms:
            norm.momentum = 1.0
        network(images)
        for norm in norms:
            mean, variance = norm.running_mean, norm.running_var
            mean += 0.1 * variance.sqrt() * torch.randn_like(mean)
            variance *= torch.empty_like(variance).uniform_(0.8, 1.25)
        outputs = network.eval()(images)
        spread = 10 * outputs.std(dim=0)
        network.fc.weight /= spread[:, None]
        network.fc.bias.copy_((network.fc.bias - outputs.mean(dim=0)) / spread)
    return network.state_dict()


def random_images(count: int) -> np.ndarray:
    """uint8 ``(count, 3, 256, 256)`` of coarse squares, the same each time."""
    coarse = np.random.default_rng(1).integers(0, 256, (count, 3, 16, 16), np.uint8)
    return coarse.repeat(16, axis=2).repeat(16, axis=3)
