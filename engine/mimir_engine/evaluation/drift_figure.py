"""Draw how far the scan numbers of each group are from the reference. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np

from mimir_engine.checks.scan_numbers import SCAN_NUMBERS
from mimir_engine.cohort.scanners.drift import GroupDrift
from mimir_engine.evaluation.plot_style import ESTIMATE, PAPER, QUIET, WARNING, save_figure

#: Groups with panels of their own; the table has all.
MAX_PANELS = 12
#: Largest |z| that is drawn at its place; larger ones lie at the border.
MAX_Z = 20.0
#: Characters in a line of a title.
TITLE = 32
#: Width of a panel, height of a number's line and of the rest, in inches.
PANEL, LINE, FRAME = 2.6, 0.16, 0.8


def draw_drift(path: Path, groups: Sequence[GroupDrift]) -> None:
    """Draw a panel for each group: one dot per number, with the limits.

    Args:
        path: The ``.png`` file.
        groups: As ``find_drift`` returns them; those that were too small are left out.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    shown = [group for group in groups if group.numbers][:MAX_PANELS]
    names = [name for name in SCAN_NUMBERS if any(_has(group, name) for group in shown)]
    with rc_context(PAPER):
        size = (1.8 + PANEL * max(len(shown), 1), FRAME + LINE * len(names))
        figure = Figure(figsize=size)
        panels = figure.subplots(1, max(len(shown), 1), sharey=True, squeeze=False)[0]
        for axis, group in zip(panels, shown):
            _panel(axis, group, names)
        save_figure(path, figure)


def _has(group: GroupDrift, name: str) -> bool:
    return any(number.name == name for number in group.numbers)


def _panel(axis: Any, group: GroupDrift, names: Sequence[str]) -> None:
    z = {number.name: number.z for number in group.numbers}
    values = np.array([z.get(name, np.nan) for name in names])
    is_beyond = np.abs(values) > group.z_limit
    places = np.arange(len(names))
    for limit in (-group.z_limit, group.z_limit):
        axis.axvline(limit, color=QUIET, linewidth=0.7, linestyle=":")
    axis.axvline(0.0, color=QUIET, linewidth=0.7)
    for chosen, colour in ((~is_beyond, ESTIMATE), (is_beyond, WARNING)):
        axis.scatter(values[chosen].clip(-MAX_Z, MAX_Z), places[chosen], s=14, color=colour)
    axis.set_yticks(places, [SCAN_NUMBERS[name] for name in names])
    axis.set(ylim=(len(names) - 0.5, -0.5), xlabel="mean score / standard error")
    lines = wrap(group.group, TITLE, max_lines=2)
    axis.set_title("\n".join([*lines, f"{group.scans} scans"]), fontsize=7)
