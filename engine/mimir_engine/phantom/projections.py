"""Many phantoms as projections, for training: three ``.npy`` files that can be mapped into memory.

A folder of projections holds

* ``images.npy``: uint8 ``(N, 3, 256, 256)``;
* ``targets.npy``: float32 ``(N, T)``, the truth;
* ``done.npy``: bool ``(N,)``, which rows are written: a killed run goes on from there;
* ``projections.json``: names and units of the targets, the seeds, and the shift if there is one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.phantom.anatomy import build_body
from mimir_engine.phantom.body import TARGETS
from mimir_engine.phantom.population import draw_person
from mimir_engine.phantom.render_projection import project_directly
from mimir_engine.phantom.shift import find_shift, shifted_person
from mimir_engine.projection.project import IMAGE_SIZE

CHUNK = 25
"""Phantoms a worker makes between two reports."""


def write_projections(
    folder: Path,
    seeds: Sequence[int],
    processes: int = 1,
    progress: Optional[Callable[[int, int], None]] = None,
    shift: str = "none",
) -> None:
    """Make the phantoms with these seeds and write their projections and truth into a folder.

    Args:
        folder: Made if absent; a run that was killed goes on where it stopped.
        seeds: One a row.
        processes: Worker processes; 1 works in this one.
        progress: Called with (rows done, rows in all) now and then.
        shift: Name of what differs from the population and the scanner of training.

    Raises:
        MimirError: ``PHANTOM_FOLDER`` where the folder holds projections of other phantoms,
            ``SHIFT_UNKNOWN``.
    """
    folder = Path(folder)
    find_shift(shift)
    _prepare(folder, seeds, shift)
    done = np.load(folder / "done.npy", mmap_mode="r+")
    todo = np.flatnonzero(~done)
    chunks = [todo[i : i + CHUNK] for i in range(0, len(todo), CHUNK)]
    tasks = [(folder, chunk, [seeds[row] for row in chunk], shift) for chunk in chunks]

    def finished(rows: np.ndarray) -> None:
        done[rows] = True
        done.flush()
        if progress is not None:
            progress(int(done.sum()), len(done))

    if processes <= 1:
        for task in tasks:
            finished(_write_rows(task))
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for rows in pool.map(_write_rows, tasks):
            finished(rows)


def _prepare(folder: Path, seeds: Sequence[int], shift: str) -> None:
    """Make the files of a new folder, or check that those of an old one are of the same seeds."""
    description = {
        "names": list(TARGETS),
        "units": list(TARGETS.values()),
        "seeds": [int(s) for s in seeds],
        **({} if shift == "none" else {"shift": shift}),
    }
    path = folder / "projections.json"
    if path.exists():
        if json.loads(path.read_text()) != description:
            raise MimirError(
                "PHANTOM_FOLDER",
                f"{folder} holds projections of other phantoms",
                "Choose another folder.",
            )
        return
    folder.mkdir(parents=True, exist_ok=True)
    shapes = {
        "images": ((len(seeds), 3, IMAGE_SIZE, IMAGE_SIZE), np.uint8),
        "targets": ((len(seeds), len(TARGETS)), np.float32),
        "done": ((len(seeds),), np.bool_),
    }
    for name, (shape, dtype) in shapes.items():
        np.lib.format.open_memmap(folder / f"{name}.npy", "w+", dtype, shape).flush()
    path.write_text(json.dumps(description))


def _write_rows(task: tuple[Path, np.ndarray, list[int], str]) -> np.ndarray:
    """Make one chunk of phantoms and write its rows; returns them."""
    folder, rows, seeds, name = task
    shift = find_shift(name)
    images = np.load(folder / "images.npy", mmap_mode="r+")
    targets = np.load(folder / "targets.npy", mmap_mode="r+")
    for row, seed in zip(rows, seeds):
        body = build_body(shifted_person(draw_person(seed), shift))
        images[row] = project_directly(seed, body, shift)
        targets[row] = list(body.truth().values())
    images.flush()
    targets.flush()
    return rows
