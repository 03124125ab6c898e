"""Volumes come back from files as they were, whatever the order of their axes."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from limited_memory import peak_megabytes
from volume_builder import Oriented, orientations, oriented, small_volume, write_nifti, write_nrrd

from mimir_engine.fusion.volume_files import volume_stream
from mimir_engine.fusion.volume_files.image_file import read_image, read_labels, write_image
from mimir_engine.study.volume import Volume

nibabel = pytest.importorskip("nibabel")

VOLUME = small_volume()
ENDINGS = ("nii.gz", "nii", "nrrd")
#: A NIfTI-1 file has single precision: a position of 700 mm is rounded by up to 3e-5 mm.
TOLERANCE_MM = 1e-4


@pytest.fixture(params=["with ISA-L", "without ISA-L"])
def either_gzip(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a test with both libraries."""
    if request.param == "with ISA-L":
        pytest.importorskip("isal")
    else:
        monkeypatch.setattr(volume_stream, "fast_gzip", gzip)


def assert_same(path: Path, volume: Volume, tolerance_mm: float = TOLERANCE_MM) -> None:
    read = read_image(path)
    assert read.array.dtype == volume.array.dtype
    assert np.array_equal(read.array, volume.array)
    assert read.affine == pytest.approx(volume.affine, abs=tolerance_mm)


def written(folder: Path, ending: str, volume: Volume = VOLUME, extension: str = "") -> Path:
    write_image(folder / f"v.{ending}", volume, extension)
    return folder / f"v.{ending}"


# --- orientations ---


@pytest.mark.parametrize("kind", ["Nifti1", "Nifti2"])
def test_nifti_files_of_all_48_orientations_are_the_same_volume(kind: str, tmp_path: Path) -> None:
    images = list(orientations(VOLUME))
    assert len({image.affine[:3, :3].tobytes() for image in images}) == 48
    for image in images:
        for codes in ((1, 1), (0, 1), (2, 0)):
            path = write_nifti(tmp_path / "v.nii", image, kind, codes=codes)
            assert_same(path, VOLUME, TOLERANCE_MM if kind == "Nifti1" else 1e-9)


def test_nrrd_files_of_all_48_orientations_are_the_same_volume(tmp_path: Path) -> None:
    for image in orientations(VOLUME):
        assert_same(write_nrrd(tmp_path / "v.nrrd", image), VOLUME, 1e-9)


@pytest.mark.parametrize(
    ("space", "signs"),
    [
        ("left-posterior-superior", (1, 1, 1)),
        ("LPS", (1, 1, 1)),
        ("right-anterior-superior", (-1, -1, 1)),
        ("RAS", (-1, -1, 1)),
        ("left-anterior-superior", (1, -1, 1)),
        ("LAS", (1, -1, 1)),
    ],
)
def test_patient_spaces_are_known_in_both_spellings(
    space: str, signs: tuple[int, ...], tmp_path: Path
) -> None:
    image = oriented(VOLUME)
    in_space = Oriented(image.array, np.diag([*signs, 1.0]) @ image.affine)
    assert_same(write_nrrd(tmp_path / "v.nrrd", in_space, space), VOLUME, 1e-9)


def test_a_tilt_that_headers_have_by_rounding_is_taken_as_axial(tmp_path: Path) -> None:
    tilt = 8e-4
    turn = np.eye(4)
    turn[1:3, 1:3] = (np.cos(tilt), -np.sin(tilt)), (np.sin(tilt), np.cos(tilt))
    image = oriented(VOLUME, (2, 0, 1), (True, False, True))
    read = read_image(
        write_nifti(tmp_path / "v.nii", type(image)(image.array, turn @ image.affine))
    )
    assert np.array_equal(read.array, VOLUME.array)
    middle = np.array([2.5, 2, 1.5, 1])
    assert read.affine @ middle == pytest.approx(turn @ VOLUME.affine @ middle, abs=1e-3)
    assert read.affine[:3, :3] == pytest.approx(VOLUME.affine[:3, :3], abs=1e-5)


# --- round trips ---


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("dtype", ["float32", "uint8", "uint16"])
def test_what_is_written_is_read_back(
    ending: str, dtype: str, either_gzip: None, tmp_path: Path
) -> None:
    assert_same(written(tmp_path, ending, small_volume(dtype)), small_volume(dtype))


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_bit_of_a_number_changes(ending: str, tmp_path: Path) -> None:
    array = np.random.default_rng(0).normal(0, 1e3, (3, 4, 5)).astype(np.float32)
    array[0, 0, :3] = 1e-40, -0.0, 3.4e38  # a subnormal number, minus zero, nearly the largest
    path = written(tmp_path, ending, Volume(array, VOLUME.affine))
    assert read_image(path).array.tobytes() == array.tobytes()


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_same_volume_gives_the_same_bytes(
    ending: str, either_gzip: None, tmp_path: Path
) -> None:
    one, other = (written(tmp_path / name, ending).read_bytes() for name in ("one", "other"))
    assert one == other


