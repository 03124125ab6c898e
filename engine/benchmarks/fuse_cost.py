"""Time `mimir fuse` of many studies against projecting them and compressing the same bytes.

    python engine/benchmarks/fuse_cost.py --studies 40

Three programs take turns, each with one process per core: `mimir fuse` of water and fat as NIfTI;
the readers that `mimir project` calls, which read, check, stitch and project each study and write
its image; and gzip at level 1 (ISA-L with the extra ``fast``) of the same volumes. The goal is that
the first takes no longer than the other two together, times ``MAX_RATIO``. Seconds on the clock
depend on what else runs; so the least CPU seconds of all rounds are compared, too.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from cohort_speed import PHANTOMS, write_studies

from mimir_engine.cohort.reader_calls import FUNCTIONS, write_projection_in_reader
from mimir_engine.cohort.sources import NamedSource
from mimir_engine.fusion import fuse
from mimir_engine.fusion.volume_files.volume_stream import deflated
from mimir_engine.readers.available_cores import available_cores
from mimir_engine.readers.reader_limits import DEFAULT_LIMITS
from mimir_engine.readers.readers import Readers
from mimir_engine.study import read_study
from mimir_engine.study.read_options import AS_STORED

#: Goal: time of `mimir fuse`, in times that of the other two programs.
MAX_RATIO = 1.3


class Cost(NamedTuple):
    """Seconds that a program took on the clock, and on all cores."""

    clock: float
    cpu: float


def main() -> None:
    """Print the seconds of each program and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=available_cores())
    parser.add_argument("--project", type=Path, metavar="LIST", help=argparse.SUPPRESS)
    parser.add_argument("--compress", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.project:
        project_all(options.project, options.jobs)
    elif options.compress:
        compress_all(options.compress, options.studies)
    else:
        compare(options.studies, options.rounds, options.jobs)


def compare(studies: int, rounds: int, jobs: int) -> None:
    """Run the three programs in turn, as often as asked for."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        sources = write_studies(folder, studies)
        write_volumes(folder)
        own = [sys.executable, __file__, "--jobs", str(jobs), "--studies", str(studies)]
        out = folder / "fused"
        fusing = [sys.executable, "-m", "mimir_engine", "fuse", "--sources", str(sources)]
        fusing += ["--output", str(out), "--contrasts", "water,fat", "--jobs", str(jobs)]
        programs = {
            "project": [[*own, "--project", str(sources)]],
            "gzip": [[*own, "--compress", str(folder / part)] for part in ("0", "1")],
            "fuse": [fusing],
        }
        costs: dict[str, list[Cost]] = {name: [] for name in programs}
        for _ in range(rounds):
            for name, commands in programs.items():
                costs[name].append(cost_of(commands))
                print(f"{name}: {costs[name][-1].clock:.1f} s, CPU {costs[name][-1].cpu:.1f} s")
            assert len(list(out.rglob("*.nii.gz"))) == 2 * studies
            shutil.rmtree(out)
    for field in Cost._fields:
        least = {name: min(getattr(cost, field) for cost in all_) for name, all_ in costs.items()}
        ratio = least["fuse"] / (least["project"] + least["gzip"])
        print(f"{field}: {ratio:.2f} times project and gzip (goal {MAX_RATIO})")


def write_volumes(folder: Path) -> None:
    """Write the volumes of all phantoms, water in one folder and fat in the other."""
    for number in range(PHANTOMS):
        fused = fuse(read_study(folder / f"study{number:04d}.zip").stations)
        for part, volume in (("0", fused.water), ("1", fused.fat)):
            (folder / part).mkdir(exist_ok=True)
            np.save(folder / part / f"{number}.npy", volume.array)


def cost_of(commands: Sequence[Sequence[str]]) -> Cost:
    """Run programs at the same time, and return what they took together (POSIX)."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    begun, cpu = time.monotonic(), 0.0
    running = [
        subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
        )
        for command in commands
    ]
    for process in running:
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0
        cpu += usage.ru_utime + usage.ru_stime
    return Cost(time.monotonic() - begun, cpu)


def project_all(sources: Path, jobs: int) -> None:
    """Write the image of each study of a list."""
    lines = [json.loads(line) for line in sources.read_text("ascii").splitlines()]
    named = [NamedSource(line["name"], Path(line["path"])) for line in lines]
    with Readers(FUNCTIONS, DEFAULT_LIMITS) as readers, ThreadPoolExecutor(jobs) as threads:
        images = (sources.with_name(f"{one.name}.npy") for one in named)
        work = [
            threads.submit(write_projection_in_reader, readers, one, AS_STORED, image, None)
            for one, image in zip(named, images)
        ]
        for each in work:
            each.result()


def compress_all(folder: Path, studies: int) -> None:
    """Compress the volumes of one contrast of all studies."""
    volumes = [np.load(path) for path in sorted(folder.glob("*.npy"))]
    for number in range(studies):
        target = folder / "volume.gz"
        with open(target, "wb") as file, deflated(file) as stream:
            stream.write(memoryview(volumes[number % PHANTOMS]).cast("B"))


if __name__ == "__main__":
    main()
