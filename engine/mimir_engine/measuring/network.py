"""From the projection image to mean and variance of each target: ResNet50, as published.

The network gets the raw 0..255 image as float32 and gives, viewed as ``(batch, targets, 2)``, a
mean m and a log-variance s in units of the training data's standard deviation. With the training
mean mu and standard deviation sd, the variance factor k and the unit's divisor d of a target:

    mean = (m * sd + mu) / d        variance = k * exp(s) * sd**2 / d**2

The published program divides the variance by d instead of its square; this one does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Optional

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mimir_engine.errors import MimirError
from mimir_engine.inference_module import InferenceModule, verify_module
from mimir_engine.inference_module.architecture import build_network, expected_shapes
from mimir_engine.inference_module.weights import load_weights
from mimir_engine.measuring.device import bfloat16_is_fast, choose_device, cpu_threads

IMAGE_SHAPE = (3, 256, 256)
BFLOAT16_LIMIT_SD = 0.01
"""bfloat16 is used only where a module's own record shows it no further than this from float32."""

BATCH_SIZES = {"cpu": 4, "mps": 16, "cuda": 32}
"""Images a batch; the last one is filled up. On a CPU more gain nothing and lose time to memory:
activations of more than four images outgrow the 32 MB up to which glibc reuses freed blocks."""

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Prediction:
    """What a module says about some images, in each measurement's own unit.

    Attributes:
        mean: float64 ``(images, targets)``, in the target's unit.
        variance: float64 ``(images, targets)``, in the unit squared.
    """

    mean: np.ndarray
    variance: np.ndarray


def load_network(
    architecture: str, target_count: int, state_dict: Mapping[str, torch.Tensor]
) -> nn.Module:
    """A network of these float32 weights, ready to infer; it takes over the tensors."""
    with torch.device("meta"):  # no time is lost on random weights that are replaced at once
        network = build_network(architecture, target_count)
    network.load_state_dict(state_dict, strict=True, assign=True)
    return network.eval().requires_grad_(False)


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """Fold each batch norm into the convolution before it, in place; for inference only.

    In torchvision's ResNets a batch norm is listed right behind the convolution that feeds it.
    """
    for block in network.modules():
        children = list(block.named_children())
        for (conv_name, conv), (norm_name, norm) in zip(children, children[1:]):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(block, conv_name, fuse_conv_bn_eval(conv, norm))
                setattr(block, norm_name, nn.Identity())
    return network


def _end_in_float32(network: nn.Module) -> nn.Module:
    """Average the features and compute the outputs in float32 whatever the layers before use.

    bfloat16 has eight significant bits: an output of 3 alone would be off by up to 0.008.
    """
    network.get_submodule("avgpool").register_forward_pre_hook(
        lambda layer, inputs: (inputs[0].float(),)
    )
    network.get_submodule("fc").float()
    return network


