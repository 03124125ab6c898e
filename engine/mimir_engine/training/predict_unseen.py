"""What a trained network says of a data set, before it is packaged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from mimir_engine.measuring.network import fold_batch_norm, load_network
from mimir_engine.training.augmentation import network_input
from mimir_engine.training.checkpoint import Checkpoint
from mimir_engine.training.dataset import Dataset
from mimir_engine.training.loss import LOG_VARIANCE_LIMIT, split_output
from mimir_engine.training.recipe import image_size

BATCH = 8


@dataclass(frozen=True, eq=False)
class NetworkPrediction:
    """float64 ``(studies, targets)``, in each target's unit: mean and standard deviation."""

    mean: np.ndarray
    sd: np.ndarray


def predict_dataset(
    checkpoint: Checkpoint, dataset: Dataset, device: str = "cpu"
) -> NetworkPrediction:
    """The network of a finished run, on images of the size that it was last trained on."""
    count = len(checkpoint.definitions)
    network = load_network(checkpoint.recipe.architecture, count, checkpoint.network)
    network = fold_batch_norm(network).to(device).to(memory_format=torch.channels_last)
    size = image_size(checkpoint.recipe, checkpoint.recipe.steps - 1)
    outputs = []
    with torch.inference_mode():
        for start in range(0, len(dataset), BATCH):
            images = np.array(dataset.images[start : start + BATCH])
            mean, log_variance = split_output(network(network_input(images, size, device)))
            outputs.append(torch.stack([mean, log_variance]).double().cpu().numpy())
    mean, log_variance = np.concatenate(outputs, axis=1)
    scale, divisors = checkpoint.standardisation, [d.divisor for d in checkpoint.definitions]
    sd = np.exp(0.5 * np.clip(log_variance, -LOG_VARIANCE_LIMIT, LOG_VARIANCE_LIMIT))
    return NetworkPrediction(
        mean=(mean * scale.sd + scale.mean) / divisors,
        sd=sd * scale.sd / np.array(divisors),
    )
