"""Run all checks of coverage, signal and coherence."""

from __future__ import annotations

from collections.abc import Sequence

from mimir_engine.checks.body_sample import MIN_SLICES, body_sample
from mimir_engine.checks.coverage.body_cut_off import find_cut_off_body
from mimir_engine.checks.pixel_sample import Sample
from mimir_engine.checks.signal.air_signal import find_ghosts, find_noise
from mimir_engine.checks.signal.bright_outliers import find_bright_outliers
from mimir_engine.checks.signal.dark_voids import find_dark_voids
from mimir_engine.checks.signal.doubled_signal import find_doubled_signal
from mimir_engine.checks.signal.incoherent_contrasts import find_incoherent_contrasts
from mimir_engine.checks.signal.lean_to_fat import find_unusual_ratio
from mimir_engine.checks.signal.missing_tissue import find_missing_tissue
from mimir_engine.checks.signal.shading import find_shading
from mimir_engine.checks.signal.slice_scale import find_slice_scale
from mimir_engine.checks.tissue_sample import tissue_sample
from mimir_engine.fusion import FusedVolumes
from mimir_engine.study.finding import Finding
from mimir_engine.study.station import Station


def check_volumes(fused: FusedVolumes) -> list[Finding]:
    """Check what fused volumes of a neck-to-knee scan show of the body."""
    sample = body_sample(fused)
    if len(sample.body) < MIN_SLICES:
        return []
    findings = [*find_cut_off_body(sample), *find_dark_voids(sample)]
    return [*findings, *find_doubled_signal(sample), *find_missing_tissue(sample)]


def check_signal(stations: Sequence[Station], samples: Sequence[Sample]) -> list[Finding]:
    """Check the signal of stations.

    Args:
        stations: From head to foot; each shows something.
        samples: Their sparse pixels.
    """
    tissues = [tissue_sample(sample) for sample in samples]
    findings = [*find_unusual_ratio(tissues), *find_shading(stations, tissues)]
    for number, (station, sample, tissue) in enumerate(zip(stations, samples, tissues), 1):
        along = float(station.affine[2, 3]), station.spacing_mm[2]
        findings += find_noise(tissue, number, *along)
        findings += find_ghosts(tissue, number)
        findings += find_slice_scale(tissue, number, *along)
        findings += find_bright_outliers(station, sample, number)
        findings += find_incoherent_contrasts(station, number)
    return findings