class Predictor:
    """A module's networks, loaded and made fast once, for any number of images.

    Examples:
        >>> from mimir_engine import find_module
        >>> predictor = Predictor(find_module("phantom"))
        >>> predictor.predict(np.zeros((2, 3, 256, 256), np.uint8)).mean.shape
        (2, 11)

    Attributes:
        module: The inference module.
        device: Where it runs.
        precision: ``float32`` or ``bfloat16``.
    """

    def __init__(
        self,
        module: InferenceModule,
        device: str = "auto",
        precision: str = "auto",
        threads: Optional[int] = None,
        batch_size: Optional[int] = None,
    ) -> None:
        """Verify the module's hashes and load its networks.

        Args:
            module: The inference module; its folder must still be there.
            device: See :func:`mimir_engine.measuring.device.choose_device`.
            precision: ``float32``; ``bfloat16``, refused where the module's record does not allow
                it; ``auto``: bfloat16 where the record allows it and the device is fast at it.
            threads: Threads of the CPU while predicting; by default one per physical core.
            batch_size: Images a batch; by default what suits the device.

        Raises:
            MimirError: for devices, hashes, weights, or ``PRECISION_NOT_ALLOWED``.
        """
        self.module = module
        self.device = choose_device(device)
        self.precision = _choose_precision(module, self.device, precision)
        self._threads = threads
        self._batch_size = batch_size or BATCH_SIZES[self.device.type]
        verify_module(module)
        self._networks = [self._load(record.file) for record in module.weights]

    def predict(
        self, images: np.ndarray, progress: Optional[Callable[[int, int], None]] = None
    ) -> Prediction:
        """Mean and variance of each target for each image.

        Every batch has the same size, the last one is filled up with empty images: an image's
        result depends on its neighbours by no more than the rounding of float32.

        Args:
            images: uint8 ``(images, 3, 256, 256)``.
            progress: Called with images done and images in all, after each batch.

        Raises:
            MimirError: ``IMAGE_INVALID``, ``PREDICTION_NOT_FINITE``, ``DEVICE_OUT_OF_MEMORY``.
        """
        outputs = self._outputs(images, progress)
        if not np.isfinite(outputs).all():
            raise _not_finite(self.module)
        return to_units(self.module, outputs)

    def predict_with_features(
        self, images: np.ndarray, progress: Optional[Callable[[int, int], None]] = None
    ) -> tuple[Prediction, np.ndarray]:
        """The prediction, and what the first network's last layer reads for each image.

        Args:
            images: As :meth:`predict`.
            progress: As :meth:`predict`.

        Returns:
            The prediction and float32 ``(images, features)``, for
            :func:`mimir_engine.inference_module.features.typicality`.
        """
        batches: list[torch.Tensor] = []
        last_layer = self._networks[0].get_submodule("fc")
        width = expected_shapes(self.module.architecture, 1)["fc.weight"][1]
        hook = last_layer.register_forward_pre_hook(
            lambda layer, inputs: batches.append(inputs[0].float().cpu())
        )
        try:
            prediction = self.predict(images, progress)
        finally:
            hook.remove()
        features = [batch.numpy() for batch in batches] or [np.empty((0, width), np.float32)]
        return prediction, np.concatenate(features)[: len(images)]

    def _outputs(
        self, images: np.ndarray, progress: Optional[Callable[[int, int], None]]
    ) -> np.ndarray:
        """Raw outputs, float64 ``(networks, images, targets, 2)``."""
        _check_images(images)
        count, size = len(images), self._batch_size
        outputs = np.empty((len(self._networks), count, len(self.module.targets), 2))
        with self._ready():
            for start in range(0, count, size):
                stop = min(start + size, count)
                batch = self._batch(images[start:stop])
                for index, network in enumerate(self._networks):
                    output = network(batch)[: stop - start].cpu().double()  # MPS has no float64
                    outputs[index, start:stop] = output.view(stop - start, -1, 2).numpy()
                if progress is not None:
                    progress(stop, count)
        return outputs

    def _batch(self, images: np.ndarray) -> torch.Tensor:
        padded = np.zeros((self._batch_size, *IMAGE_SHAPE), np.uint8)
        padded[: len(images)] = images
        return (
            torch.from_numpy(padded)
            .to(self.device)
            .to(DTYPES[self.precision], memory_format=torch.channels_last)
        )

    def _load(self, file: str) -> nn.Module:
        architecture, target_count = self.module.architecture, len(self.module.targets)
        state_dict = load_weights(
            self.module.folder / file, expected_shapes(architecture, target_count)
        )
        network = fold_batch_norm(load_network(architecture, target_count, state_dict))
        network = network.to(self.device, DTYPES[self.precision])
        return _end_in_float32(network.to(memory_format=torch.channels_last))

    @contextmanager
    def _ready(self) -> Iterator[None]:
        """No gradients, threads as asked, and float32 that is float32 on NVIDIA's cards too."""
        exact = torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
        with torch.inference_mode(), cpu_threads(self._threads), exact:
            try:
                yield
            except torch.cuda.OutOfMemoryError as error:
                raise MimirError(
                    "DEVICE_OUT_OF_MEMORY",
                    f"the device {self.device} has too little free memory for"
                    f" {self._batch_size} images a batch",
                    "Use a smaller batch or the device 'cpu'.",
                ) from error


