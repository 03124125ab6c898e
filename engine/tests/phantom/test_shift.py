"""Check phantoms that differ from those of training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mimir_engine.cli.phantom import SHIFT_NAMES
from mimir_engine.errors import MimirError
from mimir_engine.phantom.anatomy import build_body
from mimir_engine.phantom.population import draw_person
from mimir_engine.phantom.projection_folder import write_projections
from mimir_engine.phantom.render_projection import render_projection
from mimir_engine.phantom.scanner import draw_stations
from mimir_engine.phantom.shift import (
    MAX_SUBCUTANEOUS,
    SHIFTS,
    VARIED,
    Shift,
    drawn_shift,
    find_shift,
    shifted_noise,
    shifted_person,
    shifted_signal,
)
from mimir_engine.training.dataset import load_dataset

SEED = 2_000_001


def test_no_shift_changes_nothing() -> None:
    person, none = draw_person(SEED), SHIFTS["none"]
    assert shifted_person(person, none) == person
    assert np.array_equal(render_projection(SEED, shift=none), render_projection(SEED))


def test_each_shift_changes_what_it_is_named_for() -> None:
    person = draw_person(SEED)
    fatter = shifted_person(person, SHIFTS["bodies"])
    assert fatter.height == pytest.approx(0.96 * person.height)
    assert fatter.visceral == pytest.approx(1.35 * person.visceral)
    truth, before = build_body(fatter).truth(), build_body(person).truth()
    assert truth["totalFatVolume"] > before["totalFatVolume"]
    assert truth["height"] < before["height"]
    body = build_body(person)
    darker = shifted_signal(body, SHIFTS["contrast"])
    assert [t.water for t in darker.tissues] == [0.8 * t.water for t in body.tissues]
    assert [t.fat for t in darker.tissues] == [t.fat for t in body.tissues]
    stations = draw_stations(SEED)
    noisier = shifted_noise(stations, SHIFTS["noise"])
    assert [s.sigma for s in noisier] == [1.5 * s.sigma for s in stations]


def test_a_shift_stays_within_the_populations_limits() -> None:
    fat = replace(draw_person(SEED), subcutaneous=50.0)
    assert shifted_person(fat, Shift(fat=2.0)).subcutaneous == MAX_SUBCUTANEOUS


@pytest.mark.parametrize("name", ["noise", "bodies", "contrast"])
def test_shifted_projections_differ_and_name_the_shift(name: str, tmp_path: Path) -> None:
    write_projections(tmp_path / "plain", range(SEED, SEED + 1))
    write_projections(tmp_path / "shifted", range(SEED, SEED + 1), shift=name)
    plain, shifted = (np.load(tmp_path / f / "images.npy") for f in ("plain", "shifted"))
    assert not np.array_equal(plain, shifted)
    assert load_dataset(tmp_path / "shifted").provenance["shift"] == name
    truths = [np.load(tmp_path / f / "targets.npy") for f in ("plain", "shifted")]
    assert np.array_equal(*truths) == (name != "bodies"), "signal and noise do not change the truth"
    with pytest.raises(MimirError, match="PHANTOM_FOLDER"):
        write_projections(tmp_path / "plain", range(SEED, SEED + 1), shift=name)


def test_the_command_line_knows_all_shifts() -> None:
    assert (*SHIFTS, VARIED) == SHIFT_NAMES


def test_a_varied_shift_is_another_one_for_each_seed() -> None:
    drawn = [drawn_shift(VARIED, 1.0, seed) for seed in range(SEED, SEED + 40)]
    assert drawn_shift(VARIED, 1.0, SEED) == drawn[0]
    assert len({shift.water for shift in drawn}) == len(drawn)
    assert all(0.8 <= shift.water <= 1.25 for shift in drawn)
    bodies = [shift.fat for shift in drawn if shift.beyond]
    assert 5 < len(bodies) < 35
    assert min(bodies) < 0.8 < 1.2 < max(bodies), "lean and obese"


def test_an_unknown_shift_is_named(tmp_path: Path) -> None:
    with pytest.raises(MimirError, match=r"SHIFT_UNKNOWN.*noise"):
        find_shift("everything")
    with pytest.raises(MimirError, match="SHIFT_UNKNOWN"):
        write_projections(tmp_path, range(3), shift="everything")
