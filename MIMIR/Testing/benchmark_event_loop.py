"""Whether Slicer stays usable while MIMIR works: `make bench-slicer SLICER=/path/to/Slicer`.

A timer of 20 ms ticks in Slicer's event loop while the engine measures phantom studies in its own
process; the gaps between ticks tell how long a user would wait for anything. What is asked: 99 % of
them under 200 ms, none over 500 ms. Making the nodes is Slicer's own work and is reported apart.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import qt
import slicer

from MIMIRLib.analysis.request import AnalysisRequest, StudyRequest
from MIMIRLib.analysis.workflow import Stage, Workflow
from MIMIRLib.engine.import_engine import engine_folder
from MIMIRLib.engine.process import slicer_python

STUDIES = 4
TICK_MS = 20
STEP_MS = 50
WANTED_99TH_MS, WANTED_LONGEST_MS = 200, 500


class Ticks:
    """When the event loop came round, by what the workflow was at."""

    def __init__(self, workflow: Workflow) -> None:
        self.gaps_ms: dict[Stage, list[float]] = {}
        self._workflow = workflow
        self._last = time.perf_counter()
        self.timer = qt.QTimer()
        self.timer.setTimerType(qt.Qt.PreciseTimer)
        self.timer.setInterval(TICK_MS)
        self.timer.connect("timeout()", self.tick)

    def tick(self) -> None:
        """Note the gap since the last tick."""
        now = time.perf_counter()
        gap_ms = 1000 * (now - self._last)
        self.gaps_ms.setdefault(self._workflow.stage, []).append(gap_ms)
        self._last = now


def make_phantoms(folder: Path, count: int) -> list[Path]:
    """Phantom studies as archives."""
    command = [slicer_python(), "-m", "mimir_engine", "phantom", f"--count={count}"]
    command.append(f"--output={folder}")
    subprocess.run(command, cwd=engine_folder(), check=True, stdout=subprocess.DEVNULL)
    return sorted(folder.glob("*.zip"))


def run(paths: list[Path]) -> tuple[Ticks, Workflow]:
    """Measure studies as the panel does: a timer drives the workflow, the event loop goes on."""
    studies = tuple(StudyRequest(path.stem, path=str(path)) for path in paths)
    workflow = Workflow(slicer.mrmlScene, AnalysisRequest(studies, ("phantom",)))
    ticks, driver = Ticks(workflow), qt.QTimer()
    driver.setInterval(STEP_MS)
    driver.connect("timeout()", workflow.step)
    workflow.start()
    ticks.timer.start()
    driver.start()
    while not workflow.stage.is_over:
        slicer.app.processEvents(qt.QEventLoop.AllEvents, TICK_MS)
        time.sleep(0.001)
    driver.stop()
    ticks.timer.stop()
    return ticks, workflow


def report(ticks: Ticks, workflow: Workflow) -> bool:
    """Print the gaps of each stage; whether those of the engine's time are as wanted."""
    print(f"{len(workflow.results)} studies, {workflow.stage.value}; gaps of a {TICK_MS} ms timer:")
    for stage, gaps in ticks.gaps_ms.items():
        median, late = np.percentile(gaps, [50, 99])
        print(
            f"  {stage.value:<10} {sum(gaps) / 1000:6.1f} s  {len(gaps):5} ticks  median"
            f" {median:5.0f} ms  99 % under {late:5.0f} ms  longest {max(gaps):5.0f} ms"
        )
    measuring = ticks.gaps_ms[Stage.MEASURING]
    return (
        workflow.stage is Stage.DONE
        and np.percentile(measuring, 99) < WANTED_99TH_MS
        and max(measuring) < WANTED_LONGEST_MS
    )


def main() -> bool:
    """Run it, report it; whether Slicer stayed as usable as wanted."""
    with tempfile.TemporaryDirectory() as folder:
        is_usable = report(*run(make_phantoms(Path(folder), STUDIES)))
    print(
        f"wanted while measuring: 99 % under {WANTED_99TH_MS} ms, none over {WANTED_LONGEST_MS} ms:"
        f" {'met' if is_usable else 'MISSED'}"
    )
    return is_usable


if __name__ == "__main__":
    status = 1
    try:
        status = 0 if main() else 1
    finally:  # Slicer would stay open
        sys.stdout.flush()
        slicer.app.exit(status)
