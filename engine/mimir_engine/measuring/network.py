"""Predict mean and variance of each target from the projection image: ResNet50, as published.

The network receives the raw 0..255 image as float32 and returns, viewed as ``(batch, targets, 2)``,
a mean m and a log-variance s in units of the training data's standard deviation. With the training
mean mu and standard deviation sd, the variance factor k and the unit's divisor d of a target:

    mean = (m * sd + mu) / d        variance = k * exp(s) * sd**2 / d**2

The published program divides the variance by d instead of its square; this one does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.inference_module import InferenceModule, verify_module
from mimir_engine.inference_module.architecture import expected_shapes
from mimir_engine.measuring.runtime import EARLY_LAYERS, ONNX, Network, Runtime, choose_runtime
from mimir_engine.projection.project import IMAGE_SHAPE


@dataclass(frozen=True)
class Prediction:
    """Mean and variance of each target for some images, in each target's own unit.

    Attributes:
        mean: float64 ``(images, targets)``, in the target's unit.
        variance: float64 ``(images, targets)``, in the unit squared.
    """

    mean: np.ndarray
    variance: np.ndarray


class Predictor:
    """A module's networks, loaded and optimised once, for any number of images.

    Examples:
        >>> from mimir_engine import find_module
        >>> predictor = Predictor(find_module("phantom"))
        >>> predictor.predict(np.zeros((2, 3, 256, 256), np.uint8)).mean.shape
        (2, 11)

    Attributes:
        module: The inference module.
        runtime: What runs its networks, and on which device.
    """

    def __init__(
        self, module: InferenceModule, device: str = "auto", runtime: str = "auto"
    ) -> None:
        """Verify the module's hashes and load its networks.

        Args:
            module: The inference module; its folder must still exist.
            device: See ``mimir_engine.measuring.device.choose_device``.
            runtime: See ``mimir_engine.measuring.runtime.choose_runtime``.

        Raises:
            MimirError: for runtimes, devices, hashes or weights.
        """
        self.module = module
        self.runtime = choose_runtime(runtime, device)
        verify_module(module)
        self._networks = load_networks(module, self.runtime)

    def predict(self, images: np.ndarray) -> Prediction:
        """Predict mean and variance of each target for each image.

        Every batch has the same size, the last one is padded with empty images. On a processor an
        image's result is the same to the last bit, whatever its neighbours and its place among
        them; ONNX Runtime gives the same bits with any number of threads, PyTorch the same up to
        the rounding of float32 (1e-7 of the value). On a graphics card all of these may change
        the rounding.

        Args:
            images: uint8 ``(images, 3, 256, 256)``.

        Raises:
            MimirError: ``IMAGE_INVALID``, ``PREDICTION_NOT_FINITE``, ``DEVICE_OUT_OF_MEMORY``.
        """
        return to_units(self.module, self._run(images)[0])

    def predict_with_features(self, images: np.ndarray) -> tuple[Prediction, dict[str, np.ndarray]]:
        """Predict, and also describe what the first network's early layers see.

        Args:
            images: uint8 ``(images, 3, 256, 256)``, at least one.

        Returns:
            The prediction, and for each of ``EARLY_LAYERS`` the mean, then the SD of each channel,
            float32 ``(images, 2 * channels)``.
        """
        outputs, batches = self._run(images)
        layers = {
            name: np.concatenate([batch[name] for batch in batches])[: len(images)]
            for name in EARLY_LAYERS
        }
        return to_units(self.module, outputs), layers

    def _run(self, images: np.ndarray) -> tuple[np.ndarray, list[dict[str, np.ndarray]]]:
        """Return raw outputs, float64 ``(networks, images, targets, 2)``, and layers by batch."""
        if images.ndim != 4 or images.shape[1:] != IMAGE_SHAPE or images.dtype != np.uint8:
            raise MimirError(
                "IMAGE_INVALID",
                f"the networks take uint8 images of shape (n, 3, 256, 256),"
                f" not {images.dtype} of {images.shape}",
            )
        count, size = len(images), self._networks[0].batch_size
        outputs = np.empty((len(self._networks), count, len(self.module.targets), 2))
        layers = []
        for start in range(0, count, size):
            stop = min(start + size, count)
            batch = np.zeros((size, *IMAGE_SHAPE), np.uint8)
            batch[: stop - start] = images[start:stop]
            for index, network in enumerate(self._networks):
                output, described = network(batch)
                outputs[index, start:stop] = output[: stop - start].reshape(stop - start, -1, 2)
                layers += [described] if index == 0 else []
        return outputs, layers


def load_networks(module: InferenceModule, runtime: Runtime) -> list[Network]:
    """Load a module's networks, unverified; the first one also describes its early layers.

    Raises:
        MimirError: for weights.
    """
    from mimir_engine.inference_module.weights import load_weights

    architecture, target_count = module.architecture, len(module.targets)
    shapes = expected_shapes(architecture, target_count)
    networks: list[Network] = []
    for listed in module.weights:
        weights = load_weights(module.folder / listed.file, shapes)
        is_first = not networks
        if runtime.name == ONNX:
            from mimir_engine.measuring.onnx_network import OnnxNetwork

            networks.append(OnnxNetwork(architecture, target_count, weights, is_first))
        else:
            from mimir_engine.measuring.torch_network import TorchNetwork

            networks.append(
                TorchNetwork(architecture, target_count, weights, runtime.device, is_first)
            )
    return networks


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
