"""Time a whole run of `mimir infer` on many phantoms: studies per second, and memory over time.

    python engine/benchmarks/cohort_speed.py --studies 200 --against /path/to/another/engine

With ``--against``, runs of both engines take turns, so that a busy machine slows both.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

ENGINE = Path(__file__).resolve().parents[1]
#: Different phantoms; the others are links to them.
PHANTOMS = 4


def main() -> None:
    """Print each run's studies per second and the memory of all its processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--against", type=Path, metavar="ENGINE")
    parser.add_argument("--options", default="", help="more options of both, in one argument")
    options = parser.parse_args()
    engines = [engine for engine in (options.against, ENGINE) if engine]
    with tempfile.TemporaryDirectory() as scratch:
        sources = write_studies(Path(scratch), options.studies)
        for number in range(options.rounds):
            for place, engine in enumerate(engines):
                output = Path(scratch) / f"out{number}{place}"
                print(engine, run(engine, sources, output, options.options.split()), flush=True)


def write_studies(folder: Path, count: int, phantoms: int = PHANTOMS) -> Path:
    """Write different phantoms, and a list of as many studies as asked for; return the list."""
    from mimir_engine.phantom.dicom_study import write_study

    paths = [folder / f"study{number:04d}.zip" for number in range(count)]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        list(pool.map(write_study, paths[:phantoms], range(phantoms)))
    for number, path in enumerate(paths[phantoms:]):
        os.link(paths[number % phantoms], path)
    return write_list(folder / "studies.jsonl", paths)


def write_list(file: Path, studies: Iterable[Path]) -> Path:
    """Write a list of studies for ``--sources``; return it."""
    lines = (json.dumps({"name": path.stem, "path": str(path)}) for path in studies)
    file.write_text("\n".join(lines), "ascii")
    return file


def run(engine: Path, sources: Path, output: Path, options: list[str]) -> str:
    """Measure the studies with one engine; describe time and memory."""
    command = [sys.executable, "-m", "mimir_engine", "infer", "--sources", str(sources)]
    command += ["--modules", "phantom", "--output", str(output), "--events", "--device", "cpu"]
    environment = {**os.environ, "PYTHONPATH": str(engine)}
    begun, times, memory = time.monotonic(), [], []
    with subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "study":
                assert event["state"] == "done", event
                times.append(time.monotonic())
                memory.append(megabytes(process.pid))
    seconds = times[-1] - begun
    steady = (len(times) - 1) / max(times[-1] - times[0], 1e-9)
    quarters = [memory[len(memory) * k // 4 : len(memory) * (k + 1) // 4] for k in range(4)]
    medians = [round(statistics.median(quarter)) for quarter in quarters]
    return (
        f"{len(times)} studies in {seconds:.1f} s: {len(times) / seconds:.2f} per second,"
        f" {steady:.2f} after the first; memory of all processes in MB by quarter: {medians},"
        f" at most {max(memory):.0f}"
    )


def megabytes(pid: int) -> float:
    """Return the memory that a process and its children hold, without what they share (Linux)."""
    return own_megabytes(pid) + sum(megabytes(child) for child in children(pid))


def children(pid: int) -> list[int]:
    """Return the processes that a process has started (Linux; none elsewhere)."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(c) for task in tasks for c in (task / "children").read_text().split()]
    except OSError:
        return []


def own_megabytes(pid: int) -> float:
    """Return the memory that a process holds, without what it shares (Linux; 0 elsewhere)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


if __name__ == "__main__":
    main()
