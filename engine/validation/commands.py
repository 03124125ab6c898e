"""Run MIMIR's command line and show each command as it would be typed."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

from mimir_engine.cli._training_options import TRAINING_ALLOCATOR

#: Sums of float32 depend on the number of threads, and training on each of their last digits.
THREADS = 2


def restart_in_training_environment() -> None:
    """Restart this program with the allocator and threads for training, unless it has them.

    Both are read only when a process starts.
    """
    needed = {"OMP_NUM_THREADS": str(THREADS)}
    if sys.platform == "linux":
        needed |= TRAINING_ALLOCATOR
    if not needed.items() <= os.environ.items():
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **needed})


def mimir(*arguments: object) -> None:
    """Run ``mimir`` with these arguments in a process of its own.

    Raises:
        SystemExit: If it fails; it prints the reason.
    """
    words = [str(argument) for argument in arguments]
    print(f"$ mimir {shlex.join(words)}", flush=True)
    code = subprocess.run([sys.executable, "-m", "mimir_engine", *words]).returncode
    if code:
        raise SystemExit(code)
