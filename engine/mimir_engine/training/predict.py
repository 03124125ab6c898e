"""What a trained network says of a data set, before it is packaged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from mimir_engine.network import fold_batch_norm, load_network
from mimir_engine.training.checkpoint import Checkpoint
from mimir_engine.training.dataset import Dataset
from mimir_engine.training.fit import fold_pixel_scale
from mimir_engine.training.loss import LOG_VARIANCE_LIMIT, split_output

BATCH = 8


@dataclass(frozen=True, eq=False)
class NetworkPrediction:
    """float64 ``(studies, targets)``, in each target's unit: mean and standard deviation."""

    mean: np.ndarray
    sd: np.ndarray


def predict_dataset(
    checkpoint: Checkpoint, dataset: Dataset, device: str = "cpu"
) -> NetworkPrediction:
    """The network of a finished run on images of their true size."""
    state = fold_pixel_scale(checkpoint.network, checkpoint.recipe)
    count = len(checkpoint.definitions)
    network = fold_batch_norm(load_network(checkpoint.recipe.architecture, count, state))
    network = network.to(device)
    outputs = []
    with torch.inference_mode():
        for start in range(0, len(dataset), BATCH):
            images = torch.from_numpy(np.array(dataset.images[start : start + BATCH]))
            mean, log_variance = split_output(network(images.to(device, torch.float32)))
            outputs.append(torch.stack([mean, log_variance]).double().cpu().numpy())
    mean, log_variance = np.concatenate(outputs, axis=1)
    scale, divisors = checkpoint.standardisation, [d.divisor for d in checkpoint.definitions]
    sd = np.exp(0.5 * np.clip(log_variance, -LOG_VARIANCE_LIMIT, LOG_VARIANCE_LIMIT))
    return NetworkPrediction(
        mean=(mean * scale.sd + scale.mean) / divisors,
        sd=sd * scale.sd / np.array(divisors),
    )
