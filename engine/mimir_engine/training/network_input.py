"""Images as a network takes them."""

from __future__ import annotations

from typing import Optional

import numpy as np
import torch
from torch.nn.functional import interpolate


def network_input(
    images: np.ndarray, size: Optional[int], device: torch.device | str
) -> torch.Tensor:
    """uint8 (n, 3, rows, columns) as float32 0..255 on the device, shrunk to `size` pixels a side.

    Shrunk by bilinear interpolation with antialiasing; None leaves the images as they are.
    """
    pixels = torch.from_numpy(images).to(device)
    pixels = pixels.to(torch.float32, memory_format=torch.channels_last)
    if size is not None and size != pixels.shape[-1]:
        pixels = interpolate(pixels, (size, size), mode="bilinear", antialias=True)
    return pixels
