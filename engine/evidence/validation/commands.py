"""Runs MIMIR's own command line, shown as one would type it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

#: Sums of float32 depend on the number of threads, and training on each of their last digits.
THREADS = 2


def mimir(*arguments: object) -> None:
    """Run ``mimir`` with these arguments in a process of its own.

    Raises:
        SystemExit: where it fails; it has said why.
    """
    words = [str(argument) for argument in arguments]
    print(f"$ mimir {shlex.join(words)}", flush=True)
    environment = {**os.environ, "OMP_NUM_THREADS": str(THREADS)}
    code = subprocess.run(
        [sys.executable, "-m", "mimir_engine", *words], env=environment
    ).returncode
    if code:
        raise SystemExit(code)
