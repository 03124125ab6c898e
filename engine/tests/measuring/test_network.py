from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from random_modules import module_spec, random_images, random_state_dict, runtimes

from mimir_engine.errors import MimirError
from mimir_engine.inference_module import InferenceModule, write_module
from mimir_engine.measuring.network import Prediction, Predictor, to_units

IMAGES = random_images(3)


@pytest.fixture(scope="module", params=runtimes())
def runtime(request: pytest.FixtureRequest) -> str:
    """Each runtime that is installed."""
    return request.param


@pytest.fixture(scope="module")
def module(runtime: str, tmp_path_factory: pytest.TempPathFactory) -> InferenceModule:
    folder = tmp_path_factory.mktemp("modules") / "trial"
    return write_module(folder, module_spec(), [random_state_dict()])


def raw_outputs(runtime: str, count: int, seed: int = 0) -> np.ndarray:
    """Outputs of the network alone for the images, in the SDs of the training data."""
    spec = module_spec(targets=tuple(replace(t, **PLAIN) for t in module_spec().targets))
    with tempfile.TemporaryDirectory() as folder:
        plain = write_module(Path(folder) / "trial", spec, [random_state_dict(seed=seed)])
        predicted = Predictor(plain, "cpu", runtime).predict(IMAGES[:count])
    return np.stack([predicted.mean, np.log(predicted.variance)], axis=-1)


#: Scales of a target that change nothing.
PLAIN = {"divisor": 1.0, "mean": 0.0, "sd": 1.0, "variance_factor": 1.0}


@pytest.fixture(scope="module")
def outputs(runtime: str) -> np.ndarray:
    return raw_outputs(runtime, len(IMAGES))


@pytest.fixture(scope="module")
def prediction(module: InferenceModule, runtime: str) -> Prediction:
    return Predictor(module, "cpu", runtime).predict(IMAGES)


def test_means_are_in_the_target_s_unit(prediction: Prediction, outputs: np.ndarray) -> None:
    liver, height, sex = prediction.mean.T
    assert np.abs(liver - (outputs[:, 0, 0] * 330 + 1450) / 1000).max() < 1e-4 * 0.330
    assert np.abs(height - (outputs[:, 1, 0] * 9.2 + 169)).max() < 1e-4 * 9.2
    assert np.abs(sex - (outputs[:, 2, 0] * 0.5 + 0.48)).max() < 1e-4 * 0.5


def test_variances_are_in_the_unit_squared(prediction: Prediction, outputs: np.ndarray) -> None:
    variance = prediction.variance
    liver = np.exp(outputs[:, 0, 1]) * 330**2 * 1.3 / 1000**2
    height = np.exp(outputs[:, 1, 1]) * 9.2**2 * 0.8
    np.testing.assert_allclose(variance[:, 0], liver, rtol=1e-4)
    np.testing.assert_allclose(variance[:, 1], height, rtol=1e-4)


@pytest.mark.parametrize("rows", [(1,), (1, 0), (2, 1, 0), (1, 1, 1, 1), (0, 2, 0, 0, 2, 1)])
def test_a_study_gets_the_same_bits_alone_and_at_any_place_among_others(
    module: InferenceModule, runtime: str, rows: tuple[int, ...]
) -> None:
    predictor = Predictor(module, "cpu", runtime)
    expected, of_layers = predictor.predict_with_features(IMAGES)
    found, layers = predictor.predict_with_features(IMAGES[list(rows)])
    for row, image in enumerate(rows):
        assert np.array_equal(found.mean[row], expected.mean[image])
        assert np.array_equal(found.variance[row], expected.variance[image])
        for name, layer in layers.items():
            assert np.array_equal(layer[row], of_layers[name][image])


