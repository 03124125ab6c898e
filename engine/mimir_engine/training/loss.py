"""Gaussian likelihood: the loss that trains a value together with its uncertainty."""

from __future__ import annotations

import numpy as np
import torch

#: An SD of exp(-5) = 0.7 % to exp(5) = 148 times the population's: no target needs more, and
#: exp(-s) of an untrained log-variance can then neither overflow nor drown the other targets.
MAX_LOG_VARIANCE = 10.0


def target_weights(targets: np.ndarray, batch_size: int) -> np.ndarray:
    """Compute the weight of each labelled sample of a target, float32 ``(targets,)``.

    One over the share of labelled studies, so that every target has the same weight on average,
    however rarely it was measured. At most the batch size: with fewer than one label per batch, a
    single sample counts as much as a batch of a fully labelled target, but no more. With all labels
    known the weights are 1 and the loss is the published one.

    Args:
        targets: ``(studies, targets)``, NaN = missing.
        batch_size: Images in a batch.
    """
    labelled = np.isfinite(targets).mean(axis=0)
    return np.minimum(1.0 / np.maximum(labelled, 1e-12), batch_size).astype(np.float32)


def gaussian_loss(
    output: torch.Tensor, target: torch.Tensor, weights: torch.Tensor, beta: float = 0.0
) -> torch.Tensor:
    """Average exp(-s)·(y - m)² + s over samples and targets, without missing labels.

    Args:
        output: ``(samples, 2·targets)``, mean m and log-variance s of each target in turn.
        target: ``(samples, targets)``, standardised, NaN = missing.
        weights: ``(targets,)``, of `target_weights`.
        beta: Weighs each term with its own variance to this power, taken as a constant (Seitzer et
            al., "On the pitfalls of heteroscedastic uncertainty estimation", ICLR 2022). At 0
            (published) the gradients of well-known targets drown those of the others.
    """
    mean, log_variance = split_output(output)
    known = torch.isfinite(target)
    error = torch.where(known, target - mean, torch.zeros_like(mean))
    log_variance = log_variance.clamp(-MAX_LOG_VARIANCE, MAX_LOG_VARIANCE)
    terms = torch.exp(-log_variance) * error.square() + log_variance
    if beta:
        terms = terms * torch.exp(beta * log_variance.detach())
    return torch.where(known, terms * weights, torch.zeros_like(terms)).mean()


def split_output(output: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Split an output ``(samples, 2·targets)`` into means and log-variances, float32."""
    pairs = output.float().view(len(output), -1, 2)
    return pairs[..., 0], pairs[..., 1]
