"""Measure faulty scans as if no check had spoken: which faults make intervals miss the truth?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scan_faults import SILENT_CHANGES, sized_faults
from scan_outcome import outcome

from mimir_engine.phantom.scan import make_scan, scan_stations, stations_of


def coverage_cases(seed: int) -> Iterator[dict[str, Any]]:
    """Measure a scan without a fault, and with each fault of the named size or silent change."""
    scan = make_scan(seed)
    truth, stations = scan.truths()[0], list(stations_of(scan))
    other = list(scan_stations(seed + 5_000))
    rng = np.random.default_rng(seed)
    yield outcome(stations, truth, fault="none")
    for name, fault in {**sized_faults(1.0), **SILENT_CHANGES}.items():
        yield outcome(fault(stations, other, rng), truth, fault=name)