def test_threads_of_onnx_runtime_change_no_bit_and_those_of_pytorch_only_the_last(
    module: InferenceModule, runtime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for threads in "12":
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        found.append(Predictor(module, "cpu", runtime).predict(IMAGES))
    (one, two), tolerance = found, 0.0 if runtime == "onnx" else 1e-5
    np.testing.assert_allclose(two.mean, one.mean, rtol=tolerance)
    np.testing.assert_allclose(two.variance, one.variance, rtol=tolerance)


def test_the_layers_come_with_the_same_prediction(
    module: InferenceModule, prediction: Prediction, runtime: str
) -> None:
    again, layers = Predictor(module, "cpu", runtime).predict_with_features(IMAGES)
    assert np.array_equal(again.mean, prediction.mean)
    assert {name: layer.shape for name, layer in layers.items()} == {
        "relu": (3, 2 * 64),
        "layer1": (3, 2 * 256),
    }


def test_no_images_give_no_rows(module: InferenceModule, runtime: str) -> None:
    assert Predictor(module, "cpu", runtime).predict(IMAGES[:0]).mean.shape == (0, 3)


def test_an_ensemble_is_the_mixture_of_its_networks(
    tmp_path: Path, outputs: np.ndarray, runtime: str
) -> None:
    state_dicts = [random_state_dict(), random_state_dict(seed=1)]
    ensemble = write_module(tmp_path / "ensemble", module_spec(), state_dicts)
    assert [w.file for w in ensemble.weights] == ["weights1.safetensors", "weights2.safetensors"]
    prediction = Predictor(ensemble, "cpu", runtime).predict(IMAGES[:1])
    both = np.stack([outputs[:1], raw_outputs(runtime, 1, seed=1)])[:, :, 1]  # height
    mean, own_variance = both[..., 0].mean(axis=0), np.exp(both[..., 1]).mean(axis=0)
    between = (both[0, :, 0] - both[1, :, 0]) ** 2 / 4
    np.testing.assert_allclose(prediction.mean[:, 1], mean * 9.2 + 169, rtol=1e-5)
    np.testing.assert_allclose(
        prediction.variance[:, 1], (own_variance + between) * 9.2**2 * 0.8, rtol=1e-3
    )


def test_the_mean_correction_acts_on_the_standardised_mean() -> None:
    target = replace(module_spec().targets[0], mean_slope=1.1, mean_offset=0.2)
    module = module_spec(targets=(target,))
    prediction = to_units(module, np.array([[[[2.0, 0.0]]]]))
    assert prediction.mean[0, 0] == pytest.approx(((1.1 * 2 + 0.2) * 330 + 1450) / 1000)


@pytest.mark.parametrize("output", [[np.nan, 0.0], [0.0, np.inf], [0.0, 1e4]])
def test_numbers_that_are_not_finite_are_refused(output: list[float]) -> None:
    module = module_spec(targets=module_spec().targets[:1])
    with pytest.raises(MimirError, match="PREDICTION_NOT_FINITE"):
        to_units(module, np.array([[[output]]]))


def test_eight_bit_weights_cost_little(tmp_path: Path, outputs: np.ndarray, runtime: str) -> None:
    small = write_module(tmp_path / "small", module_spec(), [random_state_dict()], eight_bit=True)
    mean = Predictor(small, "cpu", runtime).predict(IMAGES[:1]).mean[0]
    assert abs(mean[1] - (outputs[0, 1, 0] * 9.2 + 169)) < 0.2 * 9.2


def test_changed_weights_are_refused_before_they_are_loaded(
    module: InferenceModule, tmp_path: Path, runtime: str
) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(module.folder, folder)
    with open(folder / "weights.safetensors", "r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x55")
    with pytest.raises(MimirError, match=r"MODULE_DAMAGED: weights\.safetensors"):
        Predictor(replace(module, folder=folder), "cpu", runtime)


def test_weights_of_another_number_of_targets_are_refused(
    module: InferenceModule, runtime: str
) -> None:
    with pytest.raises(MimirError, match="WEIGHTS_MISMATCH"):
        Predictor(replace(module, targets=module.targets[:2]), "cpu", runtime)


@pytest.mark.parametrize(
    "images",
    [IMAGES[0], IMAGES[:, :2], IMAGES.astype(np.float32), IMAGES[..., :128]],
    ids=["one image", "two channels", "floats", "half an image"],
)
def test_images_of_another_form_are_refused(
    module: InferenceModule, images: np.ndarray, runtime: str
) -> None:
    with pytest.raises(MimirError, match="IMAGE_INVALID"):
        Predictor(module, "cpu", runtime).predict(images)


def test_an_unknown_architecture_is_refused(module: InferenceModule, runtime: str) -> None:
    with pytest.raises(MimirError, match="ARCHITECTURE_UNKNOWN"):
        Predictor(replace(module, architecture="resnet51"), "cpu", runtime)
