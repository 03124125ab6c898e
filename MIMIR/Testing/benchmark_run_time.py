"""Compare a run in the panel with the command line: `make bench-slicer SLICER=/path/to/Slicer`.

Both measure the same phantom studies with the same Python, threads and inference module, one after
the other, round by round. The panel also shows the results in Slicer. What is asked, of the
medians: at most 1.2 times the command line without volumes, 1.4 times with them.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import qt
import slicer

from MIMIRLib.analysis.measure_job import MeasureJob
from MIMIRLib.analysis.request import AnalysisRequest, StudyRequest
from MIMIRLib.engine.import_engine import engine_folder
from MIMIRLib.engine.process import slicer_python
from MIMIRLib.job import JobState
from MIMIRLib.panel.panel_view import STEP_MS

STUDIES = int(os.environ.get("STUDIES", "4"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
#: Largest time of the panel over that of the command line.
WANTED = {"without volumes": 1.2, "with volumes": 1.4}


def make_phantoms(folder: Path) -> list[Path]:
    """Phantom studies as archives."""
    command = [slicer_python(), "-m", "mimir_engine", "phantom", f"--count={STUDIES}"]
    command.append(f"--output={folder}")
    subprocess.run(command, cwd=engine_folder(), check=True, stdout=subprocess.DEVNULL)
    return sorted(folder.glob("*.zip"))


def command_line_seconds(paths: list[Path]) -> float:
    """Seconds of `mimir infer`."""
    with tempfile.TemporaryDirectory() as output:
        command = [slicer_python(), "-m", "mimir_engine", "infer", *map(str, paths)]
        command += ["--modules=phantom", f"--output={output}"]
        started = time.perf_counter()
        subprocess.run(command, cwd=engine_folder(), check=True, capture_output=True)
        return time.perf_counter() - started


def panel_seconds(paths: list[Path], volumes: bool) -> float:
    """Seconds of a run driven by a timer, as the panel does, until the last node is shown."""
    slicer.mrmlScene.Clear(False)
    studies = tuple(StudyRequest(path.stem, path=str(path)) for path in paths)
    request = AnalysisRequest(studies, ("phantom",), volumes=volumes)
    job, driver = MeasureJob(slicer.mrmlScene, request), qt.QTimer()
    loop = qt.QEventLoop()  # as in use: processEvents in a loop would keep a core busy

    def step() -> None:
        job.step()
        driver.setInterval(STEP_MS if job.is_waiting else 0)
        if job.is_over:
            loop.quit()

    driver.setInterval(STEP_MS)
    driver.connect("timeout()", step)
    started = time.perf_counter()
    job.start()
    driver.start()
    loop.exec_()
    driver.stop()
    if job.state is not JobState.DONE or len(job.results) != len(paths):
        raise RuntimeError(job.summary)
    return time.perf_counter() - started


def report(seconds: Mapping[str, list[float]]) -> bool:
    """Print medians; whether the panel is as fast as wanted."""
    command_line = statistics.median(seconds["command line"])
    for name, values in seconds.items():
        shown = ", ".join(f"{value:.1f}" for value in values)
        median = statistics.median(values)
        print(f"  {name:<16} median {median:6.1f} s  ({shown})  {median / command_line:.2f}")
    return all(
        statistics.median(seconds[name]) <= wanted * command_line for name, wanted in WANTED.items()
    )


def main() -> bool:
    """Run it, report it; whether the panel is as fast as wanted."""
    seconds: dict[str, list[float]] = {name: [] for name in ("command line", *WANTED)}
    with tempfile.TemporaryDirectory() as folder:
        paths = make_phantoms(Path(folder))
        command_line_seconds(paths)  # files and programs are then in the system's memory
        for _round in range(ROUNDS):
            seconds["command line"].append(command_line_seconds(paths))
            for name in WANTED:
                seconds[name].append(panel_seconds(paths, name == "with volumes"))
    load = f"; load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"{STUDIES} studies, {ROUNDS} rounds{load}; wanted at most {WANTED}")
    is_fast = report(seconds)
    print("met" if is_fast else "MISSED")
    return is_fast


if __name__ == "__main__":
    status = 1
    try:
        status = 0 if main() else 1
    finally:  # Slicer would stay open
        sys.stdout.flush()
        slicer.app.exit(status)
