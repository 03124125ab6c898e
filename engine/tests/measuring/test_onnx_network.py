# ruff: noqa: E402  (without ONNX Runtime the file is skipped before it imports what needs it)
"""The graph for ONNX Runtime computes what torchvision's network computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")
from random_modules import random_images, random_state_dict, random_weights

from mimir_engine import find_module
from mimir_engine.inference_module.architecture import ARCHITECTURES, build_network
from mimir_engine.measuring.network import Predictor
from mimir_engine.measuring.onnx_network import OnnxNetwork
from mimir_engine.measuring.resnet_graph import IR_VERSION, OPSET, resnet_graph

IMAGES = random_images(4)
#: Estimates of the included module for `IMAGES` by PyTorch 2.14: means of the first three
#: targets, in SDs of the training data.
FROM_TORCH = [
    [0.973084, 2.377222, 4.239339],
    [0.958077, 2.488658, 4.217865],
    [0.733067, 2.415443, 4.244723],
    [0.800759, 2.074979, 4.183119],
]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_outputs_are_those_of_torchvision(architecture: str) -> None:
    torch = pytest.importorskip("torch")
    state = random_state_dict(3, 0, architecture)
    network = build_network(architecture, 3).eval()
    network.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
    with torch.inference_mode():
        expected = network(torch.from_numpy(IMAGES).float()).numpy()
    outputs, _ = OnnxNetwork(architecture, 3, state)(IMAGES)
    assert expected.std(axis=0) == pytest.approx(0.1, rel=1e-2), "the images are told apart"
    assert np.abs(outputs - expected).max() < 1e-4


@pytest.mark.parametrize("architecture", ["resnet18", "resnet50"])
def test_early_layers_are_described_by_mean_and_sd_of_each_channel(architecture: str) -> None:
    torch = pytest.importorskip("torch")
    state = random_state_dict(3, 0, architecture)
    network = build_network(architecture, 3).double().eval()
    network.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
    with torch.inference_mode():
        first = network.relu(network.bn1(network.conv1(torch.from_numpy(IMAGES).double())))
        block = network.layer1(network.maxpool(first))
    _, layers = OnnxNetwork(architecture, 3, state, describes_layers=True)(IMAGES)
    for name, seen in (("relu", first), ("layer1", block)):
        sd = seen.std((2, 3), correction=0)
        expected = np.concatenate([seen.mean((2, 3)), sd], axis=1)
        assert np.abs(layers[name] - expected).max() < 1e-3 * expected.mean()


def test_both_runtimes_estimate_the_same_with_the_included_module() -> None:
    pytest.importorskip("torch")
    module = find_module("phantom")
    (ours, features), (theirs, others) = (
        Predictor(module, "cpu", runtime).predict_with_features(IMAGES)
        for runtime in ("onnx", "torch")
    )
    sd = np.array([target.sd / target.divisor for target in module.targets])
    assert (np.abs(ours.mean - theirs.mean) < 1e-4 * sd).all()
    np.testing.assert_allclose(ours.variance, theirs.variance, rtol=1e-4)
    for name, layer in features.items():
        assert np.abs(layer - others[name]).max() < 1e-3 * others[name].mean()


def test_the_included_module_estimates_what_it_did_with_torch() -> None:
    module = find_module("phantom")
    predicted = Predictor(module, "cpu", "onnx").predict(IMAGES)
    z = [
        (predicted.mean[:, place] * target.divisor - target.mean) / target.sd
        for place, target in enumerate(module.targets[:3])
    ]
    assert np.abs(np.array(z).T - FROM_TORCH).max() < 1e-4


def test_every_study_gets_the_same_numbers_alone_and_among_others() -> None:
    network = OnnxNetwork("resnet18", 2, random_weights("resnet18", 2), describes_layers=True)
    together, layers = network(IMAGES)
    padded = np.zeros_like(IMAGES)
    padded[0] = IMAGES[0]
    alone, alone_layers = network(padded)
    np.testing.assert_allclose(alone[0], together[0], rtol=1e-5, atol=1e-5)
    for name, layer in layers.items():
        np.testing.assert_allclose(alone_layers[name][0], layer[0], rtol=1e-4, atol=1e-5)


def test_the_graph_is_valid_and_old_enough_for_python_3_9(tmp_path: Path) -> None:
    graph = resnet_graph("resnet18", 2, random_weights("resnet18", 2), 4, describes_layers=True)
    onnx.checker.check_model(graph, full_check=True)
    assert (graph.ir_version, graph.opset_import[0].version) == (IR_VERSION, OPSET) == (10, 17)
    kinds = {node.op_type for node in graph.graph.node}
    assert "BatchNormalization" not in kinds, "folded into the convolutions"


def test_the_threads_are_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    from mimir_engine.measuring.device import available_cores, thread_count

    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert thread_count() == 3
    for unset in ("", "all", "0"):
        monkeypatch.setenv("OMP_NUM_THREADS", unset)
        assert thread_count() >= 1
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert thread_count() == available_cores()
