"""Volumes of another contrast than water and fat lack lean tissue or fat."""

from __future__ import annotations

import numpy as np
import pytest
from phantom_stations import phantom_stations

from mimir_engine.checks.body_sample import BodySample, body_sample
from mimir_engine.checks.signal.missing_tissue import find_missing_tissue
from mimir_engine.fusion import fuse

SEEDS = range(3, 7)


@pytest.fixture(scope="module", params=SEEDS)
def sample(request: pytest.FixtureRequest) -> BodySample:
    """Water and fat of a body; tests must not change them."""
    return body_sample(fuse(phantom_stations(request.param)))


def missing(sample: BodySample, water: np.ndarray, fat: np.ndarray) -> list[str]:
    other = BodySample(water, fat, sample.borders, sample.z_mm, sample.step_mm)
    findings = find_missing_tissue(other)
    assert {finding.code for finding in findings} <= {"TISSUE_MISSING"}
    return [finding.sentence.partition(" shows as ")[2].partition(":")[0] for finding in findings]


def test_water_and_fat_have_lean_tissue_and_fat(sample: BodySample) -> None:
    assert missing(sample, sample.water, sample.fat) == []
    assert missing(sample, 3 * sample.water, 3 * sample.fat) == []


def test_in_phase_is_neither_water_nor_fat(sample: BodySample) -> None:
    assert missing(sample, sample.water, sample.total) == ["lean tissue"]
    assert missing(sample, sample.total, sample.fat) == ["fat"]


def test_a_fat_fraction_map_is_no_fat(sample: BodySample) -> None:
    percent = 100 * sample.fat / np.maximum(sample.total, 1)
    assert missing(sample, 10 * sample.water, percent) == ["fat"]
