"""Measure 300 studies of which 20 are hostile; kill the run in the middle, and go on.

    python engine/torture/hostile_cohort.py [--module phantom]

Four studies each are bombs, damaged archives and damaged JPEG streams. The readers of four others
get a signal that ends them while they read, as a fault in a library does; those of the last four
are stopped, and hang. Needs Linux, where a process' open files can be seen.

All others must be measured; each study must be listed once; the second run must not try again what
ended its reader, and no process may be left.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "builders"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from attacks import (
    GROUPS_PER_FRAME,
    RLE,
    blank_slices,
    long_text,
    many_entries,
    with_items,
    write_attack,
)
from dicom_builder import File, Scan, all_files, complete_study, write_zip
from fuzz_worker import seeds

ENGINE = Path(__file__).resolve().parents[1]
#: Limits of the runs: small, so that hanging costs little.
TIMEOUT_S, MEMORY_GB = 15, 1.5
DEATHS = ("STUDY_CRASHED", "STUDY_TIMEOUT", "OUT_OF_MEMORY")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=300)
    parser.add_argument("--module", default="phantom")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder, output = Path(scratch) / "studies", Path(scratch) / "out"
        good, hostile = write_studies(folder, options.studies)
        limits = f"--timeout {TIMEOUT_S} --memory {MEMORY_GB}"
        options_of_run = f"--events --allow-unvalidated --device cpu {limits}".split()
        command = [sys.executable, "-m", "mimir_engine", "infer"]
        command += ["--sources", str(folder.with_suffix(".jsonl")), "--output", str(output)]
        command += ["--modules", options.module, *options_of_run]
        first = Run(command, folder, stop_after=len(good) // 2)
        print(f"first run: killed after {len(first.outcomes)} studies, {first.memory()}")
        second = Run(command, folder)
        print(f"second run: exit status {second.status}, {second.memory()}")
        third = Run(command, folder)
        print(f"third run: {third.already_done} done before, {len(third.outcomes)} tried again")
        problems = check(output, good, hostile, first, second, third)
    for problem in problems:
        print("PROBLEM:", problem)
    return int(bool(problems))


def write_studies(folder: Path, count: int) -> tuple[set[str], set[str]]:
    """Write all studies; return the names of the good and of the hostile ones."""
    folder.mkdir()
    rng = Random(1)
    small = write_zip(folder / "good000.zip", all_files(complete_study()))
    content = small.read_bytes()
    large = Scan(0.0, 60, 3.0, (160, 160), (2.5, 2.5), (-200.0, -200.0), 2)
    slow = write_zip(folder.parent / "slow.zip", all_files([large])).read_bytes()
    for n in range(4):
        (folder / f"abort{n}.zip").write_bytes(slow)
        (folder / f"hang{n}.zip").write_bytes(slow)
        (folder / f"cut{n}.zip").write_bytes(content[: len(content) * (n + 1) // 5])
        write_zip(folder / f"stream{n}.zip", damaged_streams(rng, n))
        write_bomb(folder / f"bomb{n}.zip", n)
    hostile = {path.stem for path in folder.iterdir()} - {"good000"}
    for n in range(1, count - len(hostile)):
        os.link(small, folder / f"good{n:03d}.zip")
    names = sorted(path.stem for path in folder.iterdir())
    rng.shuffle(names)
    lines = [json.dumps({"name": name, "path": str(folder / f"{name}.zip")}) for name in names]
    folder.with_suffix(".jsonl").write_text("\n".join(lines), "ascii")
    return set(names) - hostile, hostile


def damaged_streams(rng: Random, number: int) -> list[File]:
    """Return a study each of whose JPEG streams has odd bytes."""
    parts = seeds()[("study/jpeg-2000", "study/jpeg-ls", "study/jpeg", "study/jpeg-2000")[number]]
    files = []
    for name, content in parts.items():
        data = bytearray(content)
        begin = data.find(b"\xff\x4f\xff\x51") if number in (0, 3) else data.find(b"\xff\xd8\xff")
        for _ in range(3):
            data[begin + rng.randrange(4, 60)] ^= 1 << rng.randrange(8)
        files.append(File(name, bytes(data)))
    return files


def write_bomb(path: Path, number: int) -> None:
    """Write a small archive that asks for gigabytes."""
    if number == 0:
        long = long_text(10 << 20)
        write_attack(path, (f for scan in complete_study() for f in scan.files(change=long)))
    elif number == 1:
        write_attack(path, [with_items(GROUPS_PER_FRAME, 1_600_000)])
    elif number == 2:
        write_attack(path, blank_slices(200, 1024, RLE))
    else:
        path.write_bytes(many_entries(1_000_000))


class Run:
    """One run: its events, the memory of its processes, and what was done to its readers."""

    def __init__(self, command: list[str], folder: Path, stop_after: int = 0) -> None:
        self.outcomes: dict[str, str] = {}
        self.already_done, self.signals = 0, Counter[str]()
        self.engine_mb, self.reader_mb, self.all_mb = 0, 0, 0
        environment = {**os.environ, "PYTHONPATH": str(ENGINE)}
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True
        )
        self._folder, self._is_over = str(folder), False
        self._seen: set[int] = set()
        watcher = threading.Thread(target=self._watch)
        watcher.start()
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event = json.loads(line)
            if event["event"] == "run":
                self.already_done = event["already_done"]
            if event["event"] == "study":
                self.outcomes[event["name"]] = event.get("code", "done")
            if stop_after and len(self.outcomes) >= stop_after:
                self._process.kill()
                break
        self.status = self._process.wait()
        self._is_over = True
        watcher.join()
        for pid in filter(is_running, self._seen):  # what we stopped cannot end itself
            os.kill(pid, signal.SIGCONT)
        time.sleep(2)
        self.left = [pid for pid in self._seen if is_running(pid)]

    def memory(self) -> str:
        return (
            f"peak memory: engine {self.engine_mb} MB, a reader {self.reader_mb} MB,"
            f" all together {self.all_mb} MB"
        )

    def _watch(self) -> None:
        while not self._is_over:
            readers = children(self._process.pid)
            self._seen.update(readers)
            sizes = [memory_mb(pid) for pid in (self._process.pid, *readers)]
            self.engine_mb = max(self.engine_mb, sizes[0])
            self.reader_mb = max(self.reader_mb, *sizes[1:], 0)
            self.all_mb = max(self.all_mb, sum(sizes))
            for pid in readers:
                self._strike(pid)
            time.sleep(0.002)

    def _strike(self, pid: int) -> None:
        """End or stop a reader that has one of our victims open."""
        for name in open_files(pid, self._folder):
            if name.startswith(("abort", "hang")):
                number = signal.SIGSEGV if name.startswith("abort") else signal.SIGSTOP
                try:
                    if state(pid) not in "TZ":
                        os.kill(pid, number)
                        self.signals[name] += 1
                except ProcessLookupError:
                    pass


def children(pid: int) -> list[int]:
    try:
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def memory_mb(pid: int) -> int:
    try:
        return (
            int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            >> 20
        )
    except (OSError, IndexError):
        return 0


def open_files(pid: int, folder: str) -> set[str]:
    names = set()
    try:
        for descriptor in os.scandir(f"/proc/{pid}/fd"):
            path = os.readlink(descriptor.path)
            if path.startswith(folder):
                names.add(Path(path).stem)
    except OSError:
        pass
    return names


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def is_running(pid: int) -> bool:
    return state(pid) != "Z"


def check(
    output: Path, good: set[str], hostile: set[str], first: Run, second: Run, third: Run
) -> list[str]:
    """Return what is not as it should be; print the accounts."""
    done = names(output / "predictions.csv")
    with (output / "failures.csv").open(newline="") as file:
        failed = {line["name"]: line["code"] for line in csv.DictReader(file)}
    print(f"{len(done)} measured, {len(failed)} failed:")
    for name, code in sorted(failed.items()):
        strikes = [run.signals[name] for run in (first, second, third)]
        print(f"  {name}: {code}" + (f" (signals in each run: {strikes})" if any(strikes) else ""))
    problems = []
    if len(done) != len(set(done)) or set(done) != good - failed.keys():
        problems.append("predictions.csv does not list each good study once")
    if good & failed.keys():
        problems.append(f"good studies failed: {sorted(good & failed.keys())[:5]}")
    if set(done) | failed.keys() != good | hostile or set(done) & failed.keys():
        problems.append("not every study is in exactly one table")
    expected = {"abort": "STUDY_CRASHED", "hang": "STUDY_TIMEOUT"}
    for name, code in failed.items():
        if code != expected.get(name[:-1], code):
            problems.append(f"{name} has the code {code}")
        if code == "INTERNAL_ERROR":
            problems.append(f"{name}: INTERNAL_ERROR")
    repeated = {name for name, code in failed.items() if code in DEATHS} & third.outcomes.keys()
    again = {
        name for name, code in first.outcomes.items() if code in DEATHS
    } & second.outcomes.keys()
    if repeated or again:
        problems.append(f"deaths are repeated: {sorted(repeated | again)}")
    if second.status != 1 or third.status != 1:
        problems.append(f"exit status {second.status} and {third.status}, not 1")
    if first.left or second.left or third.left:
        problems.append("processes were left")
    return problems


def names(path: Path) -> list[str]:
    with path.open(newline="") as file:
        return [line["name"] for line in csv.DictReader(file)]


if __name__ == "__main__":
    sys.exit(main())
