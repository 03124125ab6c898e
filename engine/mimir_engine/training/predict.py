"""Predict a data set with a trained network, before it is packaged."""

from __future__ import annotations

import numpy as np
import torch

from mimir_engine.measuring.torch_network import load_network
from mimir_engine.training.checkpoint import Checkpoint
from mimir_engine.training.dataset import Dataset
from mimir_engine.training.loss import MAX_LOG_VARIANCE, split_output

#: Images in memory at once.
BATCH = 8


def predict_dataset(
    checkpoint: Checkpoint, dataset: Dataset, device: str = "cpu"
) -> tuple[np.ndarray, np.ndarray]:
    """Predict every study with the network of a finished run.

    Returns:
        Mean and standard deviation in each target's unit, float64 ``(studies, targets)``.
    """
    count = len(checkpoint.definitions)
    network = load_network(checkpoint.recipe.architecture, count, checkpoint.network, device)
    outputs = []
    with torch.inference_mode():
        for start in range(0, len(dataset), BATCH):
            images = dataset.read_images(slice(start, start + BATCH))
            mean, log_variance = split_output(network(network_input(images, device)))
            outputs.append(torch.stack([mean, log_variance]).double().cpu().numpy())
    mean, log_variance = np.concatenate(outputs, axis=1)
    scale = checkpoint.standardisation
    divisors = np.array([definition.divisor for definition in checkpoint.definitions])
    sd = np.exp(0.5 * np.clip(log_variance, -MAX_LOG_VARIANCE, MAX_LOG_VARIANCE))
    return (mean * scale.sd + scale.mean) / divisors, sd * scale.sd / divisors


def network_input(images: np.ndarray, device: torch.device | str) -> torch.Tensor:
    """Copy images to the device: uint8 to float32 0..255, ``(n, 3, rows, columns)``."""
    pixels = torch.from_numpy(images).to(device)
    return pixels.to(torch.float32, memory_format=torch.channels_last)
