"""Run a piece of code in a process of its own that may take only so much memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

_LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({bytes}, {bytes}))
from mimir_engine.errors import MimirError
from mimir_engine.measuring.one_study import read_and_fuse
for source in sys.argv[1:]:
    try:
        read_and_fuse(source)
        print("DONE")
    except MimirError as error:
        print(error.code)
    except MemoryError:
        print("OUT_OF_MEMORY")
"""


def codes_within(megabytes: int, sources: list[Path]) -> list[str]:
    """Read and fuse studies within a limit of the address space; return how each ends."""
    code = _LIMITED.format(bytes=megabytes * 2**20)
    one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, sources)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **one_thread},
    )
    return done.stdout.split()


def peak_megabytes(work: Callable[[], object]) -> float:
    """Return the memory that Python objects took at most while the work was done."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()
