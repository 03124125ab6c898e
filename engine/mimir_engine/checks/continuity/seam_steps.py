"""Steps of signal where two stations meet."""

from __future__ import annotations

import math

import numpy as np

from mimir_engine.checks.fat_map import FatMap
from mimir_engine.study.finding import Finding

#: Points of fat, or of lean tissue, that both stations must show.
MIN_POINTS = 12
#: Upper quartile of their ratios over the lower one. Beyond, stations do not show the same tissue
#: there. Phantoms have 1.2 at most, 1.6 with strong shading.
MAX_SCATTER = 1.65
#: Fat contrast of points that are nearly all fat; its negative, of lean tissue.
PURE = 0.5
#: Signal of a station over that of its neighbour. Coils make 1.45 in phantoms.
MAX_STEP = 1.75
#: The same of fat over that of water, which coils do not change. Phantoms have 1.06 at most, 1.09
#: with strong shading.
MAX_FAT_STEP = 1.12


def seam_steps(upper: FatMap, lower: FatMap) -> tuple[float, float]:
    """Compare the signals of two stations where both show fat, or both show lean tissue.

    Returns:
        How many times the signal of the upper station is that of the lower one; and how many times
        the step of fat is that of water. 1 where it cannot be known.
    """
    (i, j), (rows, columns), (lower_rows, lower_columns) = upper.same_places(lower)
    a, b = upper.contrast[i, rows, columns], lower.contrast[j, lower_rows, lower_columns]
    signal = upper.signal[i, rows, columns], lower.signal[j, lower_rows, lower_columns]
    steps = []
    for both in ((a > PURE) & (b > PURE), (a < -PURE) & (b < -PURE)):
        if np.count_nonzero(both) >= MIN_POINTS:
            ratio = signal[0][both] / signal[1][both]
            low, step, high = np.quantile(ratio, (0.25, 0.5, 0.75)).tolist()
            steps += [step] if high <= MAX_SCATTER * low else []
    if not steps:
        return 1.0, 1.0
    return math.prod(steps) ** (1 / len(steps)), steps[0] / steps[1] if len(steps) == 2 else 1.0


def find_steps(upper: FatMap, lower: FatMap, number: int) -> list[Finding]:
    """Find a step of signal between two stations.

    Args:
        upper: Station nearer to the head.
        lower: Its neighbour.
        number: Number of the upper one, from the head.
    """
    both, fat = (max(step, 1 / step) for step in seam_steps(upper, lower))
    where = f"stations {number} and {number + 1} (from the head)"
    findings = []
    if both > MAX_STEP:
        findings.append(
            Finding(
                "SEAM_STEP",
                f"the signals of {where} differ {both:.1f} times where both show the same",
                value=both,
                threshold=MAX_STEP,
            )
        )
    if fat > MAX_FAT_STEP:
        findings.append(
            Finding(
                "SEAM_STEP",
                f"the signal of fat changes {fat:.2f} times as much as that of water between"
                f" {where}",
                value=fat,
                threshold=MAX_FAT_STEP,
            )
        )
    return findings