def predict(
    module: InferenceModule,
    images: np.ndarray,
    device: str = "auto",
    precision: str = "auto",
    progress: Optional[Callable[[int, int], None]] = None,
) -> Prediction:
    """Load a module, predict once; see :class:`Predictor`, which stays loaded."""
    return Predictor(module, device, precision).predict(images, progress)


def to_units(module: InferenceModule, outputs: np.ndarray) -> Prediction:
    """Mix the networks of an ensemble and bring their outputs to the targets' units.

    The mixture of N Gaussians has the mean of the means and, as variance, the mean of the
    variances plus the (population) variance of the means. The mean correction is applied to the
    mixture's standardised mean, the variance factor to its whole variance: both were fitted on it.

    Args:
        module: Gives means, standard deviations, factors and divisors.
        outputs: float64 ``(networks, images, targets, 2)``: mean and log-variance.
    """
    means, log_variances = outputs[..., 0], outputs[..., 1]
    with np.errstate(over="ignore"):
        variance = np.exp(log_variances).mean(axis=0) + means.var(axis=0)
    mean = means.mean(axis=0)

    def column(name: str) -> np.ndarray:
        return np.array([getattr(target, name) for target in module.targets], np.float64)

    mean = mean * column("mean_slope") + column("mean_offset")
    mean = (mean * column("sd") + column("mean")) / column("divisor")
    variance = variance * column("variance_factor") * (column("sd") / column("divisor")) ** 2
    if not (np.isfinite(mean).all() and np.isfinite(variance).all()):
        raise _not_finite(module)
    return Prediction(mean, variance)


def bfloat16_error_sd(
    module: InferenceModule,
    images: np.ndarray,
    device: str = "cpu",
    batch_size: Optional[int] = None,
) -> float:
    """Largest difference between bfloat16 and float32 means, in training standard deviations.

    The check behind ``bfloat16_error_sd`` in ``module.json``.

    Args:
        module: The inference module.
        images: uint8 ``(images, 3, 256, 256)``, typical ones; some dozens do.
        device: Where to compare.
        batch_size: Images a batch; by default what suits the device.
    """
    scale = np.array([target.sd / target.divisor for target in module.targets])
    exact = Predictor(module, device, "float32", batch_size=batch_size).predict(images)
    unchecked = replace(module, bfloat16_error_sd=0.0)  # the check itself needs no earlier record
    rough = Predictor(unchecked, device, "bfloat16", batch_size=batch_size).predict(images)
    return float((np.abs(exact.mean - rough.mean) / scale).max(initial=0.0))


def _choose_precision(module: InferenceModule, device: torch.device, asked: str) -> str:
    recorded = module.bfloat16_error_sd
    allowed = recorded is not None and recorded <= BFLOAT16_LIMIT_SD
    if asked == "auto":
        return "bfloat16" if allowed and bfloat16_is_fast(device) else "float32"
    if asked not in DTYPES:
        raise MimirError(
            "PRECISION_UNKNOWN", f"{asked!r} is no precision", "Choose auto, float32 or bfloat16."
        )
    if asked == "bfloat16" and not allowed:
        raise MimirError(
            "PRECISION_NOT_ALLOWED",
            f"the inference module {module.name} has no record that bfloat16 stays within"
            f" {BFLOAT16_LIMIT_SD} standard deviations of float32",
            "Use float32.",
        )
    return asked


def _check_images(images: np.ndarray) -> None:
    if images.ndim != 4 or images.shape[1:] != IMAGE_SHAPE or images.dtype != np.uint8:
        raise MimirError(
            "IMAGE_INVALID",
            f"the networks take uint8 images of shape (n, 3, 256, 256),"
            f" not {images.dtype} of {images.shape}",
        )


def _not_finite(module: InferenceModule) -> MimirError:
    return MimirError(
        "PREDICTION_NOT_FINITE",
        f"the inference module {module.name} gives numbers that are not finite",
        "Verify the module with `mimir modules verify`.",
    )
