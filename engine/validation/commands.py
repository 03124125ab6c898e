"""Runs MIMIR's own command line, shown as one would type it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

from mimir_engine.cli._training_options import PATIENT_ALLOCATOR

#: Sums of float32 depend on the number of threads, and training on each of their last digits.
THREADS = 2


def begin_in_training_environment() -> None:
    """Begin this program anew with memory and threads as training wants them, unless it has them.

    Both are read only when a process starts.
    """
    wanted = {"OMP_NUM_THREADS": str(THREADS)}
    if sys.platform == "linux":
        wanted |= PATIENT_ALLOCATOR
    if not wanted.items() <= os.environ.items():
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **wanted})


def mimir(*arguments: object) -> None:
    """Run ``mimir`` with these arguments in a process of its own.

    Raises:
        SystemExit: where it fails; it has said why.
    """
    words = [str(argument) for argument in arguments]
    print(f"$ mimir {shlex.join(words)}", flush=True)
    code = subprocess.run([sys.executable, "-m", "mimir_engine", *words]).returncode
    if code:
        raise SystemExit(code)
