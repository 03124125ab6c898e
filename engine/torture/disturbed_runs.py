"""Disturb a run of ten small studies at every place, resume it, and compare.

    python engine/torture/disturbed_runs.py

Each disturbed run is a process that is forked from one that has loaded all. Its n-th operation on a
file fails, or the disk is full from then on, or the process is killed there; or memory runs out in
one of the engine's functions. It must end with a line that begins with a code, or be killed. Then
the same commands without a fault must give the same files, byte for byte.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "builders"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import faults

#: Seconds that a run may take.
MAX_SECONDS = 60
#: Exit status of a process whose run ended with a Python exception that nobody caught.
UNCAUGHT = 70
#: What no user should see.
ODD = re.compile(r"Traceback|INTERNAL_ERROR")
#: Marks where a command ended without results, and the line that must stand before it.
NO_RESULTS, CODE = re.compile(r"(.*)\n== 2\n"), re.compile(r"[A-Z][A-Z_]+: .+\.")


#: Printed where threads took another order, and the fault's turn did not come.
NOT_REACHED = "== not reached"


@dataclass(frozen=True)
class Disturbance:
    """One fault: an operation's number, or a function and the number of a call."""

    mode: str
    number: int
    function: tuple[str, str] | None = None

    def __str__(self) -> str:
        place = " ".join(self.function) if self.function else "operation"
        return f"{self.mode} at {place} {self.number}"


@dataclass
class Studies:
    """What the runs read, and the results of a run that nothing disturbed."""

    folder: Path
    module: Path
    expected: Path


Torture = Callable[[Path, int], tuple[int, list[str]]]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=10)
    parser.add_argument("--most", type=int, default=0, help="only so many places")
    parser.add_argument("--modes", default="fail,full,kill,memory")
    parser.add_argument("--seconds", type=float, default=0, help="stop after so many seconds")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=memory_folder()) as scratch:
        tried, problems = torture(
            Path(scratch),
            options.studies,
            options.modes.split(","),
            options.most,
            options.seconds,
        )
    for (mode, ending), count in sorted(tried.items()):
        print(f"{count:6d} x {mode}: {ending}")
    print(f"{len(problems)} problems")
    return int(bool(problems))


def run_alone(description: str, torture: Torture, what: str) -> int:
    """Disturb all places, or as many as the command line says; print what went wrong.

    Args:
        description: Of the program.
        torture: Called with an empty folder and the most places, 0 for all; it returns the number
            of places and what went wrong.
        what: What was disturbed.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--most", type=int, default=0, help="only so many places")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=memory_folder()) as scratch:
        tried, problems = torture(Path(scratch), options.most)
    print(f"{tried} disturbed {what}, {len(problems)} problems", *problems, sep="\n")
    return int(bool(problems))


def memory_folder() -> str | None:
    """Return a folder in memory, where an fsync costs nothing; None if there is none."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def torture(
    scratch: Path,
    count: int,
    modes: Sequence[str],
    most: int = 0,
    seconds: float = 0,
    say: Callable[[str], object] = print,
) -> tuple[Counter[tuple[str, str]], list[str]]:
    """Disturb runs at every place; return how they ended, and what went wrong.

    Args:
        scratch: Folder for the studies and all results.
        count: Number of studies.
        modes: ``fail``, ``full`` and ``kill`` as in ``Faults.at``, and ``memory``.
        most: Only so many places, drawn at random but always the same; 0 for all.
        seconds: Stop after so many; 0 for no limit.
        say: Receives a line now and then.
    """
    faults.install()
    studies = prepare(scratch, count)
    begun, tried, problems = time.monotonic(), Counter[tuple[str, str]](), list[str]()
    places = list(disturbances(studies, scratch, modes))
    if most:
        places = Random(0).sample(places, min(most, len(places)))
    for number, disturbance in enumerate(places):
        if seconds and time.monotonic() - begun > seconds:
            break
        ending, found = disturb(studies, scratch / "runs", disturbance)
        tried[disturbance.mode, ending] += 1
        found = [f"{disturbance}: {ending}: {problem}" for problem in found]
        for problem in found:
            say(problem)
        problems += found
        if number % 200 == 199:
            passed = time.monotonic() - begun
            say(f"{number + 1} disturbed runs in {passed:.0f} s, {len(problems)} problems")
    return tried, problems


