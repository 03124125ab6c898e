"""Plot a study's profile: the areas of body, fat and lean tissue along the body.

The chart is upright, so that it can be read beside a coronal view: z points to the head.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from MIMIRLib.scene.charts import chart_node, series_node
from MIMIRLib.scene.node_marks import PROFILE, PROFILE_DATA, PROFILE_SERIES, node_name
from MIMIRLib.scene.tables import Column, table_node
from MIMIRLib.scene.transaction import Transaction
from MIMIRLib.translate import tr as _

#: Name and colour of each line by its column of the engine's profile.
LINES = {
    "body_cm2": (_("body"), (0.35, 0.38, 0.42)),
    "fat_cm2": (_("fat"), (0.80, 0.55, 0.10)),
    "lean_cm2": (_("lean tissue"), (0.70, 0.20, 0.20)),
}
#: Column of the place along the body: patient z in mm, the same in LPS and RAS.
ALONG = "z_mm"


def add_profile(
    transaction: Transaction, key: str, label: str, profile: Mapping[str, Sequence[float]]
) -> Any:
    """Add the chart of a study's profile to the scene.

    Args:
        transaction: The transaction that adds nodes.
        key: The study's key.
        label: The study's label in the nodes' names.
        profile: The engine's columns ``z_mm`` and those of ``LINES``.

    Returns:
        The chart's node.
    """
    columns = [Column(name, profile[name]) for name in (ALONG, *LINES)]
    data = table_node(columns, node_name(PROFILE_DATA, label))
    transaction.add(data, key, PROFILE_DATA, in_tree=False)
    chart = chart_node(node_name(PROFILE, label), label, _("research use only"))
    chart.SetXAxisTitle(_("area across the body (cm²)"))
    chart.SetYAxisTitle(_("z (mm), head at the top"))
    chart.SetLegendVisibility(True)
    chart.SetXAxisRange(0.0, 1.05 * max(profile["body_cm2"]))
    chart.SetYAxisRange(min(profile[ALONG]), max(profile[ALONG]))
    transaction.add(chart, key, PROFILE)
    for column, (name, colour) in LINES.items():
        series = series_node(name, column, ALONG, colour, 2.0)
        transaction.add(series, key, PROFILE_SERIES, in_tree=False)
        series.SetAndObserveTableNodeID(data.GetID())
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
    return chart
