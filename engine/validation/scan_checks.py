"""Try the checks of scans on fresh phantoms: usual ones, exchanged contrasts, and other faults.

    python engine/validation/scan_checks.py --output DIR [--docs DIR] [--small]

No threshold was set on these phantoms. Each phantom's outcomes are kept in a file, so that a killed
run goes on where it was. With --docs, the tables are written into validation.md in that folder.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from page import fill
from profile_tables import profile_tables
from scan_check_tables import check_tables
from scan_coverage import coverage_cases
from scan_faults import (
    SILENT_CHANGES,
    exchanged_parts,
    sized_faults,
)
from scan_outcome import outcome

from mimir_engine.cli._progress_bar import counted
from mimir_engine.files.json_file import write_json
from mimir_engine.headers.slices import REQUIRED_CONTRASTS
from mimir_engine.phantom.scan import scan_stations
from mimir_engine.phantom.shift import SHIFTS
from mimir_engine.study.exchanged_part import ExchangedPart, exchange_back
from mimir_engine.study.phase_slices import PLACES
from mimir_engine.study.station import Station

#: First seeds: usual phantoms, exchanged contrasts, shifts and faults, silent changes.
USUAL_SEED, EXCHANGE_SEED, FAULT_SEED, SILENT_SEED = 3_300_000, 3_310_000, 3_320_000, 3_330_000
#: That of phantoms that are measured with faults.
COVERAGE_SEED = 3_340_000
#: Bodies in which exchanged contrasts are looked for.
BODIES = ("none", "lean", "obese")
#: Sizes of all shifts and faults.
SIZES = (0.5, 1.0, 2.0)
PROCESSES = 2


#: Tries the cases of a seed, and yields the outcome of each.
Cases = Callable[[int], Iterator[dict[str, Any]]]


@dataclass(frozen=True)
class Group:
    """Phantoms of consecutive seeds on which the same cases are tried."""

    name: str
    first_seed: int
    count: int
    cases: Cases


def main() -> None:
    """Try all cases, then make the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="folder of all outcomes")
    parser.add_argument("--docs", type=Path, help="folder of validation.md to fill")
    parser.add_argument("--small", action="store_true", help="few phantoms")
    arguments = parser.parse_args()
    outcomes = try_all(arguments.output, arguments.small)
    tables = {**check_tables(outcomes), **profile_tables(outcomes)}
    for name, text in tables.items():
        print(f"\n{name}\n\n{text}")
    if arguments.docs is not None:
        fill(arguments.docs / "validation.md", tables)


def groups(is_small: bool) -> tuple[Group, ...]:
    """List the groups; one phantom of each if small."""

    def group(name: str, seed: int, count: int, cases: Cases) -> Group:
        return Group(name, seed, 1 if is_small else count, cases)

    return (
        group("usual", USUAL_SEED, 400, usual_cases),
        group("exchange", EXCHANGE_SEED, 100, exchange_cases),
        group("faults", FAULT_SEED, 12, fault_cases),
        group("silent", SILENT_SEED, 10, silent_cases),
        group("coverage", COVERAGE_SEED, 10, coverage_cases),
    )


def try_all(folder: Path, is_small: bool) -> dict[str, list[dict[str, Any]]]:
    """Try all cases of the checks; return the outcomes by group."""
    return try_groups(folder, groups(is_small))


def try_groups(folder: Path, chosen: Sequence[Group]) -> dict[str, list[dict[str, Any]]]:
    """Try all cases of groups that have not been tried; return the outcomes by group."""
    outcomes = {}
    # Processes of their own kind: a copy of this one would hang where PyTorch's threads had worked.
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        for group in chosen:
            (folder / group.name).mkdir(parents=True, exist_ok=True)
            seeds = range(group.first_seed, group.first_seed + group.count)
            found = pool.map(partial(_tried, folder / group.name, group.cases), seeds)
            outcomes[group.name] = []
            with counted("phantom", group.name) as show:
                for done, cases in enumerate(found, 1):
                    outcomes[group.name] += cases
                    show(done, group.count)
    return outcomes


def _tried(folder: Path, cases: Cases, seed: int) -> list[dict[str, Any]]:
    path = folder / f"{seed}.json"
    if not path.exists():
        write_json(path, list(cases(seed)))
    content: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return content


def usual_cases(seed: int) -> Iterator[dict[str, Any]]:
    """Check a usual scan, and for one seed of five scans of a lean and of an obese body."""
    for body in BODIES if seed % 5 == 0 else BODIES[:1]:
        yield outcome(as_read(scan_stations(seed, body, phases=True)), body=body)


