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


def write_studies(folder: Path, count: int) -> Path:
    """Write phantoms, and a list of as many studies as asked for; return the list."""
    from mimir_engine.phantom.dicom_study import write_study

    lines = []
    for number in range(count):
        path = folder / f"study{number:04d}.zip"
        if number < PHANTOMS:
            write_study(path, number)
        else:
            os.link(folder / f"study{number % PHANTOMS:04d}.zip", path)
        lines.append(json.dumps({"name": path.stem, "path": str(path)}))
    sources = folder / "studies.jsonl"
    sources.write_text("\n".join(lines), "ascii")
    return sources


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
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [c for task in tasks for c in (task / "children").read_text().split()]
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
        own = next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    except OSError:
        return 0.0
    return own + sum(megabytes(int(child)) for child in children)


if __name__ == "__main__":
    main()
