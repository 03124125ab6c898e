"""Try damaged inputs, one after another, in a process that may die of one.

A case is a number: with the seed it determines the input. Says ``ready``, then reads lines like
``{"case": 7}`` and answers each with one line: what came of it, how long it took, and how much
memory was in use at most.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import time
import traceback
import warnings
import zipfile
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import kinds

import mimir_engine
from mimir_engine.errors import MimirError
from mimir_engine.files.optional_packages import is_installed

CORPUS = Path(__file__).resolve().parents[1] / "tests" / "corpus"
#: Bytes of address space that a reader may use; what torch's libraries take does not count.
MAX_BYTES = 2 << 30
#: What each of the two processes imports before its first case.
READER_MODULES = (
    "mimir_engine.cohort.reader_calls",
    *(("nibabel.nifti2",) if is_installed("nifti") else ()),
)
TORCH_MODULES = (
    "mimir_engine.cohort.image_dataset",
    "mimir_engine.cohort.result_files",
    "mimir_engine.evaluation.evaluate",
    "mimir_engine.inference_module.weights",
    "mimir_engine.training.dataset",
    "mimir_engine.training.targets",
    "torchvision",
)
#: Share of cases that are studies; the others are the other kinds' in equal parts.
STUDIES = 0.7


def main() -> None:
    """Answer until standard input closes."""
    seed, scratch, with_torch = sys.argv[1], Path(sys.argv[2]), sys.argv[3] == "torch"
    only = sys.argv[4]
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    before = memory("VmSize")
    for name in TORCH_MODULES if with_torch else READER_MODULES:
        import_module(name)
    watch = Watch(scratch)
    limit_memory(MAX_BYTES + (memory("VmSize") - before if with_torch else 0))
    answers.write("ready\n")
    for line in sys.stdin:
        case = json.loads(line)["case"]
        answer = attempt(seed, case, scratch, watch, only)
        answers.write(json.dumps(answer) + "\n")


def seed_of(rng: Random, only: str = "") -> tuple[str, kinds.Parts]:
    """Choose a seed of the corpus, or of one kind only."""
    names = seeds()
    if only:
        name = rng.choice([name for name in names if name.split("/")[0] == only])
        return name, names[name]
    studies = [name for name in names if name.startswith("study/")]
    others = [name for name in names if name not in studies]
    name = rng.choice(studies if rng.random() < STUDIES else others)
    return name, names[name]


@lru_cache(maxsize=1)
def seeds() -> dict[str, kinds.Parts]:
    """Return the files of each seed of the corpus."""
    found = {}
    for path in sorted(CORPUS.glob("*/*.zip")):
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        found[f"{path.parent.name}/{path.stem}"] = parts
    return found


def attempt(seed: str, case: int, scratch: Path, watch: Watch, only: str = "") -> dict[str, Any]:
    """Write the input of a case and read it."""
    rng = Random(f"{seed}:{case}")
    name, parts = seed_of(rng, only)
    kind = kinds.KINDS[name.split("/")[0]]
    folder = scratch / "case"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    kind.write(rng, parts, folder)
    reset_peak()
    begun, watch.active = time.monotonic(), True
    outcome, detail = outcome_of(kind, rng, folder)
    watch.active = False
    seconds = round(time.monotonic() - begun, 3)
    if watch.outside:
        outcome, detail = "OUTSIDE", watch.outside.pop()
        watch.outside.clear()
    return {
        "case": case,
        "seed": name,
        "outcome": outcome,
        "detail": detail,
        "seconds": seconds,
        "peak_mb": peak_mb(),
    }


def outcome_of(kind: kinds.Kind, rng: Random, folder: Path) -> tuple[str, str]:
    try:
        return kind.read(rng, folder), ""
    except MimirError as error:
        return error.code, ""
    except MemoryError:
        return "OUT_OF_MEMORY", ""
    except Exception as error:
        home = Path(mimir_engine.__path__[0])
        frames = traceback.extract_tb(error.__traceback__)
        ours = [f for f in frames if home in Path(f.filename).parents] or frames
        place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"
        return "INTERNAL_ERROR", f"{type(error).__name__} at {place}: {str(error)[:200]}"


#: Events of files: the arguments that name one, each with the argument that holds the folder in
#: which a relative name begins, if there is one.
FILE_EVENTS = {
    "open": ((0, None),),
    "os.mkdir": ((0, 2),),
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.rename": ((0, 2), (1, 3)),
    "os.link": ((1, 3),),
    "os.symlink": ((1, 2),),
    "os.truncate": ((0, None),),
    "os.chmod": ((0, 2),),
    "os.utime": ((0, 3),),
}
#: Events that no reading of a file should cause.
OTHER_EVENTS = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "socket.connect",
)


class Watch:
    """Notes what is written outside the folder of a case."""

    def __init__(self, scratch: Path) -> None:
        self.active, self.outside = False, list[str]()
        self._folder = os.path.realpath(scratch / "case")
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.active:
            return
        if event in OTHER_EVENTS:
            self.outside.append(event)
        for index, folder in FILE_EVENTS.get(event, ()):
            path = arguments[index]
            if folder is not None and arguments[folder] >= 0:
                path = os.path.join(f"/proc/self/fd/{arguments[folder]}", os.fsdecode(path))
            if event == "open" and not self._writes(arguments):
                continue
            if isinstance(path, (str, bytes, os.PathLike)) and not self._is_inside(path):
                self.outside.append(f"{event} {os.fsdecode(path)[:200]}")

    @staticmethod
    def _writes(arguments: tuple[Any, ...]) -> bool:
        return bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))

    def _is_inside(self, path: Any) -> bool:
        full = os.path.realpath(os.fsdecode(path))
        return full == os.devnull or full == self._folder or full.startswith(self._folder + os.sep)


def limit_memory(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (size, resource.getrlimit(resource.RLIMIT_AS)[1]))


def needs_torch(name: str) -> bool:
    """Return whether reading a seed of this name imports torch; readers of studies never do."""
    return not name.startswith(("study/", "fused/", "snapshot/", "nifti/", "nrrd/"))


def memory(field: str) -> int:
    """Return a field of this process' memory in bytes; 0 where the system has no such file."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            return next(int(line.split()[1]) << 10 for line in file if line.startswith(field))
    except OSError:
        return 0


def reset_peak() -> None:
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
    except OSError:
        pass


def peak_mb() -> int:
    return memory("VmHWM") >> 20


if __name__ == "__main__":
    main()
