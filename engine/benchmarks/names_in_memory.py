"""Measure the memory of what a run keeps of each study of a cohort: its name, place and offset.

    python engine/benchmarks/names_in_memory.py --studies 1000000

It is measured in a process of its own, as the growth of the memory that it holds (Linux).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from cohort_speed import own_megabytes

from mimir_engine.cohort.ledger_lines import encode
from mimir_engine.cohort.outcomes import LEDGER_FILE, Outcomes
from mimir_engine.cohort.sources import sources_from_json


def main() -> None:
    """Print the memory of the list of studies and of the ledger's names and offsets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=100_000)
    parser.add_argument("--in-this-process", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.in_this_process:
        print(json.dumps(_held(options.in_this_process, options.studies)))
        return
    found = names_in_memory(options.studies)
    print(f"{options.studies:,} studies: list {found[0]:.0f} MB, ledger {found[1]:.0f} MB")


def names_in_memory(studies: int) -> tuple[float, float]:
    """Return the MB that the list of studies takes, and the names and offsets of the ledger."""
    with tempfile.TemporaryDirectory() as folder:
        with (Path(folder) / LEDGER_FILE).open("wb") as file:
            file.write(encode({"mimir": ""}))
            for number in range(studies):
                file.write(encode({"name": _name(number)}))
        command = [sys.executable, __file__, "--in-this-process", folder]
        command += ["--studies", str(studies)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    return found[0], found[1]


def _held(folder: Path, studies: int) -> tuple[float, float]:
    start = own_megabytes(os.getpid())
    sources = sources_from_json(
        json.dumps({"name": _name(n), "path": f"/scans/{_name(n)}.zip"}).encode()
        for n in range(studies)
    )
    listed = own_megabytes(os.getpid())
    outcomes = Outcomes(folder)
    assert len(outcomes) == len(sources) == studies
    return listed - start, own_megabytes(os.getpid()) - listed


def _name(number: int) -> str:
    """Return a name in UK Biobank's form."""
    return f"{1_000_000 + number}_20201_2_0"


if __name__ == "__main__":
    main()
