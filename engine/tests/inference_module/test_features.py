"""Test the statistics of features and the distance of images from the calibration data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from random_modules import module_spec, write_without_network

pytest.importorskip("safetensors")

from mimir_engine.errors import MimirError
from mimir_engine.files.file_sha256 import file_sha256
from mimir_engine.inference_module import load_module
from mimir_engine.inference_module.features import (
    FeatureStatistics,
    describe_features,
    distance_ratio,
    read_features,
    write_features,
)
from mimir_engine.inference_module.format import ModuleFile


def drawn(count: int, seed: int = 0) -> np.ndarray:
    """Features of 300 numbers that vary in ten directions, with a little noise."""
    directions = np.random.default_rng(99).normal(size=(10, 300))
    rng = np.random.default_rng(seed)
    scales = np.linspace(3, 0.3, 10)
    noise = 0.05 * rng.standard_normal((count, 300))
    return ((rng.standard_normal((count, 10)) * scales) @ directions + 5 + noise).astype(np.float32)


def shipped(folder: Path, features: np.ndarray, rank: int = 20) -> FeatureStatistics:
    """Write the statistics into a module's folder and read them back."""
    module = load_module(write_without_network(folder))
    statistics = describe_features(features, rank)
    assert statistics is not None
    write_features(folder / "features.safetensors", statistics)
    digest = file_sha256(folder / "features.safetensors")
    file = ModuleFile("features.safetensors", digest)
    found = replace(module, features_file=file).features()
    assert found is not None
    return found


def test_distances_of_new_images_of_the_same_kind_have_the_stored_quantiles(tmp_path: Path) -> None:
    statistics = shipped(tmp_path / "trial", drawn(800))
    ratios = distance_ratio(statistics, drawn(2_000, seed=1))
    for level in (0.5, 0.9, 0.95):
        (quantile,) = statistics.quantiles[np.isclose(statistics.levels, level)]
        share = (ratios <= quantile / statistics.quantiles[-1]).mean()
        assert share == pytest.approx(level, abs=0.03)
    assert np.median(ratios) < 1


def test_images_outside_the_data_in_either_way_have_large_distances(tmp_path: Path) -> None:
    statistics = shipped(tmp_path / "trial", drawn(800))
    usual = drawn(50, seed=1)
    further = usual + 4 * (usual - usual.mean(axis=0))
    elsewhere = usual + np.random.default_rng(3).standard_normal(300).astype(np.float32)
    for unusual in (further, elsewhere):
        ratios = distance_ratio(statistics, unusual)
        assert ratios.min() > 0.5
        assert np.median(ratios) > 3


def test_components_are_those_of_scikit_learn() -> None:
    decomposition = pytest.importorskip("sklearn.decomposition")
    features = drawn(400)
    statistics = describe_features(features, rank=8)
    assert statistics is not None
    pca = decomposition.PCA(8, svd_solver="full").fit(features.astype(np.float64))
    assert statistics.variances == pytest.approx(pca.explained_variance_, rel=1e-5)
    overlap = np.abs((statistics.components * pca.components_).sum(axis=1))
    assert overlap == pytest.approx(np.ones(8), abs=1e-5)


def test_the_part_inside_the_components_is_the_distance_of_mahalanobis(tmp_path: Path) -> None:
    scipy = pytest.importorskip("scipy.spatial.distance")
    features = drawn(400).astype(np.float64)[:, :12]
    statistics = describe_features(features, rank=11)
    assert statistics is not None
    shifted = features[:1] + 2
    inside = ((shifted - statistics.mean) @ statistics.components.T)[0]
    covariance = np.cov(features.T)
    projected = statistics.components @ covariance @ statistics.components.T
    expected = scipy.mahalanobis(inside, np.zeros(11), np.linalg.inv(projected)) ** 2
    assert (inside**2 / statistics.variances).sum() == pytest.approx(expected, rel=1e-4)


def test_the_file_is_small_and_is_read_back_unchanged(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    statistics = describe_features(rng.standard_normal((260, 2048)).astype(np.float32))
    assert statistics is not None
    write_features(tmp_path / "features.safetensors", statistics)
    assert (tmp_path / "features.safetensors").stat().st_size < 1e6
    again = read_features(tmp_path / "features.safetensors")
    for name in ("mean", "components", "variances", "residual_scale", "levels", "quantiles"):
        assert np.array_equal(getattr(again, name), getattr(statistics, name))


def test_too_few_images_give_no_statistics() -> None:
    assert describe_features(drawn(49)) is None


@pytest.mark.parametrize("value", [0.0, 0.1, 1e4])
def test_constant_features_give_no_statistics(value: float) -> None:
    rng = np.random.default_rng(1)
    rounding = 1 + 6e-8 * rng.integers(-1, 2, (60, 300))
    assert describe_features((value * rounding).astype(np.float32)) is None


def test_residuals_of_rounding_errors_only_give_finite_distances() -> None:
    rng = np.random.default_rng(1)
    flat = (rng.standard_normal((200, 3)) @ rng.standard_normal((3, 300))).astype(np.float32)
    statistics = describe_features(flat, rank=20)
    assert statistics is not None
    fresh = (rng.standard_normal((50, 3)) @ rng.standard_normal((3, 300))).astype(np.float32)
    assert np.isfinite(distance_ratio(statistics, fresh)).all()
    assert module_spec().features() is None


def test_features_of_another_network_are_refused(tmp_path: Path) -> None:
    statistics = shipped(tmp_path / "trial", drawn(100))
    with pytest.raises(MimirError, match="FEATURES_INVALID"):
        distance_ratio(statistics, np.ones((1, 512), np.float32))


def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    path = tmp_path / "features.safetensors"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(MimirError, match="FEATURES_INVALID"):
        read_features(path)
    save_file({"mean": np.ones(3, np.float32)}, path)
    with pytest.raises(MimirError, match=r"FEATURES_INVALID.*does not contain"):
        read_features(path)
    one = np.ones(1, np.float32)
    with pytest.raises(MimirError, match=r"FEATURES_INVALID.*must be above 0"):
        FeatureStatistics(one, np.ones((1, 1), np.float32), 0 * one, one)
