"""Stitched volumes are measured as the scan that they came from, as far as they tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cohort_builder import ANYTHING
from pair_builder import write_pair
from phantom_stations import smooth_stations
from random_modules import module_spec
from volume_builder import oriented, write_nifti

from mimir_engine import fuse, project
from mimir_engine.checks.check_study import check_study
from mimir_engine.direct import measure_directly
from mimir_engine.errors import MimirError
from mimir_engine.fusion import FusedVolumes
from mimir_engine.fusion.volume_files.image_file import write_image
from mimir_engine.fusion.volume_files.sidecar import Sidecar, write_sidecar
from mimir_engine.fusion.volume_pair import VolumePair
from mimir_engine.headers.scanner import Scanner
from mimir_engine.inference_module.acceptance import UK_BIOBANK, Accepts
from mimir_engine.measuring.one_study import (
    check_accepted,
    measure_study,
    prepare,
    read_and_check,
    read_and_fuse,
)
from mimir_engine.study.finding import is_stopped
from mimir_engine.study.read_options import AS_STORED, ReadOptions
from mimir_engine.study.volume import Volume

pytest.importorskip("nibabel", reason="NIfTI files are read with nibabel (extra nifti)")

SEED = 3
#: Pixels of the image that may differ by more than one grey level: planes lie in seams, too.
MAX_PIXELS = 10
MEAN, VARIANCE = np.array([1.45, 178.2, 0.97]), np.array([0.04, 9.0, 0.0001])


@pytest.fixture(scope="module")
def fused() -> FusedVolumes:
    """A phantom as MIMIR fuses it; tests must not change it."""
    return fuse(smooth_stations(SEED))


@pytest.fixture(scope="module")
def pair(fused: FusedVolumes, tmp_path_factory: pytest.TempPathFactory) -> VolumePair:
    """The same as files, without a sidecar."""
    return write_pair(tmp_path_factory.mktemp("pair"), fused)


def codes(pair: VolumePair, reading: ReadOptions = AS_STORED) -> list[str]:
    study, _ = read_and_check(pair, None, reading)
    return [f.code for f in study.findings if f.code not in ("SCANNER_UNKNOWN", "ENDS_UNKNOWN")]


def test_volumes_give_the_image_and_the_direct_measurements_of_their_scan(
    fused: FusedVolumes, pair: VolumePair
) -> None:
    prepared = prepare(pair)
    image = project(fused).image.astype(int)
    assert np.count_nonzero(np.abs(prepared.projection.image - image) > 1) <= MAX_PIXELS
    own = {quantity.name: quantity.value for quantity in measure_directly(fused).values}
    found = {quantity.name: quantity.value for quantity in prepared.direct}
    assert found.keys() == own.keys()
    for name, value in own.items():
        assert found[name] == (value and pytest.approx(value, rel=2e-3, abs=0.05)), name


def test_a_sound_pair_has_no_findings_but_what_is_unknown(pair: VolumePair) -> None:
    assert codes(pair) == []


def test_orientation_changes_no_pixel(
    fused: FusedVolumes, pair: VolumePair, tmp_path: Path
) -> None:
    turned = VolumePair(tmp_path / "w.nii", tmp_path / "f.nii")
    write_nifti(turned.water, oriented(fused.water, (1, 2, 0), (True, False, True)))
    write_nifti(turned.fat, oriented(fused.fat, (2, 1, 0), (False, True, True)))
    images = (prepare(source).projection.image for source in (pair, turned))
    np.testing.assert_array_equal(*images)


def test_each_value_says_what_is_unknown(pair: VolumePair) -> None:
    prepared, module = prepare(pair), module_spec(accepts=ANYTHING)
    result = measure_study(prepared, [module], [(MEAN, VARIANCE)], [True], 0.95)
    assert len(result.measurements) == 3
    for measurement in result.measurements:
        assert {"SCANNER_UNKNOWN", "ENDS_UNKNOWN"} <= {*measurement.flags}
    assert result.flags[:2] == ("SCANNER_UNKNOWN", "ENDS_UNKNOWN")
    assert result.scanner == ""


def test_a_module_that_demands_a_scanner_refuses_volumes_without_one(pair: VolumePair) -> None:
    prepared = prepare(pair)
    ours, anyone = module_spec(accepts=UK_BIOBANK), module_spec(accepts=ANYTHING)
    with pytest.raises(MimirError) as caught:
        check_accepted(prepared, [ours], allow_unvalidated=False)
    assert caught.value.code == "OUTSIDE_VALIDATION"
    for reason in ("vendor is unknown", "field strength is unknown", "stations are unknown"):
        assert reason in caught.value.what
    assert check_accepted(prepared, [ours, anyone], allow_unvalidated=True) == (False, True)
    field = module_spec(accepts=Accepts(field_strengths_t=(1.5,)))
    with pytest.raises(MimirError, match="OUTSIDE_VALIDATION"):
        check_accepted(prepared, [field], allow_unvalidated=False)


def test_with_its_sidecar_a_study_is_accepted_and_not_flagged(
    fused: FusedVolumes, tmp_path: Path
) -> None:
    pair = write_pair(tmp_path, fused)
    write_sidecar(tmp_path / "a.json", Sidecar("a", "0.9.0", Scanner("SIEMENS", "Aera", 1.5), 6))
    prepared, module = prepare(pair), module_spec(accepts=UK_BIOBANK)
    assert check_accepted(prepared, [module], allow_unvalidated=False) == (True,)
    result = measure_study(prepared, [module], [(MEAN, VARIANCE)], [True], 0.95)
    assert result.flags == ()
    assert result.scanner == "SIEMENS Aera 1.5 T"


def test_exchanged_files_are_stopped_and_exchanged_back_if_that_is_asked_for(
    pair: VolumePair,
) -> None:
    exchanged = VolumePair(pair.fat, pair.water)
    with pytest.raises(MimirError, match=r"WATER_FAT_EXCHANGED: .*--swap-repair"):
        read_and_fuse(exchanged)
    repair = ReadOptions(swap_repair=True)
    assert codes(exchanged, repair) == ["WATER_FAT_REPAIRED"]
    repaired = prepare(exchanged, reading=repair).projection.image
    np.testing.assert_array_equal(repaired, prepare(pair).projection.image)
    assert codes(pair, repair) == []


def test_a_file_given_twice_is_stopped(pair: VolumePair) -> None:
    with pytest.raises(MimirError, match="CONTRASTS_IDENTICAL: water and fat of the volumes"):
        read_and_fuse(VolumePair(pair.water, pair.water))


def test_volumes_without_signal_are_stopped(fused: FusedVolumes, tmp_path: Path) -> None:
    empty = Volume(np.zeros_like(fused.fat.array), fused.fat.affine)
    with pytest.raises(MimirError, match="EMPTY_IMAGE: the fat image of the volumes is the same"):
        prepare(write_pair(tmp_path, FusedVolumes(fused.water, empty)))


def test_a_part_of_the_body_is_told_by_its_length(fused: FusedVolumes, tmp_path: Path) -> None:
    trunk = (Volume(volume.array[150:], volume.affine) for volume in (fused.water, fused.fat))
    study, volumes = read_and_check(write_pair(tmp_path, FusedVolumes(*trunk)))
    (finding,) = (f for f in study.findings if f.code == "EXTENT_SHORT")
    assert "stations" not in finding.sentence
    assert not is_stopped(check_study((), volumes))


@pytest.mark.parametrize("contrast", ["in_phase", "opposed_phase"])
def test_a_phase_image_that_belongs_to_the_pair_is_no_finding_and_another_s_is(
    contrast: str, fused: FusedVolumes, pair: VolumePair, tmp_path: Path
) -> None:
    water, fat = fused.water.array, fused.fat.array
    own = water + fat if contrast == "in_phase" else np.abs(water - fat)
    for array, expected in ((own, []), (np.roll(own, 20, axis=0), ["CONTRASTS_INCOHERENT"])):
        write_image(tmp_path / "phase.nii", Volume(array, fused.water.affine))
        assert codes(replace(pair, **{contrast: tmp_path / "phase.nii"})) == expected
