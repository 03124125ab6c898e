"""Colours of charts, for light and for dark backgrounds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """Colours by what they are for, as ``#rrggbb``; no two are the same.

    Attributes:
        background: Of the whole chart.
        text: Names and values.
        quiet: Explanations, and the numbers of the axis.
        grid: Lines of the axis.
        band: The middle 95 % of the reference.
        mean: The mean of the reference.
        estimate: Estimates with their intervals.
        warning: Flagged values.
    """

    background: str
    text: str
    quiet: str
    grid: str
    band: str
    mean: str
    estimate: str
    warning: str


LIGHT = Palette(
    background="#ffffff",
    text="#1b2530",
    quiet="#5f6b76",
    grid="#d3dae1",
    band="#e4eaf0",
    mean="#8a949e",
    estimate="#1f5fa8",
    warning="#b3261e",
)
DARK = Palette(
    background="#1e2227",
    text="#e8ecf0",
    quiet="#a3adb7",
    grid="#4a525b",
    band="#313a44",
    mean="#77828d",
    estimate="#7db1ea",
    warning="#ff8a80",
)
