"""Time reading and projecting a study, relative to inflating its zip archive.

Reading must at least inflate the water and fat entries. The time of zlib for this alone is measured
in the same rounds, so the ratio does not depend on the machine. Times are CPU seconds of one
thread. The study is ``nominal`` of the parity kit if MIMIR_PARITY names the kit, else a phantom.
"""

from __future__ import annotations

import os
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from pathlib import Path

from mimir_engine.checks import check_study
from mimir_engine.direct import measure_directly
from mimir_engine.fusion import fuse
from mimir_engine.headers.slices import read_headers
from mimir_engine.projection.project import project
from mimir_engine.source.open_source import open_source
from mimir_engine.study.assemble import assemble
from mimir_engine.study.read import load_stations

ROUNDS = 9
MAX_RATIO, MAX_MEGABYTES = 3.0, 500
PHASES = (
    *("list the archive", "read headers", "assemble", "read pixels"),
    *("fuse", "check", "measure directly", "project"),
)


def main() -> None:
    """Print each phase's time, the ratio to the minimum and the peak memory."""
    if sys.argv[1:2] == ["--peak"]:
        phase_seconds(Path(sys.argv[2]))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        return
    with tempfile.TemporaryDirectory() as folder:
        study = make_study(Path(folder))
        entries = compressed_entries(study)
        rounds = [(floor_seconds(entries), phase_seconds(study)) for _ in range(ROUNDS)]
        report(study.stem, len(entries), rounds)
        command = [sys.executable, __file__, "--peak", str(study)]
        peak = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(f"peak memory of one process: {peak} MB (limit: {MAX_MEGABYTES})")


def make_study(folder: Path) -> Path:
    """Return the study to time."""
    if kit := os.environ.get("MIMIR_PARITY"):
        path = folder / "nominal.zip"
        command = [sys.executable, Path(kit) / "make_study.py", "--out", path]
        subprocess.run(command, check=True)
    else:
        from mimir_engine.phantom.dicom_study import study_name, write_study

        path = folder / f"{study_name(0)}.zip"
        write_study(path, 0)
    return path


def compressed_entries(path: Path) -> list[bytes]:
    """Return the compressed bytes of the water and fat entries."""
    with open_source(path) as files:
        names = {s.entry.name for s in read_headers(files.with_first_bytes()).slices}
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        blobs = []
        for info in archive.infolist():
            if info.filename in names:
                file.seek(info.header_offset + 26)
                name, extra = struct.unpack("<HH", file.read(4))
                file.seek(name + extra, 1)
                blobs.append(file.read(info.compress_size))
    return blobs


def floor_seconds(entries: list[bytes]) -> float:
    """Return the time of inflating the entries."""
    start = time.process_time()
    for entry in entries:
        zlib.decompress(entry, -zlib.MAX_WBITS)
    return time.process_time() - start


def phase_seconds(path: Path) -> list[float]:
    """Return the time of each phase, from the archive to the image."""
    times = [time.process_time()]
    with open_source(path) as files:
        times.append(time.process_time())
        headers = read_headers(files.with_first_bytes())
        times.append(time.process_time())
        assembly = assemble(headers)
        times.append(time.process_time())
        stations, _ = load_stations(assembly.plans)
        times.append(time.process_time())
    fused = fuse(stations)
    times.append(time.process_time())
    check_study(stations, fused)
    times.append(time.process_time())
    measure_directly(fused)
    times.append(time.process_time())
    project(fused)
    times.append(time.process_time())
    return [after - before for before, after in zip(times, times[1:])]


def report(name: str, entries: int, rounds: list[tuple[float, list[float]]]) -> None:
    """Print the medians of all rounds and the range of ratios."""
    floor = statistics.median(seconds for seconds, _ in rounds)
    print(f"{name}: {ROUNDS} rounds, CPU seconds, median (x = times the minimum)")
    print(f"  {'minimum: inflate ' + str(entries) + ' entries':<34} {floor:.3f}  1.00x")
    for index, phase in enumerate(PHASES):
        seconds = statistics.median(phases[index] for _, phases in rounds)
        print(f"  {phase:<34} {seconds:.3f}  {seconds / floor:.2f}x")
    ratios = sorted(sum(phases) / seconds for seconds, phases in rounds)
    print(
        f"  from zip to image: {statistics.median(ratios):.2f}x the minimum"
        f" ({ratios[0]:.2f} to {ratios[-1]:.2f}; limit: {MAX_RATIO:g})"
    )


if __name__ == "__main__":
    main()
