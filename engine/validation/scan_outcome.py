"""What the checks, and the included module's scan profile, say of one scan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Optional

import numpy as np

from mimir_engine.checks import check_study
from mimir_engine.checks.scan_numbers import scan_numbers
from mimir_engine.errors import MimirError
from mimir_engine.fusion import FusedVolumes, fuse
from mimir_engine.inference_module import find_module
from mimir_engine.measuring.measurement import Measurement, measure
from mimir_engine.measuring.network import Prediction, Predictor
from mimir_engine.measuring.scan_comparison import NOT_KNOWN, ScanComparison, compare_scan
from mimir_engine.projection import project
from mimir_engine.study.finding import NOTE, STOP, Finding
from mimir_engine.study.station import Station

#: Fields of a finding that are kept.
FIELDS = ("code", "severity", "station", "side", "from_mm", "to_mm", "value", "threshold")


def outcome(
    stations: Sequence[Station], truth: Optional[Mapping[str, float]] = None, **case: Any
) -> dict[str, Any]:
    """Return findings, numbers and comparison of a scan; without the latter two if it is refused.

    Args:
        stations: From head to foot.
        truth: True measurements: the scan is then measured as if no check had spoken, and
            ``covered`` tells for each target whether the interval contains the truth.
        case: What is tried; returned too.
    """
    fused, findings, numbers = checked(stations)
    is_stopped = any(finding.severity == STOP for finding in findings)
    compared, covered = ScanComparison("", NOT_KNOWN), {}
    if fused is not None and not (is_stopped and truth is None):
        predictor = included_predictor()
        predicted, layers = predictor.predict_with_features(project(fused).image[np.newaxis])
        if not is_stopped:
            own = {name: features[0] for name, features in layers.items()}
            compared = compare_scan(predictor.module, numbers, own)
        if truth is not None:
            covered = contained(measured(predicted, 0), truth)
    return {
        **case,
        "is_flagged": any(finding.severity != NOTE for finding in findings),
        "findings": [{name: getattr(finding, name) for name in FIELDS} for finding in findings],
        "numbers": numbers,
        "verdict": compared.verdict,
        "ratio": compared.ratio,
        "differences": [contribution.name for contribution in compared.contributions],
        "covered": covered,
    }


def checked(
    stations: Sequence[Station],
) -> tuple[Optional[FusedVolumes], Sequence[Finding], dict[str, float]]:
    """Fuse and check a scan.

    Returns:
        The volumes, None if they cannot be fused; the findings; and the numbers of the scan, none
        if it is refused.
    """
    fused = None
    try:
        fused = fuse(stations)
        findings = check_study(stations, fused)
        is_stopped = any(finding.severity == STOP for finding in findings)
        return fused, findings, {} if is_stopped else scan_numbers(stations, fused)
    except MimirError as error:
        return fused, (Finding(error.code, error.what, STOP),), {}


def measured(predicted: Prediction, row: int) -> tuple[Measurement, ...]:
    """Return the measurements of one of the images that the included module has read."""
    return measure(included_predictor().module, predicted.mean[row], predicted.variance[row])


def contained(measurements: Iterable[Measurement], truth: Mapping[str, float]) -> dict[str, bool]:
    """Return for each target whether its interval contains the true value."""
    return {
        m.target: m.lower <= truth[m.target] <= m.upper
        for m in measurements
        if m.lower is not None and m.upper is not None
    }


@lru_cache(maxsize=1)
def included_predictor() -> Predictor:
    """Load the included module's network."""
    return Predictor(find_module("phantom"), "cpu")
