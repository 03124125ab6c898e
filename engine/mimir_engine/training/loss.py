"""The likelihood that teaches a network a value and how sure it is of it."""

from __future__ import annotations

import numpy as np
import torch

# An SD of exp(-5) = 0.7 % to exp(5) = 148 times the population's: no target needs more, and
# exp(-s) of an untrained log-variance can then neither overflow nor drown the other targets.
LOG_VARIANCE_LIMIT = 10.0


def target_weights(label_share: np.ndarray, batch_size: int) -> np.ndarray:
    """What each labelled sample of a target counts, float32 (targets,).

    One over the share of labelled studies, so that every target has the same say on average,
    however rarely it was measured. Capped at the batch size: below one label in a batch, a lone
    sample counts as much as a whole batch of a fully labelled target, but no more. With all labels
    known the weights are 1 and the loss is the published one.
    """
    return np.minimum(1.0 / np.maximum(label_share, 1e-12), batch_size).astype(np.float32)


def gaussian_loss(
    output: torch.Tensor, target: torch.Tensor, weights: torch.Tensor, beta: float = 0.0
) -> torch.Tensor:
    """Mean of exp(-s)·(y - m)² + s over samples and targets; missing labels count nothing.

    output: (samples, 2·targets), mean `m` and log-variance `s` of each target in turn. target:
    (samples, targets) standardised, NaN = missing. weights: (targets,) of `target_weights`.
    beta: weighs each term with its own variance to this power, taken as a constant (Seitzer et
    al., "On the pitfalls of heteroscedastic uncertainty estimation", ICLR 2022). At 0 (published) a
    target that is already known well drowns the gradients of those still to be learned.
    """
    mean, log_variance = split_output(output)
    known = torch.isfinite(target)
    error = torch.where(known, target - mean, torch.zeros_like(mean))
    log_variance = log_variance.clamp(-LOG_VARIANCE_LIMIT, LOG_VARIANCE_LIMIT)
    terms = torch.exp(-log_variance) * error.square() + log_variance
    if beta:
        terms = terms * torch.exp(beta * log_variance.detach())
    return torch.where(known, terms * weights, torch.zeros_like(terms)).mean()


def split_output(output: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Means and log-variances, float32 (samples, targets), of an output (samples, 2·targets)."""
    pairs = output.float().view(len(output), -1, 2)
    return pairs[..., 0], pairs[..., 1]