def prepare(scratch: Path, count: int) -> Studies:
    """Write studies and a module of a tiny network; run once undisturbed."""
    import here_reader
    from cohort_builder import ANYTHING
    from corpus import TINY
    from dicom_builder import set_pixels, write_files, write_zip
    from random_modules import TARGETS, module_spec, random_weights

    from mimir_engine.inference_module import write_module
    from mimir_engine.inference_module.architecture import RESNETS

    here_reader.install()
    os.environ["OMP_NUM_THREADS"] = "1"  # a forked process has no threads but its first
    spec = module_spec(accepts=ANYTHING)
    RESNETS[spec.architecture] = (2, (1, 0, 0, 0))  # a network of one block
    state = random_weights(spec.architecture, len(TARGETS))
    module = scratch / "tiny"
    write_module(module, spec, [state])
    folder = scratch / "studies"
    folder.mkdir()
    (folder / "damaged.zip").write_bytes(b"PK\3\4 no archive")
    for n in range(count - 1):

        def shade(dataset, k, n=n):  # type: ignore[no-untyped-def]
            import numpy as np

            pixels = np.frombuffer(dataset.PixelData, np.uint16).reshape(
                dataset.Rows, dataset.Columns
            )
            set_pixels(dataset, np.roll(pixels, n, axis=1))
            dataset.StudyInstanceUID = f"2.25.7{n}"

        files = [file for scan in TINY for file in scan.files(change=shade)]
        if n == 2:
            write_files(folder / f"folder{n}", files)
        else:
            write_zip(folder / f"100000{n}_20201_2_0.zip", files)
    studies = Studies(folder, module, scratch / "expected")
    with quiet():
        status = run(studies, studies.expected)
    assert status == (1, 1), status
    return studies


