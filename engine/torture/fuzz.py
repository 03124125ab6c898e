"""Try many damaged inputs, and report what came of them by kind.

    python engine/torture/fuzz.py --cases 100000 --output fuzz-output

The same seed gives the same cases. A stopped run goes on where it stopped. ``--case N`` writes the
input of one case to the output folder and reads it; ``--only KIND`` tries one kind of input. Exit
status 1 if there was a fault: an INTERNAL_ERROR, a process that died, hung or outgrew its memory,
or a file outside.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any, Optional

sys.path.insert(0, str(Path(__file__).resolve().parent))

from fuzz_worker import needs_torch, seed_of
from kinds import KINDS

#: Seconds that a case may take, and the start of a process.
MAX_SECONDS, MAX_START_SECONDS = 20, 300
FAULTS = ("INTERNAL_ERROR", "DIED", "TIMEOUT", "OUTSIDE")
READ = ("measured", "scanned", "read", "resumed")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", default="mimir", help="other seeds give other cases")
    parser.add_argument("--output", type=Path, default=Path("fuzz-output"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seconds", type=float, default=0, help="stop after so many seconds")
    parser.add_argument("--case", type=int, help="only this case")
    parser.add_argument(
        "--only", choices=sorted(KINDS), default="", help="only inputs of this kind"
    )
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    if options.case is not None:
        answer = one_case(options.seed, options.case, options.output, options.only)
        print(json.dumps(answer, indent=1))
        return int(is_fault(answer))
    log = options.output / f"cases-{options.seed}{options.only and '-'}{options.only}.jsonl"
    numbers = range(options.first, options.first + options.cases)
    limits = (options.jobs, options.seconds, options.only)
    answers = run(log, numbers, options.seed, options.output, *limits)
    text = report(answers)
    (options.output / "report.txt").write_text(text, "utf-8")
    print(text)
    return int(any(map(is_fault, answers)))


class Workers:
    """Two processes that try cases: torch is in one of them only, as in MIMIR."""

    def __init__(self, seed: str, only: str = "") -> None:
        self._seed, self._only = seed, only
        self._workers = {needed: Worker(seed, needed, only) for needed in (False, True)}

    def attempt(self, case: int) -> tuple[dict[str, Any], Path]:
        """Return what came of a case, and the folder of its input."""
        name, _ = seed_of(Random(f"{self._seed}:{case}"), self._only)
        worker = self._workers[needs_torch(name)]
        return worker.attempt(case, name), worker.scratch / "case"

    def close(self) -> None:
        for worker in self._workers.values():
            worker.close()


class Worker:
    """A process that tries cases, started again when it dies."""

    def __init__(self, seed: str, with_torch: bool, only: str) -> None:
        self._seed, self._with_torch, self._only = seed, with_torch, only
        self.process: Optional[subprocess.Popen[str]] = None
        memory = Path("/dev/shm")  # where an fsync costs nothing
        place = memory if os.access(memory, os.W_OK) else None
        self.scratch = Path(tempfile.mkdtemp(prefix="mimir-fuzz-", dir=place))

    def attempt(self, case: int, name: str) -> dict[str, Any]:
        if self.process is None or self.process.poll() is not None:
            self._start()
        assert self.process is not None
        assert self.process.stdin is not None
        begun = time.monotonic()
        self.process.stdin.write(f'{{"case": {case}}}\n')
        self.process.stdin.flush()
        try:
            line = self._answers.get(timeout=MAX_SECONDS)
        except queue.Empty:
            self.process.kill()
            return self._lost(case, name, "TIMEOUT", "", begun)
        if line:
            return json.loads(line)
        status = self.process.wait()
        return self._lost(case, name, "DIED", f"exit status {status}", begun)

    def _lost(
        self, case: int, name: str, outcome: str, detail: str, begun: float
    ) -> dict[str, Any]:
        seconds = round(time.monotonic() - begun, 3)
        return {
            "case": case,
            "seed": name,
            "outcome": outcome,
            "detail": detail,
            "seconds": seconds,
            "peak_mb": 0,
        }

    def _start(self) -> None:
        home = self.scratch / "home"
        home.mkdir(exist_ok=True)
        with_or_without = "torch" if self._with_torch else "no torch"
        program = Path(__file__).with_name("fuzz_worker.py")
        environment = {**os.environ, "HOME": str(home), "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [
                *(sys.executable, str(program), self._seed, str(self.scratch)),
                *(with_or_without, self._only),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self._answers: queue.Queue[str] = queue.Queue()
        listener = threading.Thread(
            target=_listen, args=(self.process.stdout, self._answers), daemon=True
        )
        listener.start()
        if self._answers.get(timeout=MAX_START_SECONDS) != "ready\n":
            raise RuntimeError("the process that tries cases does not start")

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.scratch, ignore_errors=True)


def _listen(stream: Any, answers: queue.Queue[str]) -> None:
    for line in stream:
        answers.put(line)
    answers.put("")


def one_case(seed: str, case: int, output: Path, only: str = "") -> dict[str, Any]:
    """Try one case, and keep its input."""
    workers = Workers(seed, only)
    try:
        answer, folder = workers.attempt(case)
        shutil.copytree(folder, output / f"case-{case}", dirs_exist_ok=True)
        return answer
    finally:
        workers.close()


def run(
    log: Path,
    numbers: Iterable[int],
    seed: str,
    output: Path,
    jobs: int,
    seconds: float,
    only: str = "",
) -> list[dict[str, Any]]:
    """Try the cases that the log does not have yet; return the answers of all."""
    wanted = set(numbers)
    answers = [a for a in _logged(log) if a["case"] in wanted]
    missing = sorted(wanted - {a["case"] for a in answers})
    cases: queue.Queue[Optional[int]] = queue.Queue()
    for case in missing:
        cases.put(case)
    begun, lock, count = time.monotonic(), threading.Lock(), 0

    def work() -> None:
        nonlocal count
        workers = Workers(seed, only)
        try:
            while not (seconds and time.monotonic() - begun > seconds):
                try:
                    case = cases.get_nowait()
                except queue.Empty:
                    return
                answer, folder = workers.attempt(case)
                with lock, log.open("a", encoding="ascii") as file:
                    file.write(json.dumps(answer) + "\n")
                    answers.append(answer)
                    count += 1
                    if is_fault(answer):
                        keep(folder, output / "faults", answer)
                    _progress(count, len(missing), time.monotonic() - begun)
        finally:
            workers.close()

    with ThreadPoolExecutor(jobs) as threads:
        for future in [threads.submit(work) for _ in range(jobs)]:
            future.result()
    return answers


def _logged(log: Path) -> list[dict[str, Any]]:
    """Return the answers of earlier runs; the last line may be torn."""
    lines = log.read_text("ascii").splitlines(keepends=True) if log.exists() else []
    whole = [line for line in lines if line.endswith("\n")]
    if len(whole) < len(lines):
        log.write_text("".join(whole), "ascii")
    return [json.loads(line) for line in whole]


def _progress(done: int, total: int, seconds: float) -> None:
    if done % 500 == 0 or done == total:
        left = seconds / done * (total - done)
        print(
            f"{done} of {total} cases, {done / seconds:.0f} per second, {left / 60:.0f} min left",
            flush=True,
        )


def is_fault(answer: dict[str, Any]) -> bool:
    """Decide whether a case shows a fault."""
    return answer["outcome"] in FAULTS


def keep(case: Path, folder: Path, answer: dict[str, Any]) -> None:
    """Keep the input of each distinct fault, the smallest one."""
    what = answer["detail"].split(":")[0] + ":" + answer["detail"].partition(":")[2].split(":")[0]
    label = "".join(
        c if c.isalnum() else "-"
        for c in f"{answer['seed'].split('/')[0]} {answer['outcome']} {what}"
    )[:90]
    place = folder / label
    if not case.exists() or (place.exists() and _size(place) <= _size(case)):
        return
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(case, place / "input", ignore_dangling_symlinks=True)
    (place / "answer.json").write_text(json.dumps(answer), "ascii")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def report(answers: list[dict[str, Any]]) -> str:
    """Describe the outcomes by kind."""
    by_seed: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for answer in answers:
        by_seed[answer["seed"]].append(answer)
    columns = (
        "cases",
        "read",
        "refused",
        "died",
        "timeout",
        "internal",
        "outside",
        "max s",
        "peak MB",
    )
    lines = [f"{'seed':<22}" + "".join(f"{name:>10}" for name in columns)]
    for seed, some in [*sorted(by_seed.items()), ("all", answers)]:
        outcomes = Counter(a["outcome"] for a in some)
        read = sum(outcomes[name] for name in READ)
        faults = [outcomes[name] for name in ("DIED", "TIMEOUT", "INTERNAL_ERROR", "OUTSIDE")]
        slowest, peak = (max((a[f] for a in some), default=0) for f in ("seconds", "peak_mb"))
        numbers = (len(some), read, len(some) - read - sum(faults), *faults, f"{slowest:.1f}", peak)
        lines.append(f"{seed:<22}" + "".join(f"{number:>10}" for number in numbers))
    codes = Counter(a["outcome"] for a in answers if a["outcome"] not in (*READ, *FAULTS))
    lines += ["", "refused: " + ", ".join(f"{code} {count}" for code, count in codes.most_common())]
    distinct = Counter(
        (a["seed"].split("/")[0], a["outcome"], a["detail"]) for a in answers if is_fault(a)
    )
    lines += [
        f"FAULT {count:>6} x {kind}: {outcome} {detail}"
        for (kind, outcome, detail), count in distinct.most_common()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
