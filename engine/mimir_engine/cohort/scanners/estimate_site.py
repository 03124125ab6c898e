"""Estimate the water signal of one scanner against that of a module's scans, without labels.

Flip angle, echo times and coils change the signal of lean tissue against that of fat by one factor
for all persons. Its estimate is the median over many scans: a single scan's ratio also differs by
the person, and correcting each scan by its own would remove what is to be measured.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from mimir_engine.cohort.scanners.scan_number_table import ScanNumberTable
from mimir_engine.errors import MimirError
from mimir_engine.inference_module.number_reference import NumberReference
from mimir_engine.study.site import MAX_FACTOR, MIN_FACTOR, RATIO, Site

#: Scans that give the constant: between people, the ratio has an SD of 6 % in phantoms, and the
#: median of 50 then a standard error of 1 %.
MIN_SCANS = 50
#: Findings with which the ratio is not that of the scanner alone, or was scaled already.
NOT_COUNTED = frozenset(
    ("CONTRAST_AGENT", "WATER_FAT_REPAIRED", "WATER_FAT_UNCERTAIN", "SITE_HARMONISED")
)
#: Standard error of a median, divided by that of the mean of as many normal numbers.
MEDIAN_ERROR = 1.2533
#: SD of normal numbers, divided by their median distance from the median.
SD_PER_MAD = 1.4826


def site_ratios(table: ScanNumberTable, is_mixed_allowed: bool = False) -> tuple[str, np.ndarray]:
    """Return the scanner, empty if there are several, and the ratio of each scan that counts.

    Args:
        table: What the scans are like.
        is_mixed_allowed: Take scans of several scanners, or of unknown ones, together.

    Raises:
        MimirError: ``SITE_TOO_FEW``, ``SITE_MIXED``.
    """
    ratios = _column(table)
    counted = np.isfinite(ratios) & (ratios > 0)
    counted &= [NOT_COUNTED.isdisjoint(findings) for findings in table.findings]
    if counted.sum() < MIN_SCANS:
        raise MimirError(
            "SITE_TOO_FEW",
            f"{counted.sum()} scans show the signal of lean tissue and of fat, and at least"
            f" {MIN_SCANS} are needed for the constant of a scanner",
            "Give more scans of this scanner.",
        )
    scanners = Counter(s for s, is_in in zip(table.scanners, counted) if is_in)
    if len(scanners) == 1 and "" not in scanners:
        return next(iter(scanners)), ratios[counted]
    if not is_mixed_allowed:
        names = ", ".join(f"'{name or 'unknown'}' ({n})" for name, n in scanners.most_common(3))
        raise MimirError(
            "SITE_MIXED",
            f"the scans are of {len(scanners)} scanners, or of unknown ones: {names}",
            "Give the scans of one scanner, or --mixed-scanners if all have the same protocol.",
        )
    return "", ratios[counted]


def estimate_site(
    ratios: np.ndarray, scanner: str, reference: NumberReference, module: str
) -> Site:
    """Estimate the constant of a scanner.

    Args:
        ratios: Of each scan, as `site_ratios` returns them.
        scanner: ``Scanner.shown``; empty if it may be any.
        reference: The usual scans of the module.
        module: Name of the module.

    Raises:
        MimirError: ``SITE_IMPLAUSIBLE`` if the signal differs by more than another protocol can
            explain; ``REFERENCE_MISSING`` if the module's reference lacks the ratio.
    """
    if RATIO not in reference.names:
        raise MimirError(
            "REFERENCE_MISSING",
            f"inference module '{module}' does not say which signal of lean tissue its scans have",
            "Package it again with `mimir package`, from images made by this version.",
        )
    usual, ratio = reference.median(RATIO), float(np.median(ratios))
    sd = SD_PER_MAD * float(np.median(np.abs(ratios - ratio)))
    if not MIN_FACTOR <= usual / ratio <= MAX_FACTOR:
        raise MimirError(
            "SITE_IMPLAUSIBLE",
            f"lean tissue has {ratio:.2g} times the signal of fat, but {usual:.2g} times in the"
            f" scans of inference module '{module}'",
            "Look at the images: water and fat may be exchanged, or not of one scale.",
        )
    return Site(
        module=module,
        scanner=scanner,
        scans=len(ratios),
        ratio=ratio,
        ratio_sd=sd,
        ratio_error=MEDIAN_ERROR * sd / len(ratios) ** 0.5,
        reference_ratio=usual,
        water_factor=usual / ratio,
    )


def describe_site(site: Site) -> tuple[str, ...]:
    """Describe a site in sentences."""
    percent = 100 * (site.ratio / site.reference_ratio - 1)
    error = 100 * site.ratio_error / site.reference_ratio
    lines = [
        f"{site.scans} scans of {site.scanner or 'several or unknown scanners'}: lean tissue has"
        f" {site.ratio:.3f} times the signal of fat (SD of single scans {site.ratio_sd:.3f},"
        f" standard error {site.ratio_error:.4f}).",
        f"The scans of inference module '{site.module}' have {site.reference_ratio:.3f}: the water"
        f" signal here is {percent:+.1f} % ± {error:.1f} % different, and is multiplied by"
        f" {site.water_factor:.3f} with --site.",
    ]
    if abs(percent) < 2 * error:
        lines.append("This is no clear difference: measure without --site.")
    return tuple(lines)


def _column(table: ScanNumberTable) -> np.ndarray:
    if RATIO not in table.names:
        return np.full(len(table.studies), np.nan)
    return np.asarray(table.values[:, table.names.index(RATIO)])
