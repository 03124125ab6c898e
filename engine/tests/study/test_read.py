"""Studies are read from any source; no input can crash the reader."""

from __future__ import annotations

import io
import json
import random
import re
import warnings
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dicom_builder import (
    EXPLICIT,
    IMPLICIT,
    File,
    Scan,
    all_files,
    complete_study,
    compressed,
    encoded,
    enhanced_file,
    write_files,
    write_zip,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from mimir_engine.errors import MimirError
from mimir_engine.files.json_file import from_json, to_json
from mimir_engine.fusion import fuse
from mimir_engine.projection.project import project
from mimir_engine.source.open_source import StudySource
from mimir_engine.study import DixonStudy, Scanner, read_study
from mimir_engine.study.study_facts import StudyFacts

RLE = "1.2.840.10008.1.2.5"


def same(a: DixonStudy, b: DixonStudy) -> bool:
    return len(a.stations) == len(b.stations) and all(
        np.array_equal(x.water, y.water)
        and np.array_equal(x.fat, y.fat)
        and np.allclose(x.affine, y.affine, atol=1e-9)
        for x, y in zip(a.stations, b.stations)
    )


def code(source: StudySource) -> str:
    with pytest.raises(MimirError) as raised:
        read_study(source)
    return raised.value.code


def codes(study: DixonStudy) -> list[str]:
    return [finding.code for finding in study.findings]


@pytest.fixture(scope="module")
def study(study_zip: Path) -> DixonStudy:
    return read_study(study_zip)


# ------------------------------------------------------------------ good studies


def test_stations_have_the_stored_pixels_and_patient_positions(study: DixonStudy) -> None:
    for scan, station in zip(complete_study(), study.stations):
        for suffix, image in (("W", station.water), ("F", station.fat)):
            assert image.dtype == np.uint16
            expected = [scan.pixels(suffix, k) for k in reversed(range(scan.slices))]
            np.testing.assert_array_equal(image, expected)
        assert station.top_mm == pytest.approx((*scan.first_mm, scan.top_mm))
        assert station.spacing_mm == pytest.approx((4.0, 4.0, scan.step_mm))


def test_a_study_has_its_ids_and_its_scanner(study: DixonStudy) -> None:
    assert (study.name, study.eid, study.instance) == ("1234567_20201_2_0", "1234567", "2")
    assert study.scanner == Scanner("SIEMENS", "Aera", 1.5)
    assert study.month == "2020-02"
    assert study.findings == ()


def test_the_month_of_a_study_with_an_anonymous_name_is_not_told(study_zip: Path) -> None:
    assert read_study(study_zip, "study_0001").month == ""


def test_a_renamed_study_keeps_its_ids(study_zip: Path) -> None:
    named = read_study(study_zip, "visit two")
    assert (named.name, named.eid, named.instance) == ("visit two", "1234567", "2")


def test_the_facts_of_a_study_are_all_but_its_images(study: DixonStudy) -> None:
    facts = study.facts
    assert (facts.name, facts.scanner, facts.findings) == (
        study.name, study.scanner, study.findings,
    )  # fmt: skip
    assert facts.contrasts == (("water", "fat"),) * len(study.stations)
    assert from_json(json.loads(json.dumps(to_json(facts))), StudyFacts) == facts


# ------------------------------------------------------------------ sources and encodings


def test_a_folder_and_a_list_are_read_like_an_archive(
    study: DixonStudy, study_files: tuple[File, ...], tmp_path: Path
) -> None:
    paths = write_files(tmp_path / "loose", study_files)
    (tmp_path / "loose" / "notes.txt").write_text("not an image")
    random.Random(3).shuffle(paths)
    assert same(read_study(tmp_path / "loose"), study)
    from_list = read_study(paths)
    assert same(from_list, study)
    assert from_list.name == "2.25.7"


def test_malicious_names_and_a_broken_manifest_change_nothing(
    study: DixonStudy, study_files: tuple[File, ...], tmp_path: Path
) -> None:
    renamed = [File("../../evil.dcm", study_files[0].content), *study_files[1:]]
    renamed += [File("manifest.cvs", b"\xff\xfe,,\n\0"), File("more/", b"")]
    assert same(read_study(write_zip(tmp_path / "a.zip", renamed)), study)


def test_other_series_change_nothing(
    study: DixonStudy, study_files: tuple[File, ...], tmp_path: Path
) -> None:
    def unrelated(dataset: Dataset, k: int) -> None:
        dataset.ImageType, dataset.SeriesDescription = ["ORIGINAL", "PRIMARY"], "ShMOLLI_FITPARAMS"
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]

    others = Scan(number=90, slices=3).files(("W",), unrelated)
    phases = Scan(number=95, slices=3).files(("in", "opp"))
    assert same(read_study(write_zip(tmp_path / "a.zip", [*others, *study_files, *phases])), study)


