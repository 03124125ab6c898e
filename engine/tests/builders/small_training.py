"""A network, a recipe and data so small that whole trainings fit into a test.

Run as a program it trains: what a test kills is a process like any other.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from mimir_engine.cohort.images.image_folder import StudyId, TargetDefinition
from mimir_engine.training import fit as fitting
from mimir_engine.training.dataset import Dataset
from mimir_engine.training.recipe import FROM_SCRATCH

SMALL = replace(
    FROM_SCRATCH,
    name="small",
    steps=12,
    batch_size=4,
    max_shift=2,
)


def small_network(architecture: str, target_count: int) -> torch.nn.Module:
    """Convolution, batch norm and last layer, by the names that torchvision's ResNets use."""

    class Small(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = torch.nn.Conv2d(3, 8, 7, stride=2, padding=3, bias=False)
            self.bn1 = torch.nn.BatchNorm2d(8)
            self.relu = torch.nn.ReLU()
            self.layer1, self.layer2 = torch.nn.Identity(), torch.nn.Identity()
            self.fc = torch.nn.Linear(8, 2 * target_count)

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            features = self.layer2(self.layer1(self.relu(self.bn1(self.conv1(pixels)))))
            return self.fc(features.square().mean(dim=(2, 3)))

    return Small()


def small_dataset(size: int = 32) -> Dataset:
    """Twenty-two images whose targets are the brightnesses of two channels; some are missing.

    The last two are second visits of the first two people.
    """
    rng = np.random.default_rng(3)
    brightness = rng.uniform(60, 160, (22, 3))
    images = brightness[:, :, None, None] + 10 * rng.standard_normal((22, 3, size, size))
    targets = brightness[:, :2].copy()
    targets[::5, 1] = np.nan
    return Dataset(
        np.clip(images, 0, 255).astype(np.uint8),
        targets,
        tuple(StudyId(f"{n % 20}_2{n // 20}", str(n % 20), f"2{n // 20}") for n in range(22)),
        (TargetDefinition("water", "%"), TargetDefinition("fat", "g", divisor=1000.0)),
        covariates={"sex": np.arange(22) % 2.0, "age": 50.0 + np.arange(22) % 20},
    )


if __name__ == "__main__":
    folder, steps = Path(sys.argv[1]), int(sys.argv[2])
    fitting.build_network = small_network
    torch.set_num_threads(1)
    fitting.fit(
        small_dataset(),
        folder,
        replace(SMALL, steps=steps),
        lambda _: time.sleep(0.005),  # so that there is something to kill
        checkpoint_seconds=0.02,
    )