def exchange_cases(seed: int) -> Iterator[dict[str, Any]]:
    """Exchange water and fat in a station, a side, both legs, part of a station, and everywhere."""
    rng = np.random.default_rng(seed)
    for body in BODIES:
        stations = scan_stations(seed, body)
        for kind, parts in _exchanges(stations, rng):
            case = outcome(exchange_back(stations, parts), body=body, kind=kind)
            yield {**case, **_located(stations, parts, case["findings"])}


def _exchanges(
    stations: Sequence[Station], rng: np.random.Generator
) -> Iterator[tuple[str, list[ExchangedPart]]]:
    count = len(stations)
    yield "station", exchanged_parts(stations, [int(rng.integers(count))])
    side = str(rng.choice(["right", "left"]))
    yield "side of a station", exchanged_parts(stations, [int(rng.integers(count))], side)
    yield "one leg", exchanged_parts(stations, [count - 2, count - 1], side)
    yield "both legs", exchanged_parts(stations, [count - 2, count - 1])
    yield "all stations", exchanged_parts(stations, range(count))
    first = float(rng.uniform(0.0, 0.5))
    slices = (first, float(first + rng.uniform(0.2, 0.5)))
    yield "part of a station", exchanged_parts(stations, [int(rng.integers(count))], "", slices)


def _located(
    stations: Sequence[Station], parts: Sequence[ExchangedPart], found: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Return whether findings name exactly the stations and sides, and the slices within two."""
    exchanged = [finding for finding in found if finding["code"] == "WATER_FAT_EXCHANGED"]
    if len(exchanged) != len(parts):
        return {"is_found": bool(exchanged), "is_located": False}
    ordered = sorted(exchanged, key=lambda finding: int(finding["station"]))
    return {
        "is_found": True,
        "is_located": all(map(partial(_is_at, stations), sorted(parts, key=_place), ordered)),
    }


def _place(part: ExchangedPart) -> int:
    return part.station


def _is_at(stations: Sequence[Station], part: ExchangedPart, finding: dict[str, Any]) -> bool:
    station = stations[part.station]
    bottom, step = float(station.affine[2, 3]), station.spacing_mm[2]
    low, high = bottom + (part.first_slice - 0.5) * step, bottom + (part.last_slice + 0.5) * step
    ends = (finding["from_mm"], finding["to_mm"])
    if None in ends:
        ends = (bottom - 0.5 * step, bottom + (station.shape[0] - 0.5) * step)
    is_whole = part.first_column == 0 and part.last_column == station.shape[2] - 1
    side = "" if is_whole else "right" if part.first_column == 0 else "left"
    return (
        finding["station"] == part.station + 1
        and finding["side"] == side
        and max(abs(ends[0] - low), abs(ends[1] - high)) < 2.5 * step
    )


def fault_cases(seed: int) -> Iterator[dict[str, Any]]:
    """Try every shift and fault at three sizes, and the same scan without a fault."""
    usual = list(scan_stations(seed))
    other = list(scan_stations(seed + 5_000))
    rng = np.random.default_rng(seed)
    yield outcome(usual, fault="none", size=0.0)
    for size in SIZES:
        for name in SHIFTS:
            if name != "none":
                yield outcome(scan_stations(seed, name, size), fault=name, size=size)
        for name, fault in sized_faults(size).items():
            yield outcome(fault(usual, other, rng), fault=name, size=size)


def silent_cases(seed: int) -> Iterator[dict[str, Any]]:
    """Try every silent change."""
    stations, other = (list(scan_stations(s)) for s in (seed, seed + 5_000))
    rng = np.random.default_rng(seed)
    for name, fault in SILENT_CHANGES.items():
        yield outcome(fault(stations, other, rng), fault=name)


def as_read(stations: Sequence[Station]) -> list[Station]:
    """Keep only those in-phase and opposed-phase slices that reading an archive keeps."""
    read = []
    for station in stations:
        own = {contrast: station.images[contrast] for contrast in REQUIRED_CONTRASTS}
        indices = {int(place * station.shape[0]) for place in PLACES}
        phases = {
            contrast: {index: image[index] for index in indices}
            for contrast, image in station.images.items()
            if contrast not in own
        }
        read.append(Station(own, station.affine, phases))
    return read


if __name__ == "__main__":
    main()
