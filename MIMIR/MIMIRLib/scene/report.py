"""Make the report of a study from its nodes: the same as that of ``mimir report``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.errors import mimir_error
from MIMIRLib.scene.fused_mark import fused_pair
from MIMIRLib.scene.kept_result import kept_result
from MIMIRLib.scene.results import StudyNodes
from MIMIRLib.scene.volumes import array_of
from MIMIRLib.translate import tr as _


def write_study_report(path: Union[str, Path], nodes: StudyNodes) -> None:
    """Write the report of a study; its title is the study's label.

    Args:
        path: File to write; one that ends in ``.pdf`` is a PDF file, any other an HTML page.
        nodes: The study's nodes. What was deleted is left out, but the table is needed.

    Raises:
        MimirError: ``RESULT_NOT_KEPT``, ``EXTRA_MISSING``, ``OUTPUT_UNWRITABLE``.
    """
    study = kept_result(nodes.table)
    if study is None:
        raise mimir_error(
            "RESULT_NOT_KEPT",
            _("the scene does not hold the whole result of this study"),
            _("Measure the study again. Results of earlier versions have no reports."),
        )
    from mimir_engine.report.study_report import study_report
    from mimir_engine.report.write_reports import write_report

    picture = _picture(nodes, study.result.findings)
    write_report(Path(path), study_report(study, _projection(nodes), picture, nodes.label))


def _projection(nodes: StudyNodes) -> Optional[Any]:
    """Return the image as the engine made it; None if the node was deleted or is another image."""
    from mimir_engine.projection.project import IMAGE_SHAPE

    if nodes.projection is None or nodes.projection.GetImageData() is None:
        return None
    side_by_side = array_of(nodes.projection)
    channels, rows, columns = IMAGE_SHAPE
    is_own = side_by_side.shape == (1, rows, channels * columns) and side_by_side.dtype == np.uint8
    return np.stack(np.split(side_by_side[0], channels, axis=1)) if is_own else None


def _picture(nodes: StudyNodes, findings: Any) -> Optional[Any]:
    """Draw where findings are; None without volumes that still are as MIMIR made them."""
    from mimir_engine.report.folder_report import finding_picture

    if nodes.water is None or nodes.fat is None:
        return None
    try:
        water, fat, _study = fused_pair(nodes.water, nodes.fat)
    except import_engine().MimirError:
        return None
    return finding_picture(water, fat, findings)
