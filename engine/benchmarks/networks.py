"""Networks per second: ONNX Runtime, PyTorch as MIMIR uses it, and PyTorch tuned, in one run.

    python engine/benchmarks/networks.py --rounds 9

The three take turns, so that a busy machine slows all of them; medians are compared. All compute in
float32 on the processor, with the batch size of MIMIR. *Tuned* is PyTorch's graph, frozen and
optimised for inference, which joins operations and lays weights out for oneDNN.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from typing import Callable

import numpy as np
import torch

from mimir_engine import find_module
from mimir_engine.inference_module.architecture import expected_shapes
from mimir_engine.inference_module.weights import load_weights
from mimir_engine.measuring.device import cpu_threads, thread_count
from mimir_engine.measuring.onnx_network import OnnxNetwork
from mimir_engine.measuring.torch_network import TorchNetwork, load_network

#: Images per call, the batch of the networks on a processor.
BATCH = OnnxNetwork.batch_size


def main() -> None:
    """Print images per second of each, and how the others compare with PyTorch as it is used."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--batches", type=int, default=4, help="per round")
    options = parser.parse_args()
    module = find_module("phantom")
    count = len(module.targets)
    shapes = expected_shapes(module.architecture, count)
    weights = load_weights(module.folder / module.weights[0].file, shapes)
    networks = {
        "ONNX Runtime": OnnxNetwork(module.architecture, count, weights, True),
        "PyTorch": TorchNetwork(module.architecture, count, weights, "cpu", True),
        "PyTorch tuned": tuned(module.architecture, count, weights),
    }
    images = np.random.default_rng(0).integers(0, 256, (BATCH, 3, 256, 256), np.uint8)
    speeds: dict[str, list[float]] = {name: [] for name in networks}
    for number in range(options.rounds + 1):
        for name, network in networks.items():
            begun = time.perf_counter()
            for _ in range(options.batches):
                network(images)
            seconds = time.perf_counter() - begun
            if number:  # the first round warms up
                speeds[name].append(options.batches * BATCH / seconds)
    print(f"{module.architecture}, batches of {BATCH}, {thread_count()} threads")
    for name, found in speeds.items():
        ratio = statistics.median(a / b for a, b in zip(found, speeds["PyTorch"]))
        print(f"{name:14s} {statistics.median(found):6.1f} images/s  {ratio:.2f} x PyTorch")


def tuned(
    architecture: str, count: int, weights: dict[str, np.ndarray]
) -> Callable[[np.ndarray], object]:
    """Return PyTorch's network, traced, frozen and optimised for inference."""
    warnings.simplefilter("ignore")  # newer PyTorch prefers compilers that the machine may lack
    tensors = {name: torch.from_numpy(array) for name, array in weights.items()}
    with torch.inference_mode():
        network = load_network(architecture, count, tensors, "cpu")
        example = torch.zeros(BATCH, 3, 256, 256).to(memory_format=torch.channels_last)
        frozen = torch.jit.freeze(torch.jit.trace(network, example))
        graph = torch.jit.optimize_for_inference(frozen)

    def run(images: np.ndarray) -> object:
        with torch.inference_mode(), cpu_threads():
            pixels = torch.from_numpy(images)
            return graph(pixels.to(torch.float32, memory_format=torch.channels_last)).numpy()

    return run


if __name__ == "__main__":
    main()
