"""The folder of the page: what is written, what is replaced, and what it says without a browser."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gallery_builder import RUN, typical_study, varied_studies, write_output
from study_to_report import projection

from mimir_engine.cli import DONE, WRONG_USE, main
from mimir_engine.cohort.excluded_table import IN_EXCLUDE, NOT_IN_ONLY, write_excluded
from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.projection_files import ProjectionFiles
from mimir_engine.cohort.study_failure import StudyFailure
from mimir_engine.errors import MimirError
from mimir_engine.files.file_names import safe_file_name
from mimir_engine.inference_module import find_module, module_sha256
from mimir_engine.report.gallery.page_text import OWN, PARTS
from mimir_engine.report.gallery.thumbnail import thumbnail, thumbnail_bytes
from mimir_engine.report.gallery.write_gallery import GalleryOptions, write_gallery
from mimir_engine.report.projection_pictures import AIR, FRACTION_COLOURS

#: Bytes of a thumbnail: 10,000 fit into 40 MB.
MAX_THUMBNAIL = 4000
#: Lines of our own script.
MAX_LINES = 400


def data_of(page: Path) -> dict[str, Any]:
    text = re.search('id="data">(.*?)</script>', page.read_text("utf-8"), re.DOTALL)
    assert text is not None
    return dict(json.loads(text[1]))


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return write_output(tmp_path / "results", varied_studies(12), [projection()])


def test_the_page_has_all_studies_and_a_thumbnail_of_each_measured_one(output: Path) -> None:
    written = write_gallery(output, GalleryOptions())
    assert written.page == output / "gallery" / "index.html"
    assert (written.studies, written.failed, written.pictures, written.damaged) == (12, 1, 11, 0)
    studies = data_of(written.page)["studies"]
    assert studies["name"] == [f"scan_{number:05d}" for number in range(12)]
    assert studies["failure"][7] == "STATION_GAP"
    for small, large in zip(studies["thumbnail"], studies["image"]):
        assert bool(small) == bool(large)
        assert (written.page.parent / small).exists()
        assert (written.page.parent / large).resolve().is_relative_to(output / "projections") or (
            not large
        )


def test_the_same_results_give_the_same_page_and_replace_the_earlier_one(output: Path) -> None:
    first = write_gallery(output, GalleryOptions()).page.read_bytes()
    stale = output / "gallery" / "thumbnails" / "99999.png"
    stale.write_bytes(b"")
    assert write_gallery(output, GalleryOptions()).page.read_bytes() == first
    assert not stale.exists()
    assert not [path for path in output.iterdir() if path.name.endswith(".part")]


def test_a_folder_with_other_files_is_not_replaced(output: Path, tmp_path: Path) -> None:
    mine = tmp_path / "documents"
    mine.mkdir()
    (mine / "letter.txt").write_text("mine", "utf-8")
    with pytest.raises(MimirError, match="OUTPUT_IN_USE"):
        write_gallery(output, GalleryOptions(output=mine))
    assert (mine / "letter.txt").exists()


def test_a_page_elsewhere_is_complete_in_itself(output: Path, tmp_path: Path) -> None:
    page = write_gallery(output, GalleryOptions(output=tmp_path / "page")).page
    studies = data_of(page)["studies"]
    assert sum((page.parent / image).is_file() for image in studies["image"] if image) == 11
    assert not [image for image in studies["image"] if ".." in image]


def test_anonymous_pages_hold_no_name_in_any_file_and_the_key_has_them(
    output: Path, tmp_path: Path
) -> None:
    key = tmp_path / "key.csv"
    options = GalleryOptions(anonymous_names=True, key=key)
    page = write_gallery(output, options).page
    files = [path for path in page.parent.rglob("*") if path.is_file()]
    assert not [path for path in files if b"scan_000" in path.read_bytes() or "scan" in path.name]
    assert data_of(page)["studies"]["name"][:2] == ["study_0001", "study_0002"]
    assert "study_0001,scan_00000" in key.read_text("utf-8")


def test_excluded_studies_are_left_out_and_counted(output: Path) -> None:
    write_excluded(output, {"scan_00002": IN_EXCLUDE, "scan_00003": NOT_IN_ONLY})
    with Ledger(output, RUN) as ledger:
        ledger.pass_over(["scan_00002"])
        ledger.begin(11, 0)
    data = data_of(write_gallery(output, GalleryOptions()).page)
    assert "scan_00002" not in data["studies"]["name"]
    assert "scan_00003" in data["studies"]["name"]  # results of earlier runs stay
    assert data["counts"] == "1 failed · 2 excluded"


def test_a_damaged_or_missing_projection_leaves_the_study_without_a_picture(output: Path) -> None:
    files = ProjectionFiles(output)
    files.remove(["scan_00001", "scan_00002"])  # they may be links to others
    files.path("scan_00001").write_bytes(b"no picture")
    written = write_gallery(output, GalleryOptions())
    assert (written.pictures, written.damaged) == (9, 1)
    assert data_of(written.page)["studies"]["thumbnail"][1:3] == ["", ""]


def test_reports_are_led_to_on_request_only(output: Path, tmp_path: Path) -> None:
    reports = tmp_path / "all reports"
    reports.mkdir()
    (reports / f"{safe_file_name('scan_00001')}.html").write_text("", "utf-8")
    page = write_gallery(output, GalleryOptions(reports=reports)).page
    found = data_of(page)["studies"]["report"]
    assert found[:3] == ["", "../../all%20reports/scan_00001.html", ""]
    page = write_gallery(output, GalleryOptions()).page
    assert not any(data_of(page)["studies"]["report"])


def test_the_page_says_on_whom_modules_were_validated_if_the_same_module_is_here(
    tmp_path: Path,
) -> None:
    module = find_module("phantom")
    entry = {"name": "phantom", "version": module.version, "sha256": module_sha256(module)}
    for digest, sentence in ((entry["sha256"], "was validated on: scanners"), ("0", "model card")):
        run = {**RUN, "modules": [{**entry, "sha256": digest}, "damaged"]}
        output = write_output(tmp_path / digest, [typical_study()], run=run)
        about = data_of(write_gallery(output, GalleryOptions()).page)["about"]
        assert about.startswith("Research software, not a medical device.")
        assert sentence in about


def test_estimates_have_as_many_decimals_as_their_sd_allows(tmp_path: Path) -> None:
    page = write_gallery(write_output(tmp_path, [typical_study()]), GalleryOptions()).page
    columns = {column["title"]: column for column in data_of(page)["columns"]}
    weight = columns["Weight (kg)"]
    study = next(m for m in typical_study().measurements if m.target == "weight")
    assert weight["decimals"] == (0 if study.sd >= 2 else 1)
    assert weight["values"] == [round(study.value, weight["decimals"] + 1)]
    lower, upper = (f"{bound:.{weight['decimals']}f}" for bound in (study.lower, study.upper))
    assert (weight["intervals"], weight["level"]) == ([f"{lower} to {upper}"], "95 %")
    assert columns["Fat volume in view, measured directly (L)"]["decimals"] == 1
    assert columns["Fat volume in view, measured directly (L)"]["intervals"] == []


def test_a_study_whose_measurement_is_missing_has_no_value(tmp_path: Path) -> None:
    usual = typical_study()
    less = replace(usual, name="less", measurements=usual.measurements[:2], direct=())
    page = write_gallery(write_output(tmp_path, [less, usual]), GalleryOptions()).page
    columns = data_of(page)["columns"]
    assert all(len(column["values"]) == 2 for column in columns)
    missing = sum(column["values"][0] is None for column in columns)
    assert missing == len(usual.measurements) - 2 + len(usual.direct)


def test_no_text_of_a_study_ends_the_data_or_stands_in_the_markup(tmp_path: Path) -> None:
    text = "</script><script>alert(1)</script><!--"
    output = write_output(tmp_path, [replace(typical_study(), name=text)])
    page = write_gallery(output, GalleryOptions()).page
    assert data_of(page)["studies"]["name"] == [text]
    assert "<script>alert" not in page.read_text("utf-8")


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MimirError, match="RESULTS_MISSING"):
        write_gallery(tmp_path, GalleryOptions())


def test_too_many_studies_are_refused(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mimir_engine.report.gallery.write_gallery.MAX_STUDIES", 11)
    with pytest.raises(MimirError, match="GALLERY_TOO_LARGE"):
        write_gallery(output, GalleryOptions())


def test_the_command_writes_the_page(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gallery", str(output)]) == DONE
    printed = capsys.readouterr()
    assert printed.out.strip() == str(output / "gallery" / "index.html")
    assert "12 studies, 1 failed, 11 with images" in printed.err


@pytest.mark.parametrize("options", [["--key", "k.csv"], ["--anonymous-names", "--reports", "r"]])
def test_options_that_contradict_each_other_are_refused(
    output: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gallery", str(output), *options]) == WRONG_USE
    assert "WRONG_USE" in capsys.readouterr().err


def test_a_failure_alone_has_a_page(tmp_path: Path) -> None:
    output = write_output(tmp_path, [StudyFailure("a", "STATION_GAP", "gap.")])
    assert data_of(write_gallery(output, GalleryOptions()).page)["columns"] == []


def test_a_thumbnail_shows_water_left_and_fat_right() -> None:
    image = np.zeros((3, 256, 256), np.uint8)
    image[0, :, :154], image[1, :, :154], image[:, :, 154:] = 100, 200, 255
    small = thumbnail(image)
    assert small.shape == (104, 96)
    assert set(small[:, :48].flat) == {96}
    assert set(small[:, 48:].flat) == {200}


def test_a_thumbnail_of_a_noisy_body_has_at_most_4_kb() -> None:
    rows, columns = np.mgrid[-1:1:256j, -1:1:256j]
    body = 180 * np.exp(-2 * (rows**2 + columns**2)) * (1 + 0.3 * np.sin(40 * rows * columns))
    noise = np.random.default_rng(0).normal(0, 12, (3, 256, 256))
    image = np.clip(body + noise, 0, 255).astype(np.uint8)
    assert len(thumbnail_bytes(image)) <= MAX_THUMBNAIL


def test_our_own_script_is_short() -> None:
    lines = [line for name in OWN for line in (PARTS / name).read_text("utf-8").splitlines()]
    assert len(lines) < MAX_LINES
    assert max(map(len, lines)) <= 120


def test_the_page_shows_the_fat_fraction_in_the_colours_of_reports() -> None:
    markup = (PARTS / "gallery.html").read_text("utf-8")
    tables = re.findall('tableValues="([^"]+)"', markup)
    shown = [[float(value) for value in table.split()] for table in tables]
    assert np.allclose(np.array(shown).T * 255, FRACTION_COLOURS, atol=0.2)
    for bright in ("255 0", "0 255"):  # water, fat
        assert f" {bright} 0 0 {1 - AIR}" in markup