@pytest.mark.parametrize("syntax", [IMPLICIT, RLE])
def test_other_encodings_give_the_same_image(
    study: DixonStudy, tmp_path: Path, syntax: str
) -> None:
    files = []
    for scan in complete_study():
        for j, suffix in enumerate(("F", "W")):
            for k in range(scan.slices):
                dataset = scan.dataset(suffix, k, j)
                content = compressed(dataset, RLE) if syntax == RLE else encoded(dataset, syntax)
                files.append(File(f"{scan.number}_{suffix}_{k}.dcm", content))
    assert same(read_study(write_zip(tmp_path / "a.zip", files)), study)


def test_enhanced_files_give_the_same_image(study: DixonStudy, tmp_path: Path) -> None:
    kinds = [("W", "WATER"), ("opp", "FAT_FRACTION"), ("F", "FAT"), ("in", "IN_PHASE")]

    def own_series(scan: Scan) -> File:
        return enhanced_file(scan, kinds)

    files = [own_series(scan) for scan in complete_study()]
    enhanced = read_study(write_zip(tmp_path / "a.zip", files))
    assert same(enhanced, study)
    images = [project(fuse(s.stations)).image for s in (enhanced, study)]
    np.testing.assert_array_equal(*images)


def test_a_single_enhanced_file_is_a_study_of_one_station(tmp_path: Path) -> None:
    scan = Scan(slices=30)
    (path,) = write_files(tmp_path, [enhanced_file(scan, [("W", "WATER"), ("F", "FAT")])])
    (station,) = read_study(path).stations
    np.testing.assert_array_equal(station.fat[-1], scan.pixels("F", 0))


# ------------------------------------------------------------------ corrected or refused


def test_a_repeated_slice_is_left_out_with_a_finding(
    study: DixonStudy, study_files: tuple[File, ...], tmp_path: Path
) -> None:
    again = study_files[5]._replace(name="again.dcm")
    corrected = read_study(write_zip(tmp_path / "a.zip", [*study_files, again]))
    assert same(corrected, study)
    assert codes(corrected) == ["SLICE_REPEATED"]


def test_two_different_slices_at_one_position_are_refused(
    study_files: tuple[File, ...], tmp_path: Path
) -> None:
    content = bytearray(study_files[5].content)
    content[-1000] ^= 1
    other = File("other.dcm", bytes(content))
    assert code(write_zip(tmp_path / "a.zip", [*study_files, other])) == "SLICE_AMBIGUOUS"


def test_unequal_ends_are_cropped_in_all_directions(tmp_path: Path) -> None:
    scan = Scan(slices=20, shape=(48, 40))
    fat = replace(scan, number=2, slices=18, shape=(44, 38))
    study = read_study(write_zip(tmp_path / "a.zip", [*scan.files(("W",)), *fat.files(("F",))]))
    (station,) = study.stations
    assert codes(study) == ["ENDS_CROPPED"]
    assert station.water.shape == station.fat.shape == (18, 44, 38)
    np.testing.assert_array_equal(station.water[-1], scan.pixels("W", 0)[:44, :38])
    assert station.top_mm == pytest.approx((*scan.first_mm, scan.top_mm))


def test_a_rescan_has_a_finding(study: DixonStudy, tmp_path: Path) -> None:
    first = replace(complete_study()[1], time="095900", number=30)
    files = [*all_files(complete_study()), *first.files()]
    rescanned = read_study(write_zip(tmp_path / "a.zip", files))
    assert same(rescanned, study)
    assert codes(rescanned) == ["STATION_RESCANNED"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [([], "NO_DICOM"), (["folder/"], "NO_DICOM"), (["manifest.csv"], "NO_DIXON")],
)
def test_archives_without_images_are_refused(
    tmp_path: Path, names: list[str], expected: str
) -> None:
    assert code(write_zip(tmp_path / "a.zip", [File(n, b"") for n in names])) == expected


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert code(tmp_path) == code([]) == "NO_DICOM"


