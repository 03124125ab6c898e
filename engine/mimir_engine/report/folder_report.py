"""Make the report of a study from the folder that holds its result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

import numpy as np

from mimir_engine.checks.finding_picture import draw_findings
from mimir_engine.cohort.study_folder import PROJECTION_FILE, StudyFolder
from mimir_engine.fusion import FusedVolumes
from mimir_engine.report.blocks import Report
from mimir_engine.report.measured_study import measured_study
from mimir_engine.report.study_report import study_report
from mimir_engine.study.finding import Finding
from mimir_engine.study.volume import Volume


def report_of_folder(folder: StudyFolder, title: str = "") -> Report:
    """Make the report of a study.

    Args:
        folder: The study's folder; the picture of findings takes its volumes.
        title: The study's name for people; by default its file name or UID.

    Raises:
        MimirError: ``DETAILS_INVALID``.
    """
    projection = folder.projection() if PROJECTION_FILE in folder.image_sha256 else None
    picture = None
    if folder.has_volumes:
        picture = finding_picture(folder.water(), folder.fat(), folder.result.findings)
    return study_report(measured_study(folder), projection, picture, title)


def finding_picture(
    water: Volume, fat: Volume, findings: Sequence[Finding]
) -> Optional[np.ndarray]:
    """Draw where findings are; None if none of them has a place.

    Args:
        water: The fused water.
        fat: The fused fat.
        findings: What checks found.

    Returns:
        uint8 ``(height, width, 3)``, as ``checks.finding_picture`` draws it.
    """
    if all(finding.from_mm is None for finding in findings):
        return None
    return draw_findings((), FusedVolumes(water, fat), findings)
