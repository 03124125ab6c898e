"""Rician noise: the magnitude of a signal with complex Gaussian noise."""

from __future__ import annotations

from functools import lru_cache
from typing import Union

import numpy as np

#: Variance of the magnitude of complex noise of variance 1 in each part (Rayleigh).
AIR_VARIANCE = 2.0 - np.pi / 2.0


def rician_mean(signal: Union[float, np.ndarray]) -> np.ndarray:
    """Compute the mean of ``|signal + complex noise|`` for noise of SD 1 in each part."""
    signals, means = _rician_table()
    large = signal + 0.5 / np.maximum(signal, 1.0)
    return np.where(np.less(signal, signals[-1]), np.interp(signal, signals, means), large)


@lru_cache(maxsize=1)
def _rician_table() -> tuple[np.ndarray, np.ndarray]:
    """Tabulate Rician means of signals 0..12, by numerical integration."""
    signals = np.linspace(0.0, 12.0, 241)
    noise = np.linspace(-6.0, 6.0, 121)
    weight = np.exp(-noise * noise / 2)
    weight /= weight.sum()
    magnitude = np.sqrt((signals[:, None, None] + noise[:, None]) ** 2 + noise**2)
    return signals, np.einsum("sij,i,j->s", magnitude, weight, weight)
