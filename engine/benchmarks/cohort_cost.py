"""Time a whole cohort against the sum of its parts, watch its memory, and start where much is done.

    python engine/benchmarks/cohort_cost.py --studies 1000 --phantoms 100 --ledger 50000

The parts are measured before and after the run: reading alone, as many studies at once as there are
cores, and the networks alone. ``--parts`` writes what docs/scaling.md is computed from.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cohort_speed import children, megabytes, own_megabytes, write_list, write_studies
from names_in_memory import names_in_memory

import mimir_engine
from mimir_engine.cohort.fingerprint import fingerprint
from mimir_engine.cohort.ledger_lines import encode
from mimir_engine.cohort.measure_studies import MAX_BATCH
from mimir_engine.cohort.outcomes import LEDGER_FILE, read_outcomes
from mimir_engine.cohort.reader_calls import FUNCTIONS, prepare_in_reader
from mimir_engine.cohort.sources import NamedSource
from mimir_engine.files.png import png_bytes
from mimir_engine.inference_module import find_module
from mimir_engine.measuring.network import Predictor
from mimir_engine.measuring.one_study import PreparedStudy, predict_batch
from mimir_engine.measuring.runtime import choose_runtime
from mimir_engine.readers.available_cores import available_cores
from mimir_engine.readers.reader_limits import DEFAULT_LIMITS
from mimir_engine.readers.readers import Readers
from mimir_engine.study.read_options import AS_STORED

#: Goals: the run's time in sums of its parts, growth of its memory, seconds of a start.
MAX_SUMS, MAX_GROWTH, MAX_START_S = 1.15, 1.05, 5.0
#: Most studies of which the parts are measured.
MAX_MEASURED = 48
#: New studies beside those that a ledger already has.
NEW_STUDIES = 2 * MAX_BATCH


@dataclass
class Run:
    """What was seen of a run of `mimir infer`, in seconds after its start and in MB.

    Attributes:
        started: When it had found out what was to be done.
        studies: When each study was done.
        seconds: When it ended.
        main: Memory of the process of the command at the end of each study.
        readers: Memory of all readers then.
    """

    started: float = 0.0
    studies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    main: list[float] = field(default_factory=list)
    readers: list[float] = field(default_factory=list)


def main() -> None:
    """Print the figures of a run, of its parts and of a run that goes on with many studies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=24, help="studies of the run")
    parser.add_argument("--phantoms", type=int, default=4, help="different ones among them")
    parser.add_argument("--modules", type=int, default=4, help="inference modules")
    parser.add_argument("--jobs", type=int, default=available_cores(), help="readers")
    parser.add_argument("--ledger", type=int, default=2000, help="studies that are already done")
    parser.add_argument("--scratch", type=Path, help="folder with some GB of space")
    parser.add_argument("--parts", type=Path, metavar="JSON", help="write what was measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        folder = Path(scratch)
        phantoms = min(options.phantoms, options.studies)
        listed = write_studies(folder, options.studies, phantoms)
        studies = [NamedSource(p.stem, p) for p in sorted(folder.glob("*.zip"))]
        modules = ",".join(f"phantom=m{number}_" for number in range(options.modules))
        before = measure_parts(studies, options.modules, options.jobs)
        run = infer(listed, modules, folder / "out", options.jobs)
        after = measure_parts(studies, options.modules, options.jobs)
        parts = {key: (before[key] + after[key]) / 2 for key in before}
        parts |= {"first_s": run.studies[0], "main_mb": max(run.main)}
        parts |= bytes_per_study(folder / "out", studies[0])
        parts["sums"] = show_run(run, parts, options)
        many = write_many(folder, options.ledger)
        again = infer(many, modules, folder / "many", options.jobs, "--no-images")
        parts |= show_restart(again, run, options.ledger)
    if options.parts:
        conditions = {"mimir": mimir_engine.__version__, "cores": available_cores()}
        conditions |= {"studies": options.studies, "modules": options.modules}
        held = {f"names_mb_{n}": round(sum(names_in_memory(n)), 1) for n in (100_000, 1_000_000)}
        figures = {key: float(f"{value:.4g}") for key, value in parts.items()}
        text = json.dumps({**conditions, **figures, **held}, indent=1)
        options.parts.write_text(text + "\n", "ascii")


def infer(listed: Path, modules: str, output: Path, jobs: int, *options: str) -> Run:
    """Measure studies by `mimir infer` in a process of its own, and watch it."""
    command = [sys.executable, "-m", "mimir_engine", "infer", "--sources", str(listed)]
    command += ["--modules", modules, "--output", str(output), "--jobs", str(jobs)]
    command += options
    run, begun = Run(), time.monotonic()
    with subprocess.Popen(
        [*command, "--events", "--device", "cpu"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            event, now = json.loads(line), time.monotonic() - begun
            if event["event"] == "run":
                run.started = now
            elif event["event"] == "study":
                assert event["state"] == "done", event
                run.studies.append(now)
                run.main.append(own_megabytes(process.pid))
                run.readers.append(sum(map(megabytes, children(process.pid))))
    assert process.returncode == 0
    run.seconds = time.monotonic() - begun
    return run


def measure_parts(studies: Sequence[NamedSource], modules: int, jobs: int) -> dict[str, float]:
    """Measure reading and networks alone in core-seconds per study, and a reader's peak in MB."""
    measured = list(studies[:MAX_MEASURED])
    with Readers(FUNCTIONS, DEFAULT_LIMITS) as readers, ThreadPoolExecutor(jobs) as pool:

        def read(study: NamedSource) -> PreparedStudy:
            return prepare_in_reader(readers, study, AS_STORED)

        list(pool.map(read, measured[:jobs]))  # readers have started
        begun = time.monotonic()
        prepared = list(pool.map(read, measured))
        reading = (time.monotonic() - begun) * jobs / len(prepared)
        memory = peak_of_children()
    runtime = choose_runtime("auto", "cpu")
    module = find_module("phantom")
    predictors = [Predictor(module, runtime.device, runtime.name) for _ in range(modules)]
    batches = [prepared[n : n + MAX_BATCH] for n in range(0, len(prepared), MAX_BATCH)]
    predict_batch(batches[0], predictors)  # networks have their memory
    begun = time.monotonic()
    for batch in batches:
        predict_batch(batch, predictors)
    networks = (time.monotonic() - begun) * available_cores() / len(prepared)
    return {
        "reading_core_s": reading,
        "network_core_s": networks / modules,
        "reader_mb": memory,
    }


def peak_of_children() -> float:
    """Return the most memory in MB that a child of this process has held (Linux; 0 elsewhere)."""
    try:
        texts = [Path(f"/proc/{pid}/status").read_text("utf-8") for pid in children(os.getpid())]
    except OSError:
        return 0.0
    peaks = (re.search(r"^VmHWM:\s+(\d+) kB", text, re.M) for text in texts)
    return max((int(peak[1]) / 1024 for peak in peaks if peak), default=0.0)


def bytes_per_study(output: Path, study: NamedSource) -> dict[str, float]:
    """Return the bytes that a study takes in the results, and its archive."""
    count = len(read_outcomes(output))
    tables = sum(path.stat().st_size for path in output.glob("*.csv"))
    with Readers(FUNCTIONS, DEFAULT_LIMITS) as readers:
        image = prepare_in_reader(readers, study, AS_STORED).projection.image
    return {
        "archive_bytes": float(Path(str(study.source)).stat().st_size),
        "image_bytes": float(len(png_bytes(image.transpose(1, 2, 0)))),
        "ledger_bytes": (output / LEDGER_FILE).stat().st_size / count,
        "table_bytes": tables / count,
    }


def write_many(folder: Path, done: int) -> Path:
    """Write a ledger in which many studies are done, and a list of them and some new ones."""
    results = read_outcomes(folder / "out")
    entries = [entry for _, entry in results.done()]
    phantoms = sorted(folder.glob("study*.zip"))
    linked = folder / "linked"
    linked.mkdir()
    (folder / "many").mkdir()
    with (folder / "many" / LEDGER_FILE).open("wb") as ledger:
        ledger.write(encode(results.run))
        for number in range(done + NEW_STUDIES):
            path = linked / f"many{number:06d}.zip"
            os.link(phantoms[number % len(phantoms)], path)
            if number < done:
                body = {**entries[number % len(entries)], "name": path.stem}
                head = {"name": path.stem, "flags": body.pop("flags")}
                head["files"] = asdict(fingerprint(path))
                ledger.write(encode({**head, "body": body}))
    return write_list(folder / "many.jsonl", sorted(linked.iterdir()))


def show_run(run: Run, parts: dict[str, float], options: argparse.Namespace) -> float:
    """Print the run against its parts, and how it went on; return its time in sums of its parts."""
    count, cores = len(run.studies), available_cores()
    reading = parts["reading_core_s"] / options.jobs
    networks = parts["network_core_s"] * options.modules / cores
    total = run.seconds
    print(f"{count} studies, {options.modules} modules, {options.jobs} readers, {cores} cores")
    print(f"  reading alone       {reading:7.3f} s per study")
    print(f"  networks alone      {networks:7.3f} s per study")
    sums = total / (count * (reading + networks))
    print(f"  the run             {total / count:7.3f} s per study, {total:.0f} s in all")
    print(f"  the first study     {run.studies[0]:7.3f} s after the start")
    print(f"  run / sum of parts  {sums:7.2f}   (goal: {MAX_SUMS:g} for 1,000 studies)")
    early, late = slice(count // 10, count // 5), slice(count - max(count // 10, 1), count)
    for name, memory in (("command", run.main), ("readers", run.readers)):
        first, last = (statistics.median(memory[part] or memory) for part in (early, late))
        print(
            f"  memory of {name}   {first:7.0f} MB in studies {early.start} to {early.stop},"
            f" {last:.0f} MB in the last {late.stop - late.start}:"
            f" {last / max(first, 1):.3f} (goal: {MAX_GROWTH:g})"
        )
    ends = [run.started, *run.studies]
    tenths = [ends[count * k // 10] for k in range(11)]
    sizes = [count * (k + 1) // 10 - count * k // 10 for k in range(10)]
    paces = [(b - a) / n for a, b, n in zip(tenths, tenths[1:], sizes) if n]
    print("  s per study by tenth of the run ", *(f"{pace:.2f}" for pace in paces), flush=True)
    return sums


def show_restart(run: Run, fresh: Run, done: int) -> dict[str, float]:
    """Print how a run started and ended where many studies were done.

    Returns:
        What 1,000 such studies add to start and end, in seconds.
    """
    end, fresh_end = (each.seconds - each.studies[-1] for each in (run, fresh))
    print(f"{done} studies already done")
    print(f"  start               {run.started:7.2f} s  (goal: {MAX_START_S:g} for 50,000)")
    print(f"  tables at the end   {end:7.2f} s")
    print(f"  memory of command   {max(run.main):7.0f} MB", flush=True)
    return {
        "start_s_per_1000": (run.started - fresh.started) * 1000 / done,
        "end_s_per_1000": (end - fresh_end) * 1000 / done,
    }


if __name__ == "__main__":
    main()
