"""Describe the networks: torchvision's ResNets with two outputs per target.

The description needs no PyTorch: the shapes of the weights and the graph for ONNX Runtime follow
from it. `build_network` builds the same network with torchvision.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Optional

from mimir_engine.errors import MimirError

if TYPE_CHECKING:
    from torch import nn

#: For each architecture the convolutions in a block and the blocks in each of its four layers. The
#: first is the published one.
RESNETS = {
    "resnet50": (3, (3, 4, 6, 3)),
    "resnet18": (2, (2, 2, 2, 2)),
    "resnet34": (2, (3, 4, 6, 3)),
    "resnet101": (3, (3, 4, 23, 3)),
}
ARCHITECTURES = tuple(RESNETS)
#: Channels inside the blocks of the four layers.
WIDTHS = (64, 128, 256, 512)
#: Numbers of each channel in a batch norm.
NORM_PARTS = ("weight", "bias", "running_mean", "running_var")


@dataclass(frozen=True)
class Convolution:
    """A convolution without bias, and the batch norm after it.

    Attributes:
        name: Its name in the state dict, like ``layer1.0.conv2``.
        norm: The batch norm's name.
        inputs: Channels.
        outputs: Channels.
        size: Rows and columns of the kernel; padded by half of it.
        stride: In rows and columns.
    """

    name: str
    norm: str
    inputs: int
    outputs: int
    size: int
    stride: int = 1


@dataclass(frozen=True)
class Block:
    """A residual block: its convolutions one after the other, added to its input.

    Attributes:
        name: Like ``layer1.0``.
        convolutions: Two, or three in a bottleneck.
        shortcut: Acts on the input where its shape must change.
    """

    name: str
    convolutions: tuple[Convolution, ...]
    shortcut: Optional[Convolution]


STEM = Convolution("conv1", "bn1", 3, 64, 7, stride=2)


def residual_blocks(architecture: str) -> Iterator[Block]:
    """Yield the residual blocks of an architecture in their order.

    Raises:
        MimirError: ``ARCHITECTURE_UNKNOWN``.
    """
    check_architecture(architecture)
    depth, counts = RESNETS[architecture]
    inputs = STEM.outputs
    for layer, (width, count) in enumerate(zip(WIDTHS, counts), start=1):
        outputs = width * (4 if depth == 3 else 1)
        for index in range(count):
            name, stride = f"layer{layer}.{index}", 2 if layer > 1 and index == 0 else 1
            sizes = (3, 3) if depth == 2 else (1, 3, 1)
            channels = (inputs, *[width] * (depth - 1), outputs)
            strided = sizes.index(3)  # the first convolution that sees neighbours
            convolutions = tuple(
                Convolution(
                    *(f"{name}.conv{place + 1}", f"{name}.bn{place + 1}"),
                    *(channels[place], channels[place + 1]),
                    *(size, stride if place == strided else 1),
                )
                for place, size in enumerate(sizes)
            )
            names = (f"{name}.downsample.0", f"{name}.downsample.1")
            is_same = stride == 1 and inputs == outputs
            shortcut = None if is_same else Convolution(*names, inputs, outputs, 1, stride)
            yield Block(name, convolutions, shortcut)
            inputs = outputs


def expected_shapes(architecture: str, target_count: int) -> dict[str, tuple[int, ...]]:
    """Return names and shapes of the state dict.

    Raises:
        MimirError: ``ARCHITECTURE_UNKNOWN``.
    """
    convolutions = [STEM]
    for block in residual_blocks(architecture):
        convolutions += [*block.convolutions, *([block.shortcut] if block.shortcut else [])]
    shapes: dict[str, tuple[int, ...]] = {}
    for part in convolutions:
        shapes[f"{part.name}.weight"] = (part.outputs, part.inputs, part.size, part.size)
        shapes.update((f"{part.norm}.{name}", (part.outputs,)) for name in NORM_PARTS)
        shapes[f"{part.norm}.num_batches_tracked"] = ()
    shapes["fc.weight"] = (2 * target_count, convolutions[-1].outputs)
    shapes["fc.bias"] = (2 * target_count,)
    return shapes


def check_architecture(architecture: str) -> None:
    """Refuse an architecture that is not one of `ARCHITECTURES`.

    Raises:
        MimirError: ``ARCHITECTURE_UNKNOWN``.
    """
    if architecture not in ARCHITECTURES:
        raise MimirError(
            "ARCHITECTURE_UNKNOWN",
            f"unknown architecture {architecture!r}",
            f"Known architectures: {', '.join(ARCHITECTURES)}.",
        )


def build_network(architecture: str, target_count: int) -> nn.Module:
    """Build a network with torchvision, with random weights and two outputs per target.

    Args:
        architecture: One of `ARCHITECTURES`, torchvision's, with ``fc`` of
            ``2 * target_count`` outputs.
        target_count: Number of targets, at least one.

    Raises:
        MimirError: ``ARCHITECTURE_UNKNOWN`` for another architecture.
    """
    check_architecture(architecture)
    from torchvision.models import get_model

    network: nn.Module = get_model(architecture, weights=None, num_classes=2 * target_count)
    return network
