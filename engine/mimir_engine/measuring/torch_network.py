"""Run a network with PyTorch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Callable

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mimir_engine.errors import MimirError
from mimir_engine.inference_module.architecture import build_network
from mimir_engine.inference_module.weights import Weights
from mimir_engine.measuring.device import cpu_threads
from mimir_engine.measuring.runtime import EARLY_LAYERS

#: Images per batch; the last batch is padded. On a CPU more bring nothing and cost time in memory
#: handling: activations of more than four images outgrow the 32 MB up to which glibc reuses blocks.
BATCH_SIZES = {"cpu": 4, "mps": 16, "cuda": 32}


def load_network(
    architecture: str,
    target_count: int,
    state_dict: Mapping[str, torch.Tensor],
    device: torch.device | str,
) -> nn.Module:
    """Build a network that uses these float32 tensors as its weights, for inference only.

    Each batch norm is folded into the convolution before it. In torchvision's ResNets a batch norm
    is listed directly after the convolution that feeds it.
    """
    with torch.device("meta"):  # do not spend time on random weights that are replaced at once
        network = build_network(architecture, target_count)
    network.load_state_dict(state_dict, strict=True, assign=True)
    network.eval().requires_grad_(False)
    for block in network.modules():
        children = list(block.named_children())
        for (conv_name, conv), (norm_name, norm) in zip(children, children[1:]):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(block, conv_name, fuse_conv_bn_eval(conv, norm))
                setattr(block, norm_name, nn.Identity())
    return network.to(device).to(memory_format=torch.channels_last)


class TorchNetwork:
    """A network in PyTorch; see ``runtime.Network``.

    Args:
        architecture: One of ``ARCHITECTURES``.
        target_count: Number of targets.
        weights: The state dict, float32.
        device: The device it runs on.
        describes_layers: Also describe what `EARLY_LAYERS` see.
    """

    def __init__(
        self,
        architecture: str,
        target_count: int,
        weights: Weights,
        device: str = "cpu",
        describes_layers: bool = False,
    ) -> None:
        self._device = torch.device(device)
        self.batch_size = BATCH_SIZES[self._device.type]
        tensors = {name: torch.from_numpy(array) for name, array in weights.items()}
        self._network = load_network(architecture, target_count, tensors, self._device)
        self._layers: dict[str, torch.Tensor] = {}
        for name in EARLY_LAYERS if describes_layers else ():
            self._network.get_submodule(name).register_forward_hook(self._keep(name))

    def _keep(self, name: str) -> Callable[[nn.Module, object, torch.Tensor], None]:
        def keep(_layer: nn.Module, _input: object, output: torch.Tensor) -> None:
            self._layers[name] = _mean_and_sd(output)

        return keep

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Run the network.

        Raises:
            MimirError: ``DEVICE_OUT_OF_MEMORY``.
        """
        with self._ready():
            pixels = torch.from_numpy(images).to(self._device)
            pixels = pixels.to(torch.float32, memory_format=torch.channels_last)
            outputs = self._network(pixels).cpu().numpy()
            return outputs, {name: layer.cpu().numpy() for name, layer in self._layers.items()}

    @contextmanager
    def _ready(self) -> Iterator[None]:
        """Switch gradients off, set the threads, and keep NVIDIA's cards from using TF32."""
        exact = torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
        with torch.inference_mode(), cpu_threads(), exact:
            try:
                yield
            except torch.cuda.OutOfMemoryError as error:
                raise MimirError(
                    "DEVICE_OUT_OF_MEMORY",
                    f"the device {self._device} has too little free memory for"
                    f" {self.batch_size} images per batch",
                    "Use the device 'cpu'.",
                ) from error


def _mean_and_sd(output: torch.Tensor) -> torch.Tensor:
    """Return mean and SD of each channel, ``(images, 2 * channels)``.

    The mean of squares costs a twentieth of ``torch.std`` on a CPU.
    """
    mean = output.mean((2, 3))
    squared = (output * output).mean((2, 3)) - mean * mean
    return torch.cat([mean, squared.clamp_min(0.0).sqrt()], dim=1)
