"""Stitched volumes are read as if MIMIR had fused them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Optional

import numpy as np
import pytest
from pair_builder import write_pair
from volume_builder import orientations, oriented, write_nifti, write_nrrd

from mimir_engine import fuse, read_study
from mimir_engine.errors import MimirError
from mimir_engine.fusion import FusedVolumes
from mimir_engine.fusion.grid import END_SLICES, OUTPUT_SPACING_MM
from mimir_engine.fusion.output_grid import output_grid, sample_slice, sample_volume
from mimir_engine.fusion.volume_files.image_file import write_image
from mimir_engine.fusion.volume_files.sidecar import Sidecar, write_sidecar
from mimir_engine.fusion.volume_pair import VolumePair, read_volume_pair
from mimir_engine.headers.contrast import Contrast
from mimir_engine.headers.scanner import Scanner
from mimir_engine.study.finding import Finding
from mimir_engine.study.volume import Volume, axial_affine

pytest.importorskip("nibabel", reason="NIfTI files are read with nibabel (extra nifti)")

SCANNER = Scanner("SIEMENS", "Aera", 1.5, "0123abcd")
#: What is known without a sidecar.
NOTHING = ["SCANNER_UNKNOWN", "ENDS_UNKNOWN"]
#: NIfTI files hold affines in single precision, in mm.
TOLERANCE_MM = 1e-3


@pytest.fixture(scope="module")
def fused(study_zip: Path) -> FusedVolumes:
    """Volumes of a small study; tests must not change them."""
    return fuse(read_study(study_zip).stations)


def assert_same(found: FusedVolumes, fused: FusedVolumes) -> None:
    for volume, expected in ((found.water, fused.water), (found.fat, fused.fat)):
        assert volume.array.dtype == np.float32
        np.testing.assert_array_equal(volume.array, expected.array)
        np.testing.assert_allclose(volume.affine, expected.affine, rtol=0, atol=TOLERANCE_MM)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd"])
def test_volumes_on_the_grid_are_copied(fused: FusedVolumes, suffix: str, tmp_path: Path) -> None:
    study, found = read_volume_pair(write_pair(tmp_path, fused, suffix=suffix))
    assert_same(found, fused)
    assert found.layout is None
    assert (study.name, study.stations, study.scanner) == ("a", (), Scanner())
    assert [finding.code for finding in study.findings] == NOTHING


def test_all_48_orientations_are_the_same_study(fused: FusedVolumes, tmp_path: Path) -> None:
    pair = VolumePair(tmp_path / "w.nii", tmp_path / "f.nii")
    pairs = list(zip(orientations(fused.water), orientations(fused.fat)))
    assert len(pairs) == 48
    for water, fat in pairs:
        write_nifti(pair.water, water)
        write_nifti(pair.fat, fat)
        assert_same(read_volume_pair(pair)[1], fused)


def test_water_and_fat_may_be_oriented_differently(fused: FusedVolumes, tmp_path: Path) -> None:
    pair = VolumePair(tmp_path / "w.nrrd", tmp_path / "f.nii.gz")
    write_nrrd(pair.water, oriented(fused.water, (2, 0, 1), (True, False, True)))
    write_nifti(pair.fat, oriented(fused.fat, (1, 0, 2), (False, True, False)))
    assert_same(read_volume_pair(pair)[1], fused)


def ramp(spacing_mm: tuple[float, float, float], shape: tuple[int, int, int]) -> Volume:
    """A signal that grows evenly along all axes of the patient, from 100 at LPS 0."""
    affine = axial_affine((-60.5, -40.25, -300.0), spacing_mm)
    z, y, x = np.indices(shape)
    places = np.stack([x, y, z, np.ones_like(x)], axis=-1) @ affine.T
    return Volume((places @ (0.2, 0.3, 0.5, 300.0)).astype(np.float32), affine)


@pytest.mark.parametrize("spacing_mm", [(3.0, 2.5, 5.0), (1.0, 1.1, 1.5), (2.232, 2.232, 4.5)])
def test_volumes_on_another_grid_are_sampled_linearly(
    spacing_mm: tuple[float, float, float], tmp_path: Path
) -> None:
    volume = ramp(spacing_mm, (30, 35, 41))
    study, found = read_volume_pair(write_pair(tmp_path, FusedVolumes(volume, volume)))
    assert [finding.code for finding in study.findings] == [*NOTHING, "VOLUME_RESAMPLED"]
    affine = found.water.affine
    assert found.water.spacing_mm == pytest.approx(OUTPUT_SPACING_MM)
    assert affine[:2, 3] == pytest.approx(volume.affine[:2, 3], abs=1e-3)
    top = [v.affine[2, 3] + (len(v.array) - 1) * v.spacing_mm[2] for v in (found.water, volume)]
    assert top[0] == pytest.approx(top[1], abs=1e-3), "the grid begins at the topmost slice"
    z, y, x = np.indices(found.water.array.shape)
    places = np.stack([x, y, z, np.ones_like(x)], axis=-1) @ affine.T
    ends = [o + (n - 1) * mm for o, n, mm in zip(volume.affine[:3, 3], (41, 35, 30), spacing_mm)]
    inside = (places[..., :3] <= ends).all(axis=-1) & (places[..., 2] >= -300)
    expected = places @ (0.2, 0.3, 0.5, 300.0)
    assert inside.mean() > 0.8
    np.testing.assert_allclose(found.water.array[inside], expected[inside], rtol=0, atol=2e-3)


def test_one_slice_is_sampled_as_in_the_whole_volume() -> None:
    volume = ramp((3.0, 2.5, 5.0), (9, 12, 11))
    grid = output_grid(volume)
    whole = sample_volume(volume.array, grid)
    for index in range(len(whole)):
        np.testing.assert_allclose(sample_slice(volume.array, grid, index), whole[index], rtol=1e-6)


def test_what_would_be_too_large_on_the_grid_is_refused(tmp_path: Path) -> None:
    volume = Volume(np.ones((60, 100, 100), np.uint8), axial_affine((0, 0, 0), (20, 20, 20)))
    with pytest.raises(MimirError, match=r"VOLUME_TOO_LARGE: .* 896 x 896 x 400 voxels"):
        read_volume_pair(write_pair(tmp_path, FusedVolumes(volume, volume)))


def test_volumes_of_different_grids_are_refused(fused: FusedVolumes, tmp_path: Path) -> None:
    cropped = Volume(fused.fat.array[:-1], fused.fat.affine)
    with pytest.raises(MimirError, match=r"PAIR_GRID: the fat volume .* instead of"):
        read_volume_pair(write_pair(tmp_path, replace(fused, fat=cropped)))
    moved = fused.fat.affine.copy()
    moved[2, 3] += 3
    with pytest.raises(MimirError, match=r"PAIR_GRID: the fat volume .* 3\.0 mm apart"):
        read_volume_pair(write_pair(tmp_path, replace(fused, fat=Volume(fused.fat.array, moved))))
    moved[2, 3] -= 2.99
    almost = replace(fused, fat=Volume(fused.fat.array, moved))
    assert_same(read_volume_pair(write_pair(tmp_path, almost))[1], fused)


def test_files_whose_sidecars_are_of_two_studies_are_refused(
    fused: FusedVolumes, tmp_path: Path
) -> None:
    one, other = (write_pair(tmp_path, fused, name) for name in ("a", "b"))
    for name in ("a", "b"):
        write_sidecar(tmp_path / f"{name}.json", Sidecar(name, "0.9.0", SCANNER))
    assert read_volume_pair(one)[0].scanner == SCANNER
    with pytest.raises(MimirError, match=r"PAIR_STUDIES: the water and the fat volume .* JSON"):
        read_volume_pair(replace(one, fat=other.fat))
    with pytest.raises(MimirError, match="PAIR_STUDIES: the water and the in-phase volume"):
        read_volume_pair(replace(one, in_phase=other.water))
    (tmp_path / "b.json").unlink()  # nothing tells then
    assert read_volume_pair(replace(one, fat=other.fat))[0].scanner == SCANNER


@pytest.mark.parametrize("other", ["1000002_20201_2_0", "1000001_20201_3_0"])
def test_files_named_after_two_visits_are_refused_and_neither_is_told(
    fused: FusedVolumes, other: str, tmp_path: Path
) -> None:
    one = write_pair(tmp_path, fused, "1000001_20201_2_0")
    fat = write_pair(tmp_path, fused, other).fat
    with pytest.raises(MimirError, match=r"PAIR_STUDIES: .* as their names say") as caught:
        read_volume_pair(replace(one, fat=fat))
    assert "100000" not in str(caught.value)


def test_in_phase_of_another_grid_is_refused(fused: FusedVolumes, tmp_path: Path) -> None:
    pair = write_pair(tmp_path, fused)
    write_image(tmp_path / "in.nii", Volume(fused.fat.array[:, :-2], fused.fat.affine))
    with pytest.raises(MimirError, match="PAIR_GRID: the in-phase volume"):
        read_volume_pair(replace(pair, in_phase=tmp_path / "in.nii"))


def test_slices_of_the_phases_are_read_where_they_belong(
    fused: FusedVolumes, tmp_path: Path
) -> None:
    total = Volume(fused.water.array + fused.fat.array, fused.water.affine)
    write_image(tmp_path / "in.nii", total)
    pair = replace(write_pair(tmp_path, fused), in_phase=tmp_path / "in.nii")
    slices = read_volume_pair(pair)[1].phases[Contrast.IN_PHASE]
    assert len(slices) == 5
    for index, image in slices.items():
        np.testing.assert_array_equal(image, total.array[index])


def test_values_below_zero_become_zero_and_are_told(fused: FusedVolumes, tmp_path: Path) -> None:
    noisy = Volume(fused.water.array - 50, fused.water.affine)
    study, found = read_volume_pair(write_pair(tmp_path, replace(fused, water=noisy)))
    np.testing.assert_array_equal(found.water.array, np.maximum(noisy.array, 0))
    (finding,) = (f for f in study.findings if f.code == "NEGATIVE_SIGNAL")
    assert "water volume" in finding.sentence


def test_scale_factors_of_integers_are_applied(fused: FusedVolumes, tmp_path: Path) -> None:
    whole = {
        "water": np.rint(fused.water.array * 4).astype(np.uint16),
        "fat": np.rint(fused.fat.array * 4).astype(np.int32),
    }
    pair = VolumePair(tmp_path / "w.nii", tmp_path / "f.nii")
    for path, array in zip((pair.water, pair.fat), whole.values()):
        image = oriented(Volume(array, fused.water.affine))
        write_nifti(path, image, scl_slope=0.25, scl_inter=0)
    _, found = read_volume_pair(pair)
    np.testing.assert_array_equal(found.water.array, whole["water"] * np.float32(0.25))
    np.testing.assert_array_equal(found.fat.array, whole["fat"] * np.float32(0.25))


def test_values_that_are_no_numbers_are_refused(fused: FusedVolumes, tmp_path: Path) -> None:
    array = fused.fat.array.copy()
    array[3, 4, 5] = np.nan
    pair = write_pair(tmp_path, replace(fused, fat=Volume(array, fused.fat.affine)))
    with pytest.raises(MimirError, match=r"VOLUME_NOT_FINITE: volume .a_fat\.nii."):
        read_volume_pair(pair)


def test_a_sidecar_tells_what_volumes_cannot(fused: FusedVolumes, tmp_path: Path) -> None:
    finding = Finding("SEAM_STEP", "the signal changes", station=2, value=0.3)
    sidecar = Sidecar("a", "0.9.0", SCANNER, 6, findings=(finding,), month="2024-03")
    write_sidecar(tmp_path / "a.json", sidecar)
    study, found = read_volume_pair(write_pair(tmp_path, fused))
    assert_same(found, fused)
    assert (study.scanner, len(study.stations), study.month) == (SCANNER, 6, "2024-03")
    assert study.findings == (finding,)
    assert study.facts.contrasts == (("water", "fat"),) * 6


def test_a_sidecar_without_a_scanner_leaves_it_unknown(fused: FusedVolumes, tmp_path: Path) -> None:
    write_sidecar(tmp_path / "a.json", Sidecar("a", "0.9.0", Scanner("SIEMENS", "Aera")))
    study, _ = read_volume_pair(write_pair(tmp_path, fused))
    assert [finding.code for finding in study.findings] == ["SCANNER_UNKNOWN"]


def test_another_program_s_sidecar_tells_nothing(fused: FusedVolumes, tmp_path: Path) -> None:
    (tmp_path / "a_water.json").write_text('{"Manufacturer": "Siemens"}', "utf-8")
    study, _ = read_volume_pair(write_pair(tmp_path, fused))
    assert [finding.code for finding in study.findings] == NOTHING


def test_ends_that_a_sidecar_says_are_whole_are_cut(fused: FusedVolumes, tmp_path: Path) -> None:
    write_sidecar(tmp_path / "a.json", Sidecar("a", "0.9.0", SCANNER, ends_cut=False))
    _, found = read_volume_pair(write_pair(tmp_path, fused))
    kept = slice(END_SLICES, -END_SLICES)
    affine = fused.water.affine.copy()
    affine[2, 3] += END_SLICES * OUTPUT_SPACING_MM[2]
    cut = FusedVolumes(*(Volume(v.array[kept], affine) for v in (fused.water, fused.fat)))
    assert_same(found, cut)


@pytest.mark.parametrize("ends_cut", [True, False])
def test_a_sidecar_tells_nothing_of_the_ends_of_volumes_that_were_cropped(
    fused: FusedVolumes, ends_cut: bool, tmp_path: Path
) -> None:
    extent_mm = fused.water.extent_mm
    sidecar = Sidecar("a", "0.9.0", SCANNER, ends_cut=ends_cut, extent_mm=extent_mm)
    write_sidecar(tmp_path / "a.json", sidecar)
    pair = write_pair(tmp_path, fused)
    assert read_volume_pair(pair)[0].findings == ()
    cropped = FusedVolumes(*(Volume(v.array[:-9], v.affine) for v in (fused.water, fused.fat)))
    write_pair(tmp_path, cropped)
    study, found = read_volume_pair(pair)
    (finding,) = study.findings
    assert finding.code == "ENDS_UNKNOWN"
    assert f"{extent_mm - 27:.0f} mm long, not {extent_mm:.0f} mm" in finding.sentence
    assert len(found.water.array) == len(cropped.water.array)


@pytest.mark.parametrize(
    ("file", "name", "expected"),
    [
        ("6000000_20201_2_0", None, ("6000000_20201_2_0", "6000000", "2")),
        ("6000000_20201_2_0", "mine", ("mine", "6000000", "2")),
        ("scan", "6000000_20201_3_0", ("6000000_20201_3_0", "6000000", "3")),
        ("6000000_20201_2_0", "study_0001", ("study_0001", "", "")),
    ],
)
def test_participant_and_visit_are_those_of_the_file_or_of_the_name(
    file: str,
    name: Optional[str],
    expected: tuple[str, str, str],
    fused: FusedVolumes,
    tmp_path: Path,
) -> None:
    study, _ = read_volume_pair(write_pair(tmp_path, fused, file), name)
    assert (study.name, study.eid, study.instance) == expected
