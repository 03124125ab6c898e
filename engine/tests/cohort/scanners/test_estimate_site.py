"""The constant of a scanner is estimated from many scans, without labels."""

from __future__ import annotations

import numpy as np
import pytest

from mimir_engine.cohort.scanners.estimate_site import describe_site, estimate_site, site_ratios
from mimir_engine.cohort.scanners.scan_number_table import ScanNumberTable
from mimir_engine.errors import MimirError
from mimir_engine.inference_module.number_reference import describe_numbers

NAMES = ("noise", "lean_to_fat")


def scans(count: int, water: float = 1.0, scanner: str = "A", seed: int = 0) -> ScanNumberTable:
    rng = np.random.default_rng(seed)
    ratios = 0.8 * water * np.exp(0.06 * rng.normal(size=count))
    values = np.stack([np.full(count, 0.1), ratios], axis=1)
    return ScanNumberTable(("s",) * count, ((),) * count, NAMES, values, (scanner,) * count)


REFERENCE = describe_numbers(NAMES, scans(400, seed=1).values)


@pytest.mark.parametrize("water", [0.7, 0.85, 1.0, 1.15, 1.3])
def test_the_factor_undoes_the_water_signal_of_the_scanner(water: float) -> None:
    scanner, ratios = site_ratios(scans(50, water, seed=2))
    site = estimate_site(ratios, scanner, REFERENCE, "phantom")
    assert site.water_factor == pytest.approx(1 / water, rel=0.03)
    assert (site.scanner, site.module, site.scans) == ("A", "phantom", 50)
    assert site.ratio_error == pytest.approx(1.25 * 0.06 * 0.8 * water / 50**0.5, rel=0.4)


def test_a_scanner_like_the_reference_is_told_to_need_no_factor() -> None:
    def said(water: float) -> str:
        site = estimate_site(*site_ratios(scans(100, water, seed=3))[::-1], REFERENCE, "phantom")
        return " ".join(describe_site(site))

    assert "no clear difference" in said(1.0)
    assert "no clear difference" not in said(0.9)


def test_a_few_scans_with_exchanged_water_and_fat_do_not_move_it() -> None:
    table = scans(60, seed=4)
    before = estimate_site(*site_ratios(table)[::-1], REFERENCE, "phantom").ratio
    table.values[:5, 1] = 30.0
    after = estimate_site(*site_ratios(table)[::-1], REFERENCE, "phantom").ratio
    assert after == pytest.approx(before, rel=0.02)


def test_fewer_than_fifty_scans_are_refused() -> None:
    with pytest.raises(MimirError, match="SITE_TOO_FEW: 49 scans"):
        site_ratios(scans(49))


@pytest.mark.parametrize("code", ["CONTRAST_AGENT", "SITE_HARMONISED"])
def test_scans_with_another_or_a_scaled_signal_or_without_the_ratio_do_not_count(
    code: str,
) -> None:
    table = scans(55)
    table.values[:3, 1] = np.nan
    findings = ((),) * 52 + ((code,),) * 3
    few = ScanNumberTable(table.studies, findings, NAMES, table.values, table.scanners)
    with pytest.raises(MimirError, match="SITE_TOO_FEW: 49 scans"):
        site_ratios(few)


@pytest.mark.parametrize("others", [("B",) * 30, ("",) * 30])
def test_scans_of_several_or_unknown_scanners_are_refused_unless_asked_for(
    others: tuple[str, ...],
) -> None:
    table = scans(60)
    mixed = ScanNumberTable(
        table.studies, table.findings, NAMES, table.values, (*others, *("A",) * 30)
    )
    with pytest.raises(MimirError, match="SITE_MIXED"):
        site_ratios(mixed)
    scanner, ratios = site_ratios(mixed, is_mixed_allowed=True)
    assert scanner == ""
    assert len(ratios) == 60


def test_a_signal_that_no_protocol_explains_is_refused() -> None:
    with pytest.raises(MimirError, match="SITE_IMPLAUSIBLE"):
        estimate_site(np.full(60, 0.2), "A", REFERENCE, "phantom")


def test_a_reference_without_the_ratio_is_refused() -> None:
    other = describe_numbers(("noise",), scans(100).values[:, :1])
    with pytest.raises(MimirError, match="REFERENCE_MISSING"):
        estimate_site(np.full(60, 0.8), "A", other, "phantom")
