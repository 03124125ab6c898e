"""What the checks say of one scan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mimir_engine.checks import check_study
from mimir_engine.checks.scan_numbers import scan_numbers
from mimir_engine.errors import MimirError
from mimir_engine.fusion import fuse
from mimir_engine.study.finding import NOTE, STOP, Finding
from mimir_engine.study.station import Station

#: Fields of a finding that are kept.
FIELDS = ("code", "severity", "station", "side", "from_mm", "to_mm", "value", "threshold")


def outcome(stations: Sequence[Station], **case: Any) -> dict[str, Any]:
    """Return findings and numbers of the checks of a scan; without numbers if it is refused.

    Args:
        stations: From head to foot.
        case: What is tried; returned too.
    """
    findings: Sequence[Finding]
    try:
        fused = fuse(stations)
        findings = check_study(stations, fused)
        is_stopped = any(finding.severity == STOP for finding in findings)
        numbers = {} if is_stopped else scan_numbers(stations, fused)
    except MimirError as error:
        findings, numbers = (Finding(error.code, error.what, STOP),), {}
    return {
        **case,
        "is_flagged": any(finding.severity != NOTE for finding in findings),
        "findings": [{name: getattr(finding, name) for name in FIELDS} for finding in findings],
        "numbers": numbers,
    }
