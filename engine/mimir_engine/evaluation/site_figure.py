"""Draw the ratios that the constant of a scanner was estimated from. Needs matplotlib."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mimir_engine.evaluation.plot_style import ESTIMATE, PAPER, TRUTH, save_figure
from mimir_engine.study.site import Site


def draw_site(path: Path, site: Site, ratios: np.ndarray) -> None:
    """Draw a histogram of the scans' ratios, with their median and the module's.

    Args:
        path: The ``.png`` file.
        site: The estimate.
        ratios: Of each scan.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(PAPER):
        figure = Figure(figsize=(4.2, 2.6))
        axis = figure.subplots()
        axis.hist(ratios, bins="sqrt", color=ESTIMATE, alpha=0.35)
        error = 2 * site.ratio_error
        axis.axvspan(site.ratio - error, site.ratio + error, color=ESTIMATE, alpha=0.3)
        axis.axvline(site.ratio, color=ESTIMATE, label=f"{site.scans} scans, median ± 2 SE")
        axis.axvline(site.reference_ratio, color=TRUTH, label="scans of the module, median")
        axis.set(xlabel="water signal of lean tissue / fat signal of fat", ylabel="scans")
        axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=2)
        save_figure(path, figure)
