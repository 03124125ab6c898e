"""Time reading and projecting a study, relative to inflating its zip archive.

Reading must at least inflate the water and fat entries. The time of zlib for this alone, the
minimum, is measured in the same rounds, so ratios do not depend on the machine. Each round reads
the study with the standard library and, if it is installed, with ISA-L (extra ``fast``); both are
compared with zlib. Times are CPU seconds of one thread, the least of all rounds: those that other
programs disturbed least. Scan checks and direct measurements are not needed for the image, and
stand beside it. The study is ``nominal`` of the parity kit if MIMIR_PARITY names the kit, else a
phantom.
"""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mimir_engine.checks import check_study
from mimir_engine.cohort.reader_calls import FUNCTIONS
from mimir_engine.cohort.sources import NamedSource, source_fields
from mimir_engine.direct import measure_directly
from mimir_engine.files.json_file import to_json
from mimir_engine.fusion import fuse
from mimir_engine.headers.slices import read_headers
from mimir_engine.projection.project import project
from mimir_engine.readers.reader_limits import DEFAULT_LIMITS
from mimir_engine.readers.reader_process import ReaderProcess
from mimir_engine.source import inflate
from mimir_engine.source.open_source import open_source
from mimir_engine.study.assemble import assemble
from mimir_engine.study.read import load_stations
from mimir_engine.study.read_options import AS_STORED

ROUNDS = 15
#: Goals: from zip to image, in times the minimum; peak memory of a reader in MB (2**20 bytes).
MAX_RATIO, MAX_FAST_RATIO, MAX_MEGABYTES = 2.0, 1.5, 250
STEPS = ("list the archive", "read headers", "assemble", "read pixels", "fuse", "project")
BESIDE = ("check", "measure directly")
LIBRARIES = {"standard library": None, "fast": inflate.isal}


def main() -> None:
    """Print each step's time, the ratio to the minimum and the peak memory."""
    if sys.argv[1:2] == ["--steps"]:
        study_seconds(Path(sys.argv[2]), print_memory=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        study = make_study(Path(folder))
        entries = compressed_entries(study)
        libraries = {name: isal for name, isal in LIBRARIES.items() if isal or name != "fast"}
        rounds = [one_round(study, entries, libraries) for _ in range(ROUNDS)]
        report(study.stem, len(entries), list(libraries), rounds)
        report_memory(study)


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


def one_round(path: Path, entries: list[bytes], libraries: dict[str, Any]) -> list[list[float]]:
    """Return for each library the time of inflating alone, and those of all steps."""
    times = []
    for isal in libraries.values():
        inflate.isal = isal
        start = time.process_time()
        for entry in entries:
            (isal or zlib).decompress(entry, -zlib.MAX_WBITS)
        times.append([time.process_time() - start, *study_seconds(path)])
    return times


def study_seconds(path: Path, print_memory: bool = False) -> list[float]:
    """Return the time of each of ``STEPS`` and ``BESIDE``."""
    times = [time.process_time()]

    def done() -> None:
        times.append(time.process_time())
        if print_memory:
            print(peak_megabytes())

    with open_source(path) as files:
        done()
        headers = read_headers(files.with_first_bytes())
        done()
        assembly = assemble(headers)
        done()
        stations, _ = load_stations(assembly.plans)
        done()
    fused = fuse(stations)
    done()
    project(fused)
    done()
    check_study(stations, fused)
    done()
    measure_directly(fused)
    done()
    return [after - before for before, after in zip(times, times[1:])]


def report(
    name: str, entries: int, libraries: Sequence[str], rounds: list[list[list[float]]]
) -> None:
    """Print the least times of all rounds, and the range of the ratios within them."""
    floors = [one[0][0] for one in rounds]
    floor = min(floors)
    least = [[min(column) for column in zip(*times)] for times in zip(*rounds)]
    print(f"{name}: {ROUNDS} rounds, CPU seconds, least (x = times the minimum)")
    print(f"  {'':<34}" + "".join(f"{library:<20}" for library in libraries))
    rows = (f"inflate {entries} entries alone", *STEPS, *BESIDE)
    for row, values in zip(rows, zip(*least)):
        print(line(row + (" (beside)" if row in BESIDE else ""), values, floor))
    totals = [[sum(times[1 : 1 + len(STEPS)]) for times in one] for one in rounds]
    print(line("from zip to image", [min(column) for column in zip(*totals)], floor))
    for library, column, limit in zip(libraries, zip(*totals), (MAX_RATIO, MAX_FAST_RATIO)):
        ratios = sorted(total / own for total, own in zip(column, floors))
        print(
            f"  {library}: {ratios[len(ratios) // 2]:.2f}x the minimum of the same round, median"
            f" ({ratios[0]:.2f} to {ratios[-1]:.2f}; goal: at most {limit:g})"
        )


def line(name: str, values: Sequence[float], floor: float) -> str:
    """Return one row of the table: seconds and ratio for each library."""
    return f"  {name:<34}" + "".join(f"{v:.3f} {v / floor:6.2f}x      " for v in values)


def report_memory(path: Path) -> None:
    """Print the peak memory after each step, and that of a reader as ``mimir infer`` uses it."""
    command = [sys.executable, __file__, "--steps", str(path)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    peaks = ", ".join(f"{step} {peak}" for step, peak in zip((*STEPS, *BESIDE), output.split()))
    print(f"  peak memory in MB after each step: {peaks}")
    reader = ReaderProcess(FUNCTIONS, DEFAULT_LIMITS)
    fields = source_fields(NamedSource(path.stem, str(path)))
    reading = to_json(AS_STORED)
    for _ in range(2):
        reader.call("prepare_study", {"source": fields, "reading": reading, "images": None})
    peak = peak_megabytes(str(reader._process.pid))
    reader.close()
    print(
        f"  peak memory of one reader, checks included: {peak} MB (goal: at most {MAX_MEGABYTES})"
    )


def peak_megabytes(process: str = "self") -> int:
    """Return the peak memory of a process so far, from its own start on (Linux)."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) // 1024


if __name__ == "__main__":
    main()
