"""Define the style of all figures: colours, fonts and how they are saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mimir_engine.files.atomic import atomic_file

#: Reference bands, as quantile levels and colours: the middle 90 % and the middle half.
BANDS = ((0.05, 0.95, "#e4eaf0"), (0.25, 0.75, "#bccbd9"))

ESTIMATE, TRUTH, WARNING, QUIET = "#1f5fa8", "#d97a00", "#b3261e", "#5f6b76"

#: matplotlib's settings for the panels of a paper: sizes in points and inches.
PAPER: dict[Any, Any] = {
    "figure.dpi": 200,
    "savefig.dpi": 200,
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 3,
    "axes.labelsize": 8,
    "axes.labelpad": 2,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.fontsize": 6,
    "legend.frameon": False,
}


def save_figure(path: Path, figure: Any, kind: str = "png") -> None:
    """Write a figure; without the time of writing, so that equal figures make equal files.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    metadata = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}[kind]
    with atomic_file(path) as file:
        figure.savefig(file, format=kind, metadata=metadata)
