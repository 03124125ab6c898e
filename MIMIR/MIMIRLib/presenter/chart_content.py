"""What the chart of estimates shows: the measurements of one study, or why there are none."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Optional

from MIMIRLib.scene.kept_result import kept_result
from MIMIRLib.scene.results import COHORT_KEY, StudyNodes
from MIMIRLib.translate import tr as _


@dataclass(frozen=True)
class ChartContent:
    """The chart of one study.

    Attributes:
        key: The study's key.
        label: Its label: patient, date and description.
        measurements: The engine's ``Measurement``s.
        sentence: Why there is no chart; empty if there are measurements.
    """

    key: str = ""
    label: str = ""
    measurements: tuple[Any, ...] = ()
    sentence: str = ""

    def only(self, names: Optional[Collection[str]]) -> list[Any]:
        """Return the measurements with these names; None for all."""
        return [m for m in self.measurements if names is None or m.name in names]


def chart_content(nodes: Optional[StudyNodes]) -> ChartContent:
    """Return the chart of the chosen nodes: a study's, the cohort's, or none."""
    if nodes is None:
        return ChartContent(sentence=_("No result is chosen."))
    if nodes.key in ("", COHORT_KEY):
        return ChartContent(sentence=_("The chart shows one study. Choose one in the results."))
    study = kept_result(nodes.table)
    if study is None:
        sentence = _("There is no chart: an earlier version measured this study. Measure it again.")
        return ChartContent(nodes.key, nodes.label, sentence=sentence)
    measurements = tuple(study.result.measurements)
    sentence = "" if measurements else _("No inference module measured this study.")
    return ChartContent(nodes.key, nodes.label, measurements, sentence)
