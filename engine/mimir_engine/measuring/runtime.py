"""Choose what runs the networks: PyTorch where a graphics card serves it, else ONNX Runtime.

Both compute in float32 with the same weights; what they estimate differs by less than 1e-4 standard
deviations of the training data.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol

from mimir_engine.errors import MimirError
from mimir_engine.files.optional_packages import is_installed, require
from mimir_engine.measuring.device import check_device_name, choose_device, may_have_gpu

if TYPE_CHECKING:
    import numpy as np

ONNX, TORCH = "onnx", "torch"
RUNTIMES = ("auto", ONNX, TORCH)
#: The package of each runtime, and its name in texts.
PACKAGES = {ONNX: "onnxruntime", TORCH: "torch"}
LABELS = {ONNX: "ONNX Runtime", TORCH: "PyTorch"}
#: Layers of a ResNet whose features are compared with those of usual scans. Later layers see
#: what the network was trained for, and little of what is unusual.
EARLY_LAYERS = ("relu", "layer1")


class Network(Protocol):
    """One network that is ready to run.

    Attributes:
        batch_size: Images per call.
    """

    batch_size: int

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Run the network.

        Args:
            images: uint8 ``(batch_size, 3, 256, 256)``.

        Returns:
            The outputs, float32 ``(batch_size, 2 * targets)``; if the network describes them, of
            each of `EARLY_LAYERS` the mean, then the SD of each channel, float32
            ``(batch_size, 2 * channels)``.
        """


@dataclass(frozen=True)
class Runtime:
    """What runs the networks.

    Attributes:
        name: ``onnx`` or ``torch``.
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` and so on.
    """

    name: str
    device: str

    def describe(self) -> dict[str, str]:
        """Describe what numbers depend on, for a run: the package's version, and the device."""
        package = PACKAGES[self.name]
        kind = self.device.partition(":")[0]
        return {"runtime": self.name, package: version(package), "device": kind}


def choose_runtime(runtime: str = "auto", device: str = "auto") -> Runtime:
    """Choose the runtime and its device.

    ``auto`` is PyTorch where it has a graphics card to use or the device asks for one, else ONNX
    Runtime where it is installed, else PyTorch. PyTorch is imported only if it is chosen, or if the
    machine has the driver of a graphics card.

    Args:
        runtime: One of `RUNTIMES`.
        device: See ``mimir_engine.measuring.device.choose_device``; ONNX Runtime uses the CPU only.

    Raises:
        MimirError: ``RUNTIME_UNKNOWN``, ``DEVICE_UNKNOWN``, ``DEVICE_MISSING``; ``EXTRA_MISSING``
            and ``EXTRA_BROKEN`` for a runtime that is not installed, or in parts.
    """
    check_device_name(device)
    if runtime not in RUNTIMES:
        raise MimirError(
            "RUNTIME_UNKNOWN",
            f"unknown runtime {runtime!r}",
            f"Choose one of {', '.join(RUNTIMES)}.",
        )
    if runtime == "auto":
        runtime = _suitable(device)
    if runtime == TORCH:
        require("network", "the runtime 'torch' needs PyTorch")
        return Runtime(TORCH, str(choose_device(device)))
    if device not in ("auto", "cpu"):
        raise MimirError(
            "DEVICE_MISSING",
            f"ONNX Runtime does not use the device {device}",
            "Use the device 'cpu', or the runtime 'torch'.",
        )
    require("onnx")
    return Runtime(ONNX, "cpu")


def _suitable(device: str) -> str:
    """Return the runtime that suits this machine and the device."""
    has_torch = is_installed("network")
    if device not in ("auto", "cpu"):
        return TORCH
    if not has_torch and not is_installed("onnx"):
        raise MimirError(
            "EXTRA_MISSING",
            "measuring with networks needs ONNX Runtime or PyTorch, and neither is installed",
            "Run: pip install 'mimir-engine[onnx]' (about 200 MB on disk), or for a graphics card:"
            " pip install 'mimir-engine[network]'.",
        )
    if not has_torch:
        return ONNX
    if not is_installed("onnx"):
        return TORCH
    if device == "auto" and may_have_gpu():
        require("network", "measuring on a graphics card needs PyTorch")
        return TORCH if choose_device().type != "cpu" else ONNX
    return ONNX
