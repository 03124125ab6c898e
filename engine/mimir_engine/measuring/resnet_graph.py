"""Describe a ResNet as an ONNX graph, made in memory from the weights of an inference module."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from mimir_engine.inference_module.architecture import (
    STEM,
    Block,
    Convolution,
    residual_blocks,
)
from mimir_engine.inference_module.weights import Weights
from mimir_engine.measuring.runtime import EARLY_LAYERS
from mimir_engine.projection.project import IMAGE_SHAPE

#: The newest that the last ONNX Runtime for Python 3.9 reads; onnx itself would write newer ones.
IR_VERSION = 10
OPSET = 17
#: Added to the variance in torchvision's batch norms.
NORM_EPSILON = 1e-5

INPUT, OUTPUT = "images", "outputs"


def resnet_graph(
    architecture: str,
    target_count: int,
    weights: Weights,
    batch_size: int,
    describes_layers: bool = False,
) -> ModelProto:
    """Make the graph of a ResNet whose batch norms are folded into the convolutions before them.

    Args:
        architecture: One of ``ARCHITECTURES``.
        target_count: Number of targets.
        weights: The state dict, float32.
        batch_size: Images per run.
        describes_layers: Also give the outputs of `layer_outputs` for each of `EARLY_LAYERS`.

    Returns:
        A model from uint8 ``(batch_size, 3, 256, 256)`` to float32 ``(batch_size, 2 * targets)``.

    Raises:
        MimirError: ``ARCHITECTURE_UNKNOWN``.
    """
    graph = _Graph(weights)
    pixels = graph.add("Cast", [INPUT], "pixels", to=TensorProto.FLOAT)
    features = graph.convolved(STEM, pixels, "relu")
    if describes_layers:
        graph.describe("relu", features)
    pool = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}
    features = graph.add("MaxPool", [features], "maxpool", **pool)
    blocks = list(residual_blocks(architecture))
    for block, following in zip(blocks, [*blocks[1:], None]):
        features = graph.block(block, features)
        layer = block.name.partition(".")[0]
        is_last = following is None or not following.name.startswith(f"{layer}.")
        if describes_layers and is_last and layer in EARLY_LAYERS:
            graph.describe(layer, features)
    pooled = graph.pooled(features, "avgpool")
    fc = [graph.constant(name, weights[name]) for name in ("fc.weight", "fc.bias")]
    graph.add("Gemm", [pooled, *fc], OUTPUT, transB=1)
    return graph.model(batch_size, [OUTPUT, *graph.described])


def layer_outputs(layer: str) -> tuple[str, str]:
    """Return the names of the outputs with the mean, and the mean square, of each channel."""
    return f"{layer}.mean", f"{layer}.mean_square"


class _Graph:
    """Nodes and constants of a graph while it is made; each method returns its output's name."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []
        self.described: list[str] = []

    def add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, name: str, values: np.ndarray) -> str:
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def convolved(self, part: Convolution, features: str, activation: str = "") -> str:
        """Add a convolution with its batch norm folded in, and a ReLU named `activation`."""
        gamma, beta, mean, variance = (
            self._weights[f"{part.norm}.{name}"].astype(np.float64)
            for name in ("weight", "bias", "running_mean", "running_var")
        )
        factor = gamma / np.sqrt(variance + NORM_EPSILON)
        kernel = self._weights[f"{part.name}.weight"] * factor.reshape(-1, 1, 1, 1)
        inputs = [
            features,
            self.constant(f"{part.name}.kernel", kernel.astype(np.float32)),
            self.constant(f"{part.name}.bias", (beta - mean * factor).astype(np.float32)),
        ]
        shape = {
            "kernel_shape": [part.size] * 2,
            "strides": [part.stride] * 2,
            "pads": [part.size // 2] * 4,
        }
        convolved = self.add("Conv", inputs, part.name, **shape)
        return self.add("Relu", [convolved], activation) if activation else convolved

    def block(self, block: Block, features: str) -> str:
        """Add a residual block."""
        shortcut = self.convolved(block.shortcut, features) if block.shortcut else features
        *first, last = block.convolutions
        for part in first:
            features = self.convolved(part, features, f"{part.name}.relu")
        added = self.add("Add", [self.convolved(last, features), shortcut], f"{block.name}.sum")
        return self.add("Relu", [added], block.name)

    def pooled(self, features: str, output: str) -> str:
        """Add the mean over rows and columns, ``(images, channels)``."""
        pooled = self.add("GlobalAveragePool", [features], f"{output}.2d")
        return self.add("Flatten", [pooled], output)

    def describe(self, layer: str, features: str) -> None:
        """Add the outputs that describe a layer."""
        mean, mean_square = layer_outputs(layer)
        squares = self.add("Mul", [features, features], f"{layer}.squares")
        self.described += [self.pooled(features, mean), self.pooled(squares, mean_square)]

    def model(self, batch_size: int, outputs: list[str]) -> ModelProto:
        images = helper.make_tensor_value_info(INPUT, TensorProto.UINT8, [batch_size, *IMAGE_SHAPE])
        named = [
            helper.make_tensor_value_info(o, TensorProto.FLOAT, [batch_size, None]) for o in outputs
        ]
        graph = helper.make_graph(self._nodes, "resnet", [images], named, self._constants)
        opset = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION)