def test_the_suffix_may_lie(tmp_path: Path) -> None:
    written(tmp_path, "nii.gz").rename(tmp_path / "a.nrrd")
    written(tmp_path, "nrrd").rename(tmp_path / "a.nii")
    assert_same(tmp_path / "a.nrrd", VOLUME)
    assert_same(tmp_path / "a.nii", VOLUME)


def test_a_text_comes_back_from_the_header(tmp_path: Path) -> None:
    text = "<LabelTable>Leber — größer</LabelTable>" * 50
    for ending in ("nii", "nii.gz"):
        path = written(tmp_path, ending, extension=text)
        assert read_image(path).extensions == (text,)
        assert_same(path, VOLUME)
        (extension,) = nibabel.load(path).header.extensions
        assert (extension.get_code(), extension.get_content().decode()) == (0, text)


def test_lines_that_a_program_added_come_back_from_an_nrrd_header(tmp_path: Path) -> None:
    path = write_nrrd(tmp_path / "v.nrrd", oriented(VOLUME))
    assert read_image(path).extensions == ("key:=value",)
    path.write_bytes(path.read_bytes().replace(b"key:=value", b"Name:=a: b\nKey:=\n#x:=y"))
    assert read_image(path).extensions == ("Name:=a: b\nKey:=",)


@pytest.mark.parametrize(("name", "dtype"), [("v.mha", "float32"), ("v.nii", "float64")])
def test_other_formats_and_types_are_not_written(name: str, dtype: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"one of \("):
        write_image(tmp_path / name, small_volume(dtype))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_second_volume_lies_in_memory(ending: str, tmp_path: Path) -> None:
    volume = Volume(np.zeros((64, 128, 128), np.float32), VOLUME.affine)
    megabytes = volume.array.nbytes / 2**20
    assert peak_megabytes(lambda: written(tmp_path, ending, volume)) < 0.7 * megabytes
    assert peak_megabytes(lambda: read_image(tmp_path / f"v.{ending}")) < 1.7 * megabytes


# --- other readers ---


@pytest.mark.parametrize("ending", ["nii", "nii.gz"])
def test_nibabel_sees_ras_and_one_affine(ending: str, tmp_path: Path) -> None:
    image = nibabel.load(written(tmp_path, ending))
    header = image.header
    assert nibabel.aff2axcodes(image.affine) == ("R", "A", "S")
    assert (header["sform_code"], header["qform_code"]) == (1, 1)
    assert header.get_qform() == pytest.approx(header.get_sform(), abs=TOLERANCE_MM)
    assert header.get_xyzt_units()[0] == "mm"
    assert (image.dataobj.slope, image.dataobj.inter) == (1, 0)
    assert image.get_data_dtype() == np.float32
    data, to_index = image.get_fdata(), np.linalg.inv(image.affine)
    for index in np.ndindex(VOLUME.array.shape):
        lps = VOLUME.affine @ (*index[::-1], 1)
        place = to_index @ (-lps[0], -lps[1], lps[2], 1)
        assert data[tuple(np.rint(place[:3]).astype(int))] == VOLUME.array[index]


