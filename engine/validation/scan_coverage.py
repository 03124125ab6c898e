"""Measure faulty scans as if no check had spoken: which faults make intervals miss the truth?

The included module measures phantoms of population 1, on which it was trained.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scan_faults import SILENT_CHANGES, sized_faults
from scan_outcome import included_predictor, outcome

from mimir_engine.errors import MimirError
from mimir_engine.fusion import fuse
from mimir_engine.measuring.measurement import measure
from mimir_engine.phantom.scan import make_scan, scan_stations
from mimir_engine.projection import project
from mimir_engine.study.station import Station

#: Shifts of the scan that population 1 can show; the others need population 2.
SHIFTS = ("noise", "contrast")


def coverage_cases(seed: int) -> Iterator[dict[str, Any]]:
    """Measure a scan without a fault, and with each fault of the named size or silent change."""
    truth = make_scan(seed, population=1).body.truth()
    stations, other = (list(scan_stations(s, population=1)) for s in (seed, seed + 5_000))
    rng = np.random.default_rng(seed)
    yield _measured(stations, truth, "none")
    for shift in SHIFTS:
        yield _measured(list(scan_stations(seed, shift, population=1)), truth, shift)
    for name, fault in {**sized_faults(1.0), **SILENT_CHANGES}.items():
        yield _measured(fault(stations, other, rng), truth, name)


def _measured(stations: list[Station], truth: dict[str, float], fault: str) -> dict[str, Any]:
    """Return the outcome of the checks, and for each target whether the interval has the truth."""
    case = outcome(stations, fault=fault)
    try:
        image = project(fuse(stations)).image
    except MimirError:
        return {**case, "covered": {}}
    predictor = included_predictor()
    predicted = predictor.predict(image[np.newaxis])
    measured = measure(predictor.module, predicted.mean[0], predicted.variance[0])
    return {
        **case,
        "covered": {
            m.target: m.lower <= truth[m.target] <= m.upper
            for m in measured
            if m.lower is not None and m.upper is not None
        },
    }