def run(studies: Studies, output: Path) -> tuple[int, int]:
    """Measure the studies, and make a data set of them, as the command line does."""
    from mimir_engine.cli import main

    def command(name: str, *options: str) -> int:
        status = main([name, str(studies.folder), *options, "--jobs", "1"])
        print(f"== {status}", flush=True)
        return status

    results = ["--output", str(output / "out"), "--details", str(output / "details")]
    return (
        command(
            "infer", "--modules", str(studies.module), "--device", "cpu", "--no-volumes", *results
        ),
        command("project", "--dataset", str(output / "set")),
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Print nothing in the block."""
    with (
        faults.PLAIN_OPEN(os.devnull, "w") as nowhere,
        redirect_stdout(nowhere),
        redirect_stderr(nowhere),
    ):
        yield


def disturbances(studies: Studies, scratch: Path, modes: Sequence[str]) -> Iterator[Disturbance]:
    """Yield all faults of the given modes."""
    for mode in modes:
        if mode != "memory":
            faults.FAULTS.at(mode, -1)
            with quiet():
                run(studies, scratch / f"counted for {mode}")
            yield from (Disturbance(mode, number) for number in range(len(faults.FAULTS.done)))
    if "memory" in modes:
        allocations = _allocations()
        allocations.at(None)
        with quiet():
            run(studies, scratch / "called")
        allocations.stop()
        for function, calls in sorted(allocations.calls.items()):
            if function[1].startswith("main:"):  # the command itself: nobody could catch it
                continue
            for number in sorted({0, calls // 2, calls - 1}):
                yield Disturbance("memory", number, function)


def _allocations() -> faults.Allocations:
    import mimir_engine

    return faults.Allocations(str(Path(mimir_engine.__path__[0])))


def disturb(studies: Studies, folder: Path, disturbance: Disturbance) -> tuple[str, list[str]]:
    """Do one disturbed run and resume it; return how it ended, and what is wrong."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    status = in_process(lambda: run(studies, folder), disturbance, folder / "disturbed.txt")
    text = (folder / "disturbed.txt").read_text("utf-8", "replace")
    ending = "not reached" if NOT_REACHED in text else describe(status)
    problems = wrong_lines(text, "disturbed run")
    if status in (UNCAUGHT, -1):
        problems.append(f"the run ended badly: {text[-600:]}")
    resumed = in_process(lambda: run(studies, folder), None, folder / "resumed.txt")
    text = (folder / "resumed.txt").read_text("utf-8", "replace")
    if resumed != 11:
        problems.append(f"resumed: {describe(resumed)}: {text[-600:]}")
    else:
        problems += [*wrong_lines(text, "resumed run"), *differences(studies.expected, folder)]
        if disturbance.mode == "kill":
            problems += other_images(studies.expected, folder)
    return ending, problems


def in_process(
    work: Callable[[], tuple[int, int]], disturbance: Disturbance | None, text: Path
) -> int:
    """Run in a forked process; return its status: ten times the first command's plus the second's.

    It is -1 if the process hangs, and 1000 plus the number of the signal that ended it.
    """
    child = os.fork()
    if child == 0:
        status = UNCAUGHT
        try:
            descriptor = os.open(text, os.O_WRONLY | os.O_CREAT)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            source: faults.Faults | faults.Allocations = faults.FAULTS
            if disturbance and disturbance.function:
                source = _allocations()
                source.at(disturbance.function, disturbance.number)
            elif disturbance:
                source.at(disturbance.mode, disturbance.number)
            first, second = work()
            if disturbance and not source.has_struck:
                print(NOT_REACHED, flush=True)
            status = first * 10 + second
        except BaseException:
            faults.FAULTS.at("", -1)
            sys.setprofile(None)
            traceback.print_exc()
        finally:
            faults.FAULTS.at("", -1)
            os._exit(status)
    deadline = time.monotonic() + MAX_SECONDS
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 1000 - code
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -1


def describe(status: int) -> str:
    if status == -1:
        return "hung"
    if status >= 1000:
        return f"ended by signal {status - 1000}"
    return (
        "ended by an exception"
        if status == UNCAUGHT
        else f"exit status {status // 10} and {status % 10}"
    )


def wrong_lines(text: str, where: str) -> list[str]:
    """Return the lines that no user should see, and those that should be a sentence with a code."""
    wrong = [line for line in text.splitlines() if ODD.search(line)]
    wrong += [f"no code: {line}" for line in NO_RESULTS.findall(text) if not CODE.match(line)]
    return [f"{where}: {line}" for line in wrong]


def differences(expected: Path, found: Path) -> list[str]:
    """Compare the results of two runs."""
    problems = []
    for name in ("out/predictions.csv", "out/failures.csv", "set/failures.csv"):
        if (expected / name).read_bytes() != (found / name).read_bytes():
            problems.append(f"{name} differs")
    if images(expected) != images(found):
        problems.append("images differ")
    names, others = files_of(expected), files_of(found)
    if names != others:
        problems.append(f"other files: {sorted(names ^ others)[:8]}")
    for name in names & others:
        if (
            name.startswith("details/")
            and (expected / name).read_bytes() != (found / name).read_bytes()
        ):
            problems.append(f"{name} differs")
    return problems


def other_images(expected: Path, found: Path) -> list[str]:
    """Compare the files of images: only studies that failed at first come last."""
    names = ("set/images.npy", "set/studies.csv")
    return [
        f"{n} differs" for n in names if (expected / n).read_bytes() != (found / n).read_bytes()
    ]


def files_of(folder: Path) -> set[str]:
    return {
        p.relative_to(folder).as_posix()
        for p in folder.rglob("*")
        if p.is_file() and p.suffix != ".txt"
    }


def images(folder: Path) -> dict[str, tuple[object, ...]]:
    """Return each study's image and what is said about it, but its row: others may come first."""
    import numpy as np

    array = np.load(folder / "set" / "images.npy")
    with (folder / "set" / "studies.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    return {
        line["name"]: (
            *(v for k, v in line.items() if k != "row"),
            array[int(line["row"])].tobytes(),
        )
        for line in lines
    }


if __name__ == "__main__":
    sys.exit(main())