def test_a_file_with_truncated_pixels_is_refused(
    study_files: tuple[File, ...], tmp_path: Path
) -> None:
    files = list(study_files)
    files[7] = File(files[7].name, files[7].content[:-999])
    assert code(write_zip(tmp_path / "a.zip", files)) == "PIXELS_TRUNCATED"


# ------------------------------------------------------------------ damaged input


TINY_SCAN = Scan(slices=8, shape=(3, 4))
TINY = [File(f"{n}.dcm", f.content) for n, f in enumerate(TINY_SCAN.files())]


def zipped(files: Iterable[File], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for file in files:
            archive.writestr(zipfile.ZipInfo(file.name), file.content, method)
    return buffer.getvalue()


@st.composite
def damaged(draw: st.DrawFn, intact: bytes, header: int) -> bytes:
    """Return a file with some bytes, mostly of its header, overwritten, removed or cut off."""
    data = bytearray(intact)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.one_of(st.integers(0, header), st.integers(0, len(intact) - 1)))
        piece = draw(
            st.one_of(
                st.binary(min_size=1, max_size=4),
                st.sampled_from(
                    [b"\xff" * 4, b"\0" * 4, b"nan", b"-1", b"9" * 9, b"\\", b"UN", b"SQ"]
                ),
            )
        )
        if draw(st.integers(0, 9)) == 0:
            del data[at : at + draw(st.integers(1, 40))]
        else:
            data[at : at + len(piece)] = piece
    if draw(st.integers(0, 9)) == 0:
        del data[draw(st.integers(0, len(data))) :]
    return bytes(data)


def read_or_refuse(path: StudySource) -> None:
    """Read and fuse a source; the only error it may raise is a MimirError."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            fuse(read_study(path).stations)
        except MimirError as error:
            line = str(error)
        else:
            return
    assert re.fullmatch(r"[A-Z_]+: .+", line)
    assert line.isprintable()


often = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@often
@given(content=damaged(zipped(TINY), 400))
def test_no_damage_to_an_archive_crashes_the_reader(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "study.zip"
    path.write_bytes(content)
    read_or_refuse(path)


@often
@given(content=damaged(TINY[1].content, 1000))
def test_no_damage_to_a_file_crashes_the_reader(tmp_path: Path, content: bytes) -> None:
    files = [TINY[0], File("1.dcm", content), *TINY[2:]]
    read_or_refuse(write_zip(tmp_path / "study.zip", files, zipfile.ZIP_STORED))


@often
@given(content=damaged(encoded(TINY_SCAN.dataset("F", 1), IMPLICIT), 1000))
def test_no_damage_to_a_file_of_another_encoding_crashes_the_reader(
    tmp_path: Path, content: bytes
) -> None:
    files = [TINY[0], File("1.dcm", content), *TINY[2:]]
    read_or_refuse(write_zip(tmp_path / "study.zip", files, zipfile.ZIP_STORED))


@often
@given(content=damaged(enhanced_file(TINY_SCAN, [("W", "WATER"), ("F", "FAT")]).content, 6000))
def test_no_damage_to_an_enhanced_file_crashes_the_reader(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "enhanced.dcm"
    path.write_bytes(content)
    read_or_refuse(path)


def test_the_undamaged_studies_of_these_tests_are_read(tmp_path: Path) -> None:
    assert encoded(Scan().dataset("W", 0)).count(EXPLICIT.encode()) == 1
    (tmp_path / "study.zip").write_bytes(zipped(TINY))
    fused = fuse(read_study(tmp_path / "study.zip").stations)
    assert fused.water.array.shape == (8, 5, 7)


@pytest.mark.parametrize(
    ("padding", "expected"),
    [(0, []), (60_000, []), (5, ["PADDING_WITHIN"]), (445, ["PADDING_WITHIN"])],
)
def test_padding_among_the_signal_is_flagged(
    padding: int, expected: list[str], tmp_path: Path
) -> None:
    def change(dataset: Dataset, k: int) -> None:
        dataset.add_new(0x00280120, "US", padding)

    files = [file for scan in complete_study() for file in scan.files(change=change)]
    study = read_study(write_zip(tmp_path / "study.zip", files))
    assert sorted({*codes(study)}) == expected
