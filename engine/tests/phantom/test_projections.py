"""Folders of projections for training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mimir_engine.errors import MimirError
from mimir_engine.phantom.anatomy import build_body
from mimir_engine.phantom.body import TARGETS
from mimir_engine.phantom.population import draw_person
from mimir_engine.phantom.projections import write_projections
from mimir_engine.phantom.render_projection import project_directly

SEEDS = (11, 12, 13)


def test_rows_are_the_phantoms_of_the_seeds(tmp_path: Path):
    write_projections(tmp_path / "set", SEEDS)
    images, targets = (np.load(tmp_path / "set" / f"{n}.npy") for n in ("images", "targets"))
    assert images.shape == (3, 3, 256, 256)
    assert images.dtype == np.uint8
    for row, seed in enumerate(SEEDS):
        assert np.array_equal(images[row], project_directly(seed))
        truth = build_body(draw_person(seed)).truth()
        assert targets[row] == pytest.approx(list(truth.values()), rel=1e-6)


def test_the_folder_says_what_it_holds(tmp_path: Path):
    write_projections(tmp_path / "set", SEEDS)
    note = json.loads((tmp_path / "set" / "projections.json").read_text())
    assert note == {
        "names": list(TARGETS),
        "units": list(TARGETS.values()),
        "seeds": list(SEEDS),
    }


def test_a_killed_run_goes_on_where_it_stopped(tmp_path: Path):
    folder = tmp_path / "set"
    write_projections(folder, SEEDS)
    whole = np.load(folder / "images.npy")
    images, done = (np.load(folder / f"{n}.npy", mmap_mode="r+") for n in ("images", "done"))
    images[0], images[1], done[1] = 7, 0, False
    images.flush()
    done.flush()
    reports: list[tuple[int, int]] = []
    write_projections(folder, SEEDS, progress=lambda n, of: reports.append((n, of)))
    after = np.load(folder / "images.npy")
    assert np.all(after[0] == 7), "a row that was done is not made again"
    assert np.array_equal(after[1:], whole[1:])
    assert np.load(folder / "done.npy").all()
    assert reports == [(3, 3)]


def test_processes_make_what_one_makes(tmp_path: Path):
    write_projections(tmp_path / "one", SEEDS)
    write_projections(tmp_path / "two", SEEDS, processes=2)
    for name in ("images", "targets", "done"):
        one, two = (np.load(tmp_path / folder / f"{name}.npy") for folder in ("one", "two"))
        assert np.array_equal(one, two)


def test_a_folder_of_other_phantoms_is_refused(tmp_path: Path):
    write_projections(tmp_path / "set", SEEDS)
    with pytest.raises(MimirError, match="PHANTOM_FOLDER"):
        write_projections(tmp_path / "set", (14,))