@pytest.mark.parametrize("ending", ENDINGS)
def test_simpleitk_sees_each_voxel_at_its_place(ending: str, tmp_path: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    image = sitk.ReadImage(str(written(tmp_path, ending)))
    assert image.GetPixelIDTypeAsString() == "32-bit float"
    for index in np.ndindex(VOLUME.array.shape):
        place = (VOLUME.affine @ (*index[::-1], 1))[:3].tolist()
        assert image[image.TransformPhysicalPointToIndex(place)] == VOLUME.array[index]


def test_pynrrd_sees_the_affine(tmp_path: Path) -> None:
    nrrd = pytest.importorskip("nrrd")
    affine = VOLUME.affine.copy()
    affine[0, 1] = 0.5  # even if it were oblique
    data, header = nrrd.read(str(written(tmp_path, "nrrd", Volume(VOLUME.array, affine))))
    assert header["space"] == "left-posterior-superior"
    assert data.dtype == np.float32
    assert np.array_equal(data.transpose(2, 1, 0), VOLUME.array)
    assert pytest.approx(affine[:3, :3]) == header["space directions"].T
    assert header["space origin"] == pytest.approx(affine[:3, 3])


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_simpleitk_writes_is_read(ending: str, tmp_path: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    image = sitk.GetImageFromArray(VOLUME.array.astype(np.int16))
    image.SetOrigin(VOLUME.affine[:3, 3].tolist())
    image.SetSpacing(np.diag(VOLUME.affine)[:3].tolist())
    sitk.WriteImage(image, str(tmp_path / f"v.{ending}"))
    assert_same(tmp_path / f"v.{ending}", small_volume("int16"))
    sitk.WriteImage(image, str(tmp_path / f"c.{ending}"), useCompression=True)
    assert_same(tmp_path / f"c.{ending}", small_volume("int16"))


# --- stored numbers ---


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
)
def test_integers_stay_as_they_are_stored(dtype: str, big_endian: bool, tmp_path: Path) -> None:
    volume = small_volume(dtype)
    assert_same(write_nifti(tmp_path / "v.nii", oriented(volume), big_endian=big_endian), volume)
    assert_same(write_nrrd(tmp_path / "v.nrrd", oriented(volume), big_endian=big_endian), volume)


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floating_point_numbers_become_float32(
    dtype: str, big_endian: bool, tmp_path: Path
) -> None:
    stored = oriented(Volume(VOLUME.array.astype(dtype) / 8, VOLUME.affine))
    expected = Volume(VOLUME.array / 8, VOLUME.affine)
    assert_same(write_nifti(tmp_path / "v.nii.gz", stored, big_endian=big_endian), expected)
    raw = write_nrrd(tmp_path / "v.nrrd", stored, big_endian=big_endian, fields={"encoding": "raw"})
    assert_same(raw, expected)


def test_negative_values_are_kept(tmp_path: Path) -> None:
    assert_same(written(tmp_path, "nii", Volume(-VOLUME.array, VOLUME.affine)),
                Volume(-VOLUME.array, VOLUME.affine))  # fmt: skip


@pytest.mark.parametrize("kind", ["Nifti1", "Nifti2"])
def test_scale_factors_are_applied_as_by_nibabel(kind: str, tmp_path: Path) -> None:
    image = oriented(small_volume("int16"))
    path = write_nifti(tmp_path / "v.nii", image, kind, scl_slope=0.1, scl_inter=-7.25)
    read = read_image(path)
    assert read.array.dtype == np.float32
    expected = nibabel.load(path).get_fdata(dtype=np.float64).astype(np.float32)
    assert np.array_equal(read.array.transpose(2, 1, 0), expected)


@pytest.mark.parametrize("slope", [0.0, np.nan, np.inf])
def test_a_slope_that_says_nothing_scales_nothing(slope: float, tmp_path: Path) -> None:
    image = oriented(small_volume("int16"))
    path = write_nifti(tmp_path / "v.nii", image, scl_slope=slope, scl_inter=5)
    assert_same(path, small_volume("int16"))


def test_axes_of_one_voxel_after_the_third_do_not_matter(tmp_path: Path) -> None:
    image = oriented(VOLUME)
    path = write_nifti(tmp_path / "v.nii", image, dim=(5, 6, 5, 4, 1, 1, 1, 1))
    assert_same(path, VOLUME)
    fields = {"dimension": "4", "sizes": "1 6 5 4", "kinds": "list domain domain domain",
              "space directions": "none (2.25,0,0) (0, 2.5, 0)(0,0,3)"}  # fmt: skip
    assert_same(write_nrrd(tmp_path / "v.nrrd", image, fields=fields), VOLUME)


@pytest.mark.parametrize(("code", "unit_mm"), [(0, 1.0), (1, 1000.0), (2, 1.0), (3, 0.001)])
def test_units_of_length_are_converted(code: int, unit_mm: float, tmp_path: Path) -> None:
    scaled = np.diag([*[1 / unit_mm] * 3, 1.0]) @ VOLUME.affine
    image = Oriented(oriented(VOLUME).array, scaled)
    assert_same(write_nifti(tmp_path / "v.nii", image, xyzt_units=code), VOLUME, 1e-3)
    unit = {0: "", 1: "m", 2: "mm", 3: "um"}[code]
    fields = {"space units": f'"{unit}" "{unit}" "{unit}"'}
    assert_same(write_nrrd(tmp_path / "v.nrrd", image, fields=fields), VOLUME)


# --- labels ---


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int64", "float32", "float64"])
def test_labels_are_whole_numbers_however_they_are_stored(dtype: str, tmp_path: Path) -> None:
    volume = small_volume(dtype)
    for path in (
        write_nifti(tmp_path / "v.nii.gz", oriented(volume, (1, 2, 0), (True, False, True))),
        write_nrrd(tmp_path / "v.nrrd", oriented(volume, (2, 0, 1), (False, True, True))),
    ):
        read = read_labels(path)
        assert read.array.dtype == np.uint16
        assert np.array_equal(read.array, volume.array.astype(int))


def test_the_largest_label_is_read(tmp_path: Path) -> None:
    array = np.full((2, 2, 2), 65_535, np.int64)
    path = write_nifti(tmp_path / "v.nii", oriented(Volume(array, VOLUME.affine)))
    assert (read_labels(path).array == 65_535).all()


def test_scaled_labels_are_read_if_they_are_whole(tmp_path: Path) -> None:
    volume = small_volume("int16")
    path = write_nifti(tmp_path / "v.nii", oriented(volume), scl_slope=2, scl_inter=1)
    assert np.array_equal(read_labels(path).array, volume.array * 2 + 1)
