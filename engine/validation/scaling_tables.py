"""Compute from measured parts what cohorts cost, and put the tables into docs/scaling.md.

    python engine/benchmarks/cohort_cost.py --studies 1000 --phantoms 100 --ledger 50000 \\
        --parts engine/validation/scaling_parts.json
    python engine/validation/scaling_tables.py --docs docs
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from page import fill

from mimir_engine.files.markdown_table import markdown_table
from mimir_engine.measuring.display_text import duration

#: What `cohort_cost.py --parts` has written.
PARTS_FILE = Path(__file__).with_name("scaling_parts.json")
#: Studies of a hospital, of a large trial, of UK Biobank.
COHORTS = (300, 10_000, 100_000)
#: Inference modules of the tables.
MODULES = 4
#: Seconds that a graphics card takes for one image and module: assumed, not measured.
CARD_S = 0.01
#: MB per second from which the tables name the storage: one disk, or a network of 1 Gbit/s.
SLOW_STORAGE_MB = 100.0
MB, GB = 1e6, 1e9
MILLION = 1_000_000

Parts = Mapping[str, float]


@dataclass(frozen=True)
class Machines:
    """Equal machines that measure one cohort.

    Attributes:
        name: What they are called.
        cores: Cores of each.
        count: How many.
        has_card: True if the networks run on a graphics card.
    """

    name: str
    cores: int
    count: int = 1
    has_card: bool = False


MACHINES = (
    Machines("laptop, 2 cores", 2),
    Machines("workstation, 16 cores, one graphics card", 16, has_card=True),
    Machines("cluster, 8 nodes of 16 cores", 16, count=8),
)


@dataclass(frozen=True)
class Cost:
    """What a cohort costs on some machines.

    Attributes:
        seconds: From the start to the tables.
        memory_gb: Of each machine.
        disk_gb: Of the results.
        archives_mb_s: What the storage of the archives has to give per second, at most: only a part
            of each archive is read.
        limit: What takes most of the time.
    """

    seconds: float
    memory_gb: float
    disk_gb: float
    archives_mb_s: float
    limit: str


def cost(studies: int, machines: Machines, parts: Parts) -> Cost:
    """Compute what a cohort costs."""
    cores = machines.cores * machines.count
    reading = parts["reading_core_s"] / cores
    networks = MODULES * (CARD_S if machines.has_card else parts["network_core_s"] / cores)
    together = max(reading, networks) if machines.has_card else reading + networks
    alone = studies / 1000 * parts["end_s_per_1000"]
    seconds = parts["first_s"] + studies * together * parts["sums"] + alone
    limit = "reading" if reading >= networks else "networks"
    if alone > seconds / 4:
        limit += "; tables, which one process writes"
    speed = studies * parts["archive_bytes"] / MB / seconds
    if speed > SLOW_STORAGE_MB:
        limit += "; slow storage"
    memory = parts["main_mb"] + machines.cores * parts["reader_mb"] + names_mb(studies, parts)
    return Cost(seconds, memory / 1000, disk_gb(studies, parts), speed, limit)


def names_mb(studies: int, parts: Parts) -> float:
    """Return the MB of the list of studies and of the ledger's names and offsets."""
    return parts["names_mb_1000000"] * studies / MILLION


def disk_gb(studies: int, parts: Parts) -> float:
    """Return the GB of ledger, tables and images."""
    each = sum(parts[f"{kind}_bytes"] for kind in ("ledger", "table", "image"))
    return studies * each / GB


def tables(parts: Parts) -> dict[str, str]:
    """Make all tables, by name."""
    return {
        "scaling-parts": parts_table(parts),
        "scaling-costs": cost_table(parts),
        "scaling-million": million_table(parts),
    }


def parts_table(parts: Parts) -> str:
    """Show what was measured."""
    rows = [
        ("reading one study, from archive to image", f"{parts['reading_core_s']:.2f} s of a core"),
        ("one network, one image", f"{parts['network_core_s']:.2f} s of a core"),
        ("a whole run / the sum of these", f"{parts['sums']:.2f}"),
        ("until the first study is measured", f"{parts['first_s']:.0f} s"),
        ("a start, per 1,000 studies that are done", f"{parts['start_s_per_1000']:.2f} s"),
        ("tables at the end, per 1,000 studies", f"{parts['end_s_per_1000']:.2f} s"),
        ("memory of one reader, at most", f"{parts['reader_mb']:.0f} MB"),
        ("memory of the command", f"{parts['main_mb']:.0f} MB"),
        ("archive of one study", f"{parts['archive_bytes'] / MB:.0f} MB"),
        ("image of one study (PNG)", f"{parts['image_bytes'] / 1000:.0f} KB"),
        ("ledger, per study", f"{parts['ledger_bytes'] / 1000:.1f} KB"),
        ("tables, per study", f"{parts['table_bytes'] / 1000:.1f} KB"),
        ("names and offsets of 100,000 studies", f"{parts['names_mb_100000']:.0f} MB"),
        ("names and offsets of 1,000,000 studies", f"{parts['names_mb_1000000']:.0f} MB"),
    ]
    table = markdown_table(("part", "measured"), rows)
    return (
        f"{table}\n\nMeasured with {parts['studies']:.0f} studies, {parts['modules']:.0f} modules"
        f" and {parts['cores']:.0f} cores."
    )


def cost_table(parts: Parts) -> str:
    """Show what each cohort costs on each kind of machine."""
    heads = ("machines", "studies", "time", "memory of each", "results on disk")
    rows = []
    for machines in MACHINES:
        for studies in COHORTS:
            found = cost(studies, machines, parts)
            figures = (f"{found.memory_gb:.1f} GB", _gigabytes(found.disk_gb))
            speed = f"{found.archives_mb_s:.0f} MB/s"
            rows.append(
                (
                    machines.name,
                    f"{studies:,}",
                    duration(found.seconds),
                    *figures,
                    speed,
                    found.limit,
                )
            )
    return markdown_table((*heads, "archives, at most", "limited by"), rows)


def million_table(parts: Parts) -> str:
    """Show what a million studies would need of each thing that is not divided."""
    start, end = (parts[f"{kind}_s_per_1000"] * 1000 / 3600 for kind in ("start", "end"))
    rows = [
        ("list of studies, names and offsets", f"{names_mb(MILLION, parts) / 1000:.2f} GB memory"),
        ("one ledger", f"{MILLION * parts['ledger_bytes'] / GB:.0f} GB"),
        ("reading it at a start", f"{start:.1f} hours"),
        ("one set of tables", f"{MILLION * parts['table_bytes'] / GB:.1f} GB"),
        ("writing them", f"{end:.1f} hours"),
        ("images in one folder", f"{MILLION * parts['image_bytes'] / GB:.0f} GB, a million files"),
        ("archives", f"{MILLION * parts['archive_bytes'] / 1e12:.0f} TB"),
    ]
    return markdown_table(("thing", "a million studies"), rows)


def _gigabytes(size: float) -> str:
    return f"{size:.0f} GB" if size >= 10 else f"{size:.2g} GB"


def main() -> None:
    """Fill the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docs", type=Path, required=True, help="folder of scaling.md")
    parser.add_argument("--parts", type=Path, default=PARTS_FILE, help="measured parts")
    options = parser.parse_args()
    parts = json.loads(options.parts.read_text("ascii"))
    numbers = {key: value for key, value in parts.items() if isinstance(value, (int, float))}
    fill(options.docs / "scaling.md", tables(numbers))


if __name__ == "__main__":
    main()
