"""Test the profile of usual scans: what it finds unusual, what it says, and its file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Optional

import numpy as np
import pytest
from random_modules import module_spec

pytest.importorskip("safetensors")

from mimir_engine.errors import MimirError
from mimir_engine.inference_module.fit_profile import UsualScans, fit_profile
from mimir_engine.inference_module.format import WeightsFile
from mimir_engine.inference_module.other_profile import with_profiles
from mimir_engine.inference_module.profile_file import (
    read_profile,
    write_profile,
)
from mimir_engine.inference_module.scan_profile import ScanProfile
from mimir_engine.measuring.scan_comparison import ScanComparison, compare_scan

NAMES = ("lean_to_fat", "noise", "voids_low", "border_contact")
NETWORK = "1" * 64
MODULE = module_spec(weights=(WeightsFile("weights.safetensors", NETWORK),))


def usual_scans(count: int, seed: int = 0) -> UsualScans:
    """Scans of four numbers, the first two of which go together, and of one layer."""
    rng = np.random.default_rng(seed)
    ratio = rng.normal(0.8, 0.05, count)
    noise = 0.02 * (ratio / 0.8) * np.exp(rng.normal(0.0, 0.02, count))
    numbers = np.stack([ratio, noise, rng.lognormal(1, 1, count), np.zeros(count)], axis=1)
    directions = np.random.default_rng(99).normal(size=(10, 128))
    features = rng.standard_normal((count, 10)) @ directions + rng.normal(5, 0.05, (count, 128))
    return UsualScans(
        [f"person {row}" for row in range(count)],
        np.zeros(count, bool),
        NAMES,
        numbers,
        {"relu": features.astype(np.float32)},
    )


def profile_of(scans: UsualScans) -> ScanProfile:
    profile = fit_profile(scans, NETWORK)
    assert profile is not None
    return profile


def compared(
    profile: Optional[ScanProfile], scans: UsualScans, row: int = 0, **changes: float
) -> ScanComparison:
    """Compare one scan, with some numbers changed."""
    numbers = {**dict(zip(NAMES, scans.numbers[row])), **changes}
    layers = {name: features[row] for name, features in scans.layers.items()}
    return compare_scan(replace(MODULE, other_profile=profile), numbers, layers)


def test_one_in_a_hundred_usual_scans_is_unusual() -> None:
    profile, later = profile_of(usual_scans(2_000)), usual_scans(2_000, seed=1)
    share = np.mean([compared(profile, later, row).is_unusual for row in range(len(later))])
    assert 0.002 < share < 0.022
    assert profile.flagged[1] < 0.01 < profile.flagged[2]


def test_the_profile_flags_only_what_the_checks_have_left_of_one_percent() -> None:
    scans = usual_scans(1_000)
    flagged = np.arange(1_000) % 140 == 0  # 0.75 %
    profile = profile_of(replace(scans, flagged=flagged))
    assert profile.flagged[0] == pytest.approx(0.01, abs=0.003)
    assert all(limit > profile_of(scans).limits[name] for name, limit in profile.limits.items())


def test_a_number_far_from_usual_is_named_with_its_usual_range() -> None:
    comparison = compared(profile_of(usual_scans(400)), usual_scans(1, seed=1), lean_to_fat=0.5)
    assert comparison.is_unusual
    first = comparison.contributions[0]
    assert first.name in ("lean_to_fat", "noise")
    words = next(c.words for c in comparison.contributions if c.name == "lean_to_fat")
    assert words.startswith("lean to fat signal 0.5; 0.7")
    assert "scans of the module's calibration" in comparison.sentence


def test_two_usual_numbers_that_do_not_go_together_are_unusual() -> None:
    profile, scan = profile_of(usual_scans(400)), usual_scans(1, seed=1)
    assert not compared(profile, scan, lean_to_fat=0.88, noise=0.022).is_unusual
    assert compared(profile, scan, lean_to_fat=0.88, noise=0.018).is_unusual


def test_an_image_that_the_early_layers_do_not_know_is_unusual() -> None:
    profile, scan = profile_of(usual_scans(400)), usual_scans(1, seed=1)
    features = scan.layers["relu"] + np.random.default_rng(3).normal(0, 1, 128).astype(np.float32)
    comparison = compared(profile, replace(scan, layers={"relu": features}))
    assert comparison.is_unusual
    assert comparison.contributions[0].words.startswith("fine detail, as the network sees it")


def test_a_number_that_a_scan_does_not_show_does_not_count() -> None:
    profile, scan = profile_of(usual_scans(400)), usual_scans(1, seed=1)
    comparison = compared(profile, scan, lean_to_fat=float("nan"), noise=float("nan"))
    assert not comparison.is_unusual
    assert {c.name for c in comparison.contributions} <= {"voids_low", "relu"}


def test_a_number_that_does_not_vary_among_usual_scans_is_left_to_the_checks() -> None:
    profile = profile_of(usual_scans(400))
    assert profile.numbers is not None
    assert profile.numbers.names == ("lean_to_fat", "noise", "voids_low")


def test_scans_without_known_numbers_are_compared_by_their_images_alone() -> None:
    scans = usual_scans(400)
    profile = profile_of(replace(scans, names=(), numbers=np.zeros((400, 0))))
    assert profile.numbers is None
    assert not compared(profile, scans, lean_to_fat=0.1).is_unusual


def test_fewer_than_100_usual_scans_are_no_reference() -> None:
    scans = usual_scans(101)
    assert fit_profile(replace(scans, flagged=np.arange(101) < 2), NETWORK) is None
    assert fit_profile(replace(scans, flagged=np.arange(101) < 1), NETWORK) is not None


def test_a_module_without_a_profile_does_not_know() -> None:
    comparison = compared(None, usual_scans(1))
    assert (comparison.verdict, comparison.ratio) == ("NOT_KNOWN", None)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e4])
def test_a_layer_that_sees_the_same_in_all_images_is_left_out(value: float) -> None:
    rounding = 1 + 6e-8 * np.random.default_rng(1).integers(-1, 2, (200, 300))
    flat = {"layer1": (value * rounding).astype(np.float32)}
    scans = usual_scans(200)
    profile = profile_of(replace(scans, layers={**scans.layers, **flat}))
    assert set(profile.layers) == {"relu"}


def test_the_file_holds_no_scan_and_is_read_back_unchanged(tmp_path: Path) -> None:
    scans = usual_scans(300)
    profile = profile_of(scans)
    write_profile(tmp_path / "profile.safetensors", profile)
    again = read_profile(tmp_path / "profile.safetensors")
    later = usual_scans(5, seed=1)
    for row in range(5):
        found, expected = compared(again, later, row), compared(profile, later, row)
        assert found.ratio == pytest.approx(expected.ratio)
        assert found.sentence == expected.sentence
    assert (again.promise, again.reference) == (profile.promise, profile.reference)
    kept = [value for values in again.numbers.quantiles.values() for value in values]  # type: ignore[union-attr]
    assert scans.numbers[:, :3].max() not in kept
    assert scans.numbers[:, :3].min() not in kept


def test_a_profile_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "profile.safetensors"
    write_profile(path, profile_of(usual_scans(200)))
    (module,) = with_profiles([MODULE], [path])
    assert module.profile() is not None
    other = replace(MODULE, weights=(WeightsFile("weights.safetensors", "2" * 64),))
    with pytest.raises(MimirError, match=r"PROFILE_MISMATCH: profile.safetensors"):
        with_profiles([other], [path])


def test_a_damaged_profile_is_refused_in_one_line(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    path = tmp_path / "profile.safetensors"
    for content in (b"", b"nothing of the kind", b"\xff" * 20):
        path.write_bytes(content)
        with pytest.raises(MimirError, match=r"PROFILE_INVALID: profile.safetensors"):
            read_profile(path)
    save_file({"mean": np.ones(3, np.float32)}, path)
    with pytest.raises(MimirError, match="PROFILE_INVALID"):
        read_profile(path)
    write_profile(path, profile_of(usual_scans(200)))
    for text in (b'"limits', b'\\"scans', b'\\"levels'):
        damaged = path.read_bytes().replace(text, text[:-1] + b"X")
        (tmp_path / "damaged.safetensors").write_bytes(damaged)
        if damaged != path.read_bytes():
            with pytest.raises(MimirError, match="PROFILE_INVALID"):
                read_profile(tmp_path / "damaged.safetensors")
