"""Disturb the removal of a person at every place, repeat it, and compare.

    python engine/torture/disturbed_forgetting.py

As `disturbed_runs`: an operation on a file fails, or the disk is full from then on, or the process
is killed there. Then the same command without a fault must leave what one leaves that nothing
disturbed, byte for byte, and no file that names the person.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "builders"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import disturbed_runs
import faults
from disturbed_runs import Disturbance, describe, in_process, quiet, wrong_lines

#: The person who withdrew.
PERSON = "1000001"


def torture(scratch: Path, most: int) -> tuple[int, list[str]]:
    """Disturb removals at every place, or at some; return their number, and what went wrong."""
    faults.install()
    measured = disturbed_runs.prepare(scratch, 4).expected
    (scratch / "withdrawn.txt").write_text(f"{PERSON}\n")
    expected = scratch / "forgotten"
    shutil.copytree(measured, expected)
    with quiet():
        status = forget(expected)
    assert status == (0, 0), status
    places = []
    for mode in ("fail", "full", "kill"):
        shutil.copytree(measured, scratch / mode)
        faults.FAULTS.at(mode, -1)
        with quiet():
            forget(scratch / mode)
        places += [Disturbance(mode, number) for number in range(len(faults.FAULTS.done))]
    faults.FAULTS.at("", -1)
    if most:
        places = Random(0).sample(places, min(most, len(places)))
    problems = [problem for place in places for problem in disturb(measured, expected, place)]
    return len(places), problems


def forget(folder: Path) -> tuple[int, int]:
    """Remove the person from the results and from the data set, as the command line does.

    Where a first command was interrupted late, all of it may be done: then nobody is found.
    """
    from mimir_engine.cli import main

    command = [f"--exclude={folder.parent / 'withdrawn.txt'}", "--allow-unmatched"]
    details = ["--details", str(folder / "details")]
    return (
        main(["forget", str(folder / "out"), *command, *details]),
        main(["forget", str(folder / "set"), *command]),
    )


def disturb(measured: Path, expected: Path, disturbance: Disturbance) -> list[str]:
    """Disturb one removal and repeat it; return what is wrong."""
    folder, text = measured.parent / "disturbed", measured.parent / "said.txt"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(measured, folder)
    text.unlink(missing_ok=True)
    status = in_process(lambda: forget(folder), disturbance, text)
    problems = wrong_lines(text.read_text("utf-8", "replace"), "disturbed")
    if status in (disturbed_runs.UNCAUGHT, -1):
        problems.append(f"it ended badly: {describe(status)}")
    repeated = in_process(lambda: forget(folder), None, text)
    if repeated != 0:
        problems.append(f"repeated: {describe(repeated)}: {text.read_text()[-600:]}")
    found, right = contents(folder), contents(expected)
    names = {name for name in {*found, *right} if found.get(name) != right.get(name)}
    problems += [f"{name} differs" for name in sorted(names)]
    problems += [f"{name} names the person" for name in found if PERSON in name]
    problems += [f"{n} names the person" for n, c in found.items() if PERSON.encode() in c]
    return [f"{disturbance}: {problem}" for problem in problems]


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of each file; locks of killed processes hold nothing."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".mimir.lock"
    }


if __name__ == "__main__":
    sys.exit(disturbed_runs.run_alone(__doc__, torture, "removals"))
