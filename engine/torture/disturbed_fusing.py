"""Disturb `mimir fuse` at every place, resume it, and compare.

    python engine/torture/disturbed_fusing.py

As `disturbed_runs`: an operation on a file fails, or the disk is full from then on, or the process
is killed there. After the disturbance each study that has a description is whole. Then the same
commands without a fault must write the same files, byte for byte, and leave no others.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "builders"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import disturbed_runs
import faults
from disturbed_runs import Disturbance, describe, in_process, quiet, wrong_lines

#: Arguments of the two runs: one folder per study, and the flat folder of nnU-Net.
LAYOUTS = {"plain": ("--contrasts", "water,fat_fraction"), "nnunet": ("--layout", "nnunet")}
#: Files that differ from run to run.
OWN = ("ledger.jsonl", "run.json", ".mimir.lock")


def torture(scratch: Path, most: int) -> tuple[int, list[str]]:
    """Disturb runs at every place, or at some; return their number, and what went wrong."""
    faults.install()
    studies = disturbed_runs.prepare(scratch, 3).folder
    expected = scratch / "stitched"
    with quiet():
        status = fuse(studies, expected)
    assert status == (1, 1), status  # one archive is damaged
    places = []
    for mode in ("fail", "full", "kill"):
        faults.FAULTS.at(mode, -1)
        with quiet():
            fuse(studies, scratch / mode)
        places += [Disturbance(mode, number) for number in range(len(faults.FAULTS.done))]
    faults.FAULTS.at("", -1)
    if most:
        places = Random(0).sample(places, min(most, len(places)))
    problems = [problem for place in places for problem in disturb(studies, expected, place)]
    return len(places), problems


def fuse(studies: Path, folder: Path) -> tuple[int, int]:
    """Stitch the studies in two layouts, as the command line does."""
    from mimir_engine.cli import main

    def command(name: str) -> int:
        words = ["fuse", str(studies), "--output", str(folder / name), "--jobs", "1"]
        status = main([*words, *LAYOUTS[name]])
        print(f"== {status}", flush=True)
        return status

    return command("plain"), command("nnunet")


def disturb(studies: Path, expected: Path, disturbance: Disturbance) -> list[str]:
    """Disturb one run and resume it; return what is wrong."""
    folder, text = expected.parent / "disturbed", expected.parent / "said.txt"
    shutil.rmtree(folder, ignore_errors=True)
    text.unlink(missing_ok=True)
    status = in_process(lambda: fuse(studies, folder), disturbance, text)
    problems = wrong_lines(text.read_text("utf-8", "replace"), "disturbed")
    if status in (disturbed_runs.UNCAUGHT, -1):
        problems.append(f"it ended badly: {describe(status)}: {text.read_text()[-600:]}")
    right = contents(expected)
    problems += [
        f"{name} is not whole" for name in described(folder) if not is_whole(name, right, folder)
    ]
    text.unlink(missing_ok=True)
    resumed = in_process(lambda: fuse(studies, folder), None, text)
    if resumed != 11:
        problems.append(f"resumed: {describe(resumed)}: {text.read_text()[-600:]}")
    found = contents(folder)
    names = {name for name in {*found, *right} if found.get(name) != right.get(name)}
    problems += [f"{name} differs" for name in sorted(names)]
    return [f"{disturbance}: {problem}" for problem in problems]


def described(folder: Path) -> list[str]:
    """Return the descriptions of studies that a run has left."""
    found = [*folder.glob("plain/volumes/*/*.json"), *folder.glob("nnunet/imagesTs/*.json")]
    return [path.relative_to(folder).as_posix() for path in found]


def is_whole(name: str, right: dict[str, bytes], folder: Path) -> bool:
    """Return whether a description and all volumes that belong to it are as they should be."""
    stem = name[: -len(".json")]
    own = {path for path in right if path.startswith((f"{stem}.", f"{stem}_"))}
    content = json.loads((folder / name).read_text())
    is_readable = content["contrasts"] == json.loads(right[name])["contrasts"]
    return is_readable and all(
        (folder / path).is_file() and (folder / path).read_bytes() == right[path] for path in own
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of each file that is the same in all runs."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in OWN
    }


if __name__ == "__main__":
    sys.exit(disturbed_runs.run_alone(__doc__, torture, "runs"))
