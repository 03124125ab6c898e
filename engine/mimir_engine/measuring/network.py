"""Predict mean and variance of each target from the projection image: ResNet50, as published.

The network receives the raw 0..255 image as float32 and returns, viewed as ``(batch, targets, 2)``,
a mean m and a log-variance s in units of the training data's standard deviation. With the training
mean mu and standard deviation sd, the variance factor k and the unit's divisor d of a target:

    mean = (m * sd + mu) / d        variance = k * exp(s) * sd**2 / d**2

The published program divides the variance by d instead of its square; this one does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Callable

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mimir_engine.errors import MimirError
from mimir_engine.inference_module import InferenceModule, verify_module
from mimir_engine.inference_module.architecture import build_network, expected_shapes
from mimir_engine.inference_module.weights import load_weights
from mimir_engine.measuring.device import choose_device, cpu_threads
from mimir_engine.projection.project import IMAGE_SHAPE

#: Images per batch; the last batch is padded. On a CPU more bring nothing and cost time in memory
#: handling: activations of more than four images outgrow the 32 MB up to which glibc reuses blocks.
BATCH_SIZES = {"cpu": 4, "mps": 16, "cuda": 32}
#: Layers of a ResNet whose features are compared with those of usual scans. Later layers see
#: what the network was trained for, and little of what is unusual.
EARLY_LAYERS = ("relu", "layer1")


@dataclass(frozen=True)
class Prediction:
    """Mean and variance of each target for some images, in each target's own unit.

    Attributes:
        mean: float64 ``(images, targets)``, in the target's unit.
        variance: float64 ``(images, targets)``, in the unit squared.
    """

    mean: np.ndarray
    variance: np.ndarray


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


class Predictor:
    """A module's networks, loaded and optimised once, for any number of images.

    Examples:
        >>> from mimir_engine import find_module
        >>> predictor = Predictor(find_module("phantom"))
        >>> predictor.predict(np.zeros((2, 3, 256, 256), np.uint8)).mean.shape
        (2, 11)

    Attributes:
        module: The inference module.
        device: The device it runs on.
    """

    def __init__(self, module: InferenceModule, device: str = "auto") -> None:
        """Verify the module's hashes and load its networks.

        Args:
            module: The inference module; its folder must still exist.
            device: See ``mimir_engine.measuring.device.choose_device``.

        Raises:
            MimirError: for devices, hashes or weights.
        """
        self.module = module
        self.device = choose_device(device)
        self._batch_size = BATCH_SIZES[self.device.type]
        verify_module(module)
        architecture, target_count = module.architecture, len(module.targets)
        shapes = expected_shapes(architecture, target_count)
        state_dicts = (load_weights(module.folder / w.file, shapes) for w in module.weights)
        self._networks = [
            load_network(architecture, target_count, state_dict, self.device)
            for state_dict in state_dicts
        ]

    def predict(self, images: np.ndarray) -> Prediction:
        """Predict mean and variance of each target for each image.

        Every batch has the same size, the last one is padded with empty images: an image's result
        depends on its neighbours by no more than the rounding of float32.

        Args:
            images: uint8 ``(images, 3, 256, 256)``.

        Raises:
            MimirError: ``IMAGE_INVALID``, ``PREDICTION_NOT_FINITE``, ``DEVICE_OUT_OF_MEMORY``.
        """
        return to_units(self.module, self._outputs(images))

    def predict_with_features(self, images: np.ndarray) -> tuple[Prediction, dict[str, np.ndarray]]:
        """Predict, and also describe what the first network's early layers see.

        Args:
            images: uint8 ``(images, 3, 256, 256)``, at least one.

        Returns:
            The prediction, and for each of `EARLY_LAYERS` the mean, then the SD of each channel,
            float32 ``(images, 2 * channels)``.
        """
        found: dict[str, list[torch.Tensor]] = {name: [] for name in EARLY_LAYERS}

        def keep(name: str) -> Callable[[nn.Module, object, torch.Tensor], None]:
            return lambda _, __, output: found[name].append(_mean_and_sd(output).cpu())

        layers = map(self._networks[0].get_submodule, EARLY_LAYERS)
        hooks = [
            layer.register_forward_hook(keep(name)) for name, layer in zip(EARLY_LAYERS, layers)
        ]
        try:
            prediction = self.predict(images)
        finally:
            for hook in hooks:
                hook.remove()
        count = len(images)
        return prediction, {n: torch.cat(batches).numpy()[:count] for n, batches in found.items()}

    def _outputs(self, images: np.ndarray) -> np.ndarray:
        """Return raw outputs, float64 ``(networks, images, targets, 2)``."""
        if images.ndim != 4 or images.shape[1:] != IMAGE_SHAPE or images.dtype != np.uint8:
            raise MimirError(
                "IMAGE_INVALID",
                f"the networks take uint8 images of shape (n, 3, 256, 256),"
                f" not {images.dtype} of {images.shape}",
            )
        count, size = len(images), self._batch_size
        outputs = np.empty((len(self._networks), count, len(self.module.targets), 2))
        with self._ready():
            for start in range(0, count, size):
                stop = min(start + size, count)
                batch = self._batch(images[start:stop])
                for index, network in enumerate(self._networks):
                    output = network(batch)[: stop - start].cpu().double()  # MPS has no float64
                    outputs[index, start:stop] = output.view(stop - start, -1, 2).numpy()
        return outputs

    def _batch(self, images: np.ndarray) -> torch.Tensor:
        padded = np.zeros((self._batch_size, *IMAGE_SHAPE), np.uint8)
        padded[: len(images)] = images
        batch = torch.from_numpy(padded).to(self.device)
        return batch.to(torch.float32, memory_format=torch.channels_last)

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
                    f"the device {self.device} has too little free memory for"
                    f" {self._batch_size} images per batch",
                    "Use the device 'cpu'.",
                ) from error


def _mean_and_sd(output: torch.Tensor) -> torch.Tensor:
    """Return mean and SD of each channel, ``(images, 2 * channels)``.

    The mean of squares costs a twentieth of ``torch.std`` on a CPU.
    """
    mean = output.mean((2, 3))
    squared = (output * output).mean((2, 3)) - mean * mean
    return torch.cat([mean, squared.clamp_min(0.0).sqrt()], dim=1)


def to_units(module: InferenceModule, outputs: np.ndarray) -> Prediction:
    """Mix the networks of an ensemble and convert their outputs to the targets' units.

    The mixture of N Gaussians has the mean of the means and, as variance, the mean of the
    variances plus the (population) variance of the means. The mean correction is applied to the
    mixture's standardised mean, the variance factor to its full variance: both were fitted on it.

    Args:
        module: Gives means, standard deviations, factors and divisors.
        outputs: float64 ``(networks, images, targets, 2)``: mean and log-variance.

    Raises:
        MimirError: ``PREDICTION_NOT_FINITE``.
    """

    def column(name: str) -> np.ndarray:
        return np.array([getattr(target, name) for target in module.targets], np.float64)

    means, log_variances = outputs[..., 0], outputs[..., 1]
    with np.errstate(over="ignore", invalid="ignore"):
        mean = means.mean(axis=0)
        variance = np.exp(log_variances).mean(axis=0) + means.var(axis=0)
        mean = mean * column("mean_slope") + column("mean_offset")
        mean = (mean * column("sd") + column("mean")) / column("divisor")
        variance = variance * column("variance_factor") * (column("sd") / column("divisor")) ** 2
    if not all(np.isfinite(values).all() for values in (outputs, mean, variance)):
        raise MimirError(
            "PREDICTION_NOT_FINITE",
            f"the inference module {module.name} predicts numbers that are not finite",
            "Verify the module with `mimir modules verify`.",
        )
    return Prediction(mean, variance)
