"""Check how the chosen scans were made: position of the patient, contrast agent, compression."""

from __future__ import annotations

from collections.abc import Sequence

from mimir_engine.errors import MimirError
from mimir_engine.study.finding import Finding
from mimir_engine.study.pairing import Acquisition

#: Positions of the patient in which networks have seen bodies; empty if the header has none.
SUPINE = ("HFS", "FFS", "")


def check_conditions(chosen: Sequence[Acquisition]) -> list[Finding]:
    """Report what headers say that may change what is measured.

    Raises:
        MimirError: ``NOT_SUPINE``.
    """
    _check_supine(chosen)
    return _remarks(chosen)


def _check_supine(chosen: Sequence[Acquisition]) -> None:
    for acquisition in chosen:
        position = acquisition.water.series.patient_position
        if position not in SUPINE:
            raise MimirError(
                "NOT_SUPINE",
                f"the patient of series '{acquisition.water.series.description}' did not lie"
                f" supine (PatientPosition {position}), so organs and fat have another shape",
                "Give a scan in supine position. If the header is wrong, correct it.",
            )


def _remarks(chosen: Sequence[Acquisition]) -> list[Finding]:
    """Report what headers say that may change what is measured."""
    stacks = [stack for a in chosen for stack in (a.water, a.fat)]
    findings = []
    with_agent = [stack for stack in stacks if stack.series.has_agent]
    if with_agent:
        findings.append(
            Finding(
                "CONTRAST_AGENT",
                f"{len(with_agent)} of {len(stacks)} series were scanned with contrast agent, which"
                " changes the signal of water",
            )
        )
    lossy = [stack for stack in stacks if stack.series.is_lossy]
    if lossy:
        findings.append(
            Finding(
                "LOSSY_COMPRESSION",
                f"{len(lossy)} of {len(stacks)} series were compressed with loss",
            )
        )
    return findings
