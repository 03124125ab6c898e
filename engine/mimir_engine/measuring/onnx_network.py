"""Run a network with ONNX Runtime, on the CPU.

Its threads sleep while they wait for each other. By default they would spin, which takes 3 % less
time on an idle computer, and 25 % more processor time beside readers that need the same cores.
"""

from __future__ import annotations

import numpy as np
import onnxruntime

from mimir_engine.inference_module.weights import Weights
from mimir_engine.measuring.device import thread_count
from mimir_engine.measuring.resnet_graph import INPUT, layer_outputs, resnet_graph
from mimir_engine.measuring.runtime import EARLY_LAYERS

#: Images per batch; the last batch is padded. More take no less time per image, and more memory.
BATCH_SIZE = 4
#: Only errors are logged: warnings are about the processor's topology in containers and the like.
LOG_ERRORS = 3


class OnnxNetwork:
    """A network in ONNX Runtime; see ``runtime.Network``.

    Args:
        architecture: One of ``ARCHITECTURES``.
        target_count: Number of targets.
        weights: The state dict, float32.
        describes_layers: Also describe what `EARLY_LAYERS` see.
    """

    batch_size = BATCH_SIZE

    def __init__(
        self,
        architecture: str,
        target_count: int,
        weights: Weights,
        describes_layers: bool = False,
    ) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = thread_count()
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = LOG_ERRORS
        graph = resnet_graph(architecture, target_count, weights, BATCH_SIZE, describes_layers)
        self._layers = EARLY_LAYERS if describes_layers else ()
        self._session = onnxruntime.InferenceSession(
            graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Run the network."""
        outputs, *described = self._session.run(None, {INPUT: images})
        names = [name for layer in self._layers for name in layer_outputs(layer)]
        found = dict(zip(names, described))
        return outputs, {
            layer: _mean_and_sd(*(found[name] for name in layer_outputs(layer)))
            for layer in self._layers
        }


def _mean_and_sd(mean: np.ndarray, mean_square: np.ndarray) -> np.ndarray:
    """Return mean and SD of each channel, ``(images, 2 * channels)``."""
    sd = np.sqrt(np.maximum(mean_square - mean * mean, 0.0))
    return np.concatenate([mean, sd], axis=1)
