"""Blending that scales water otherwise than fat is measured and flagged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from phantom_stations import changed, smooth_stations

from mimir_engine.checks.continuity.blending_scale import blending_scales, find_blending_scales
from mimir_engine.fusion import FusedVolumes, fuse
from mimir_engine.fusion.fuse import Layout
from mimir_engine.study import Contrast

SEED = 100_200


def layout(fused: FusedVolumes) -> Layout:
    assert fused.layout is not None
    return fused.layout


def test_a_usual_study_is_silent() -> None:
    seams = layout(fuse(smooth_stations(SEED)))
    assert len(blending_scales(seams)) == 5
    assert find_blending_scales(seams) == []


def test_the_same_image_for_water_and_fat_is_scaled_alike() -> None:
    stations = [
        replace(s, images={Contrast.WATER: s.water, Contrast.FAT: s.water})
        for s in smooth_stations(SEED)
    ]
    assert blending_scales(layout(fuse(stations))) == pytest.approx([1.0] * 5)


def test_water_that_fades_towards_a_seam_is_scaled_and_flagged() -> None:
    stations = list(smooth_stations(SEED))
    fading = np.ones(44)
    fading[:6] = 0.1
    faded = changed(stations[1], lambda image: (image * fading[:, None, None]).astype(np.float32))
    stations[1] = replace(faded, images={**stations[1].images, Contrast.WATER: faded.water})
    (finding,) = find_blending_scales(layout(fuse(stations)))
    assert finding.code == "SEAM_STEP"
    assert "stations 2 and 3" in finding.sentence
