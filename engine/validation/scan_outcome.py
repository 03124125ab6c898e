"""What the checks, and the included module's scan profile, say of one scan."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from mimir_engine.checks import check_study
from mimir_engine.checks.scan_numbers import scan_numbers
from mimir_engine.errors import MimirError
from mimir_engine.fusion import FusedVolumes, fuse
from mimir_engine.inference_module import find_module
from mimir_engine.measuring.network import Predictor
from mimir_engine.measuring.scan_comparison import NOT_KNOWN, ScanComparison, compare_scan
from mimir_engine.projection import project
from mimir_engine.study.finding import NOTE, STOP, Finding
from mimir_engine.study.station import Station

#: Fields of a finding that are kept.
FIELDS = ("code", "severity", "station", "side", "from_mm", "to_mm", "value", "threshold")


def outcome(stations: Sequence[Station], **case: Any) -> dict[str, Any]:
    """Return findings, numbers and comparison of a scan; without the latter two if it is refused.

    Args:
        stations: From head to foot.
        case: What is tried; returned too.
    """
    findings: Sequence[Finding]
    compared = ScanComparison("", NOT_KNOWN)
    try:
        fused = fuse(stations)
        findings = check_study(stations, fused)
        is_stopped = any(finding.severity == STOP for finding in findings)
        numbers = {} if is_stopped else scan_numbers(stations, fused)
        if not is_stopped:
            compared = _compared(fused, numbers)
    except MimirError as error:
        findings, numbers = (Finding(error.code, error.what, STOP),), {}
    return {
        **case,
        "is_flagged": any(finding.severity != NOTE for finding in findings),
        "findings": [{name: getattr(finding, name) for name in FIELDS} for finding in findings],
        "numbers": numbers,
        "verdict": compared.verdict,
        "ratio": compared.ratio,
        "differences": [contribution.name for contribution in compared.contributions],
    }


def _compared(fused: FusedVolumes, numbers: dict[str, float]) -> ScanComparison:
    predictor = included_predictor()
    _, layers = predictor.predict_with_features(project(fused).image[np.newaxis])
    own = {name: features[0] for name, features in layers.items()}
    return compare_scan(predictor.module, numbers, own)


@lru_cache(maxsize=1)
def included_predictor() -> Predictor:
    """Load the included module's network."""
    return Predictor(find_module("phantom"), "cpu")
