from __future__ import annotations

import csv
import json
import re
import shutil
import zlib
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from cohort_builder import write_studies

from mimir_engine.cli import DONE, WRONG_USE, main
from mimir_engine.cohort.outcomes import LEDGER_FILE, Outcomes
from mimir_engine.cohort.projection_files import ProjectionFiles
from mimir_engine.cohort.study_folder import StudyFolders, read_study_folder
from mimir_engine.files.folder_lock import folder_lock
from mimir_engine.files.optional_packages import is_installed
from mimir_engine.files.png import read_png
from mimir_engine.inference_module import find_module
from mimir_engine.report.write_reports import HTML, find_study_folders, write_reports

Capture = pytest.CaptureFixture[str]

NAMES = ["1000000_20201_2_0", "1000001_20201_2_0", "1000002_20201_2_0"]
PERSON, OTHERS = NAMES[1], [NAMES[0], NAMES[2]]
#: Pixels of a run that is looked for.
RUN = 48


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small studies, and one that is damaged; not to be changed."""
    folder = tmp_path_factory.mktemp("archives")
    write_studies(folder, NAMES)
    (folder / "1000003_20201_2_0.zip").write_bytes(b"no archive")
    return folder


@pytest.fixture(scope="module")
def measured(archives: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results with networks, details with volumes, and reports; not to be changed."""
    folder = tmp_path_factory.mktemp("measured")
    parquet = ["--parquet"] if is_installed("parquet") else []
    measure(archives, folder, "infer", "--modules=phantom", "--allow-unvalidated", *parquet)
    return folder


@pytest.fixture
def results(measured: Path, tmp_path: Path) -> Path:
    """A copy of the results with all that belongs to them."""
    shutil.copytree(measured, tmp_path / "results")
    (tmp_path / "results" / "out" / "gallery").mkdir()
    (tmp_path / "results" / "out" / "gallery" / "index.html").write_text(PERSON)
    return tmp_path / "results"


def measure(archives: Path, folder: Path, command: str, *options: str) -> None:
    """Measure with details and reports in ``folder``."""
    output = [f"--output={folder / 'out'}", f"--details={folder / 'details'}"]
    main([command, str(archives), *options, *output])
    kinds = [HTML, "pdf"] if is_installed("report") else [HTML]
    for _ in write_reports(find_study_folders([folder / "details"]), folder / "reports", kinds):
        pass


def forget(results: Path, text: str = "1000001\n", *options: str) -> int:
    """Remove people from results, details and reports."""
    listed = results.parent / "withdrawn.txt"
    listed.write_text(text, "utf-8")
    kept = ["--details", str(results / "details"), str(results / "reports")]
    return main(["forget", str(results / "out"), f"--exclude={listed}", *kept, *options])


def contents(folder: Path) -> dict[str, bytes]:
    """Return all that is in each file of a folder: name, bytes, and what is compressed in them."""
    return {
        path.relative_to(folder).as_posix(): b"\n".join(_parts(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _parts(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    yield str(path.name).encode()
    yield content
    for found in re.finditer(rb"x[\x01\x5e\x9c\xda]", content):
        inflate = zlib.decompressobj()
        try:
            yield inflate.decompress(content[found.start() :], 64 << 20)
        except zlib.error:
            continue
    for found in re.finditer(rb"base64,([A-Za-z0-9+/=]+)", content):
        yield from _pixels(b64decode(found[1]), path.parent)
    if path.suffix == ".png":
        yield from _pixels(content, path.parent)
    if path.suffix == ".parquet":
        from pyarrow import parquet

        table = parquet.read_table(path)
        yield repr((table.to_pylist(), table.schema.metadata)).encode()


def _pixels(content: bytes, scratch: Path) -> Iterator[bytes]:
    """Yield the pixels of a PNG file: as they stand, and channel after channel."""
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
    path = scratch / "picture.tmp"
    path.write_bytes(content)
    picture = read_png(path, height, width)
    path.unlink()
    yield picture.tobytes()
    yield np.moveaxis(picture, -1, 0).tobytes()


def runs_of_pixels(results: Path) -> set[bytes]:
    """Return runs of the person's pixels: of the projection, and of the volumes."""
    image = ProjectionFiles(results / "out").read(PERSON)
    folder = read_study_folder(StudyFolders(results / "details").path(PERSON))
    runs = {row[at : at + RUN].tobytes() for row in image.reshape(-1, 256) for at in (32, 96, 160)}
    for volume in (folder.water(), folder.fat(), folder.fat_fraction()):
        rows = np.ascontiguousarray(volume.array[::10]).reshape(-1, volume.array.shape[-1])
        middle = rows.shape[1] // 2
        runs |= {row[middle - 8 : middle + 8].tobytes() for row in rows[::7]}
    return {run for run in runs if len(set(run)) > 8}


def holding(files: dict[str, bytes], texts: set[bytes]) -> list[str]:
    """Return the files that hold any of these."""
    return [name for name, content in files.items() if any(text in content for text in texts)]


def test_no_file_of_the_results_holds_the_id_or_a_pixel_of_a_person_any_more(
    results: Path, archives: Path, tmp_path: Path
) -> None:
    before = contents(results)
    without = {n: c for n, c in before.items() if PERSON not in n and "images" not in n}
    others = b"".join(c for n, c in without.items() if "1000000" in n or "1000002" in n)
    pixels = {run for run in runs_of_pixels(results) if run not in others}
    assert len(pixels) > 100, "they tell this person from the others"
    named = holding(before, {b"1000001"})
    assert {"out/ledger.jsonl", "out/predictions.csv", "out/gallery/index.html"} <= set(named)
    shown = holding(before, pixels)
    assert len([name for name in shown if name.endswith((".png", ".npy", ".html"))]) >= 6, shown

    assert forget(results) == DONE
    after = contents(results)
    assert holding(after, {b"1000001"}) == []
    assert holding(after, pixels) == []
    assert not any(name.startswith("out/gallery") for name in after)


def test_the_files_of_other_people_keep_every_byte(results: Path) -> None:
    before = contents(results)
    assert forget(results) == DONE
    after = contents(results)
    changed = {name for name in after if before.get(name) != after[name]}
    assert changed <= {
        f"out/{name}"
        for name in (
            *("ledger.jsonl", "predictions.csv", "predictions.parquet", "scan_numbers.csv"),
            *("scan_profiles.csv", "drift.csv", "failures.csv", "run.json", "excluded.csv"),
        )
    }
    assert {name for name in before if name not in after} == {
        name for name in before if PERSON in name or name.startswith("out/gallery")
    }
    rows = before["out/predictions.csv"].splitlines(keepends=True)
    kept = b"".join(row for row in rows if not row.startswith(PERSON.encode()))
    assert after["out/predictions.csv"] == kept


def test_tables_are_those_of_a_run_that_never_had_the_person(
    archives: Path, tmp_path: Path
) -> None:
    measure(archives, tmp_path / "results", "measure")
    fewer = tmp_path / "fewer"
    shutil.copytree(archives, fewer)
    (fewer / f"{PERSON}.zip").unlink()
    measure(fewer, tmp_path / "never", "measure")
    assert forget(tmp_path / "results") == DONE
    found, expected = (tmp_path / name / "out" for name in ("results", "never"))
    for name in ("measurements.csv", "failures.csv", "scan_numbers.csv"):
        assert (found / name).read_bytes() == (expected / name).read_bytes(), name
    records = [json.loads((folder / "run.json").read_text()) for folder in (found, expected)]
    assert records[0].pop("forgotten") == 1
    for record in records:
        del record["command"]
    assert records[0] == records[1]


def test_the_run_can_be_continued_and_measures_nobody_again(
    results: Path, archives: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert forget(results) == DONE
    tables = (results / "out" / "predictions.csv").read_bytes()
    capsys.readouterr()
    listed = f"--exclude={tmp_path / 'withdrawn.txt'}"
    options = ["--modules=phantom", "--allow-unvalidated", listed]
    measure(archives, results, "infer", *options)
    assert "3 studies, 2 of them already done" in capsys.readouterr().err
    assert (results / "out" / "predictions.csv").read_bytes() == tables
    assert not holding(contents(results / "out"), {b"1000001"})
    assert Outcomes(results / "out").damaged_lines == 0


def test_counts_stand_in_place_of_ids(results: Path, capsys: Capture) -> None:
    assert forget(results) == DONE
    said = capsys.readouterr()
    assert "--exclude: matched 1 of 1 ids; studies left out: 1" in said.err
    assert said.out == f"1 study removed from {results / 'out'}\n"
    with (results / "out" / "excluded.csv").open() as file:
        assert [*csv.DictReader(file)] == [{"reason": "removed by mimir forget", "studies": "1"}]
    record = json.loads((results / "out" / "run.json").read_text())
    assert (record["done"], record["failed"], record["forgotten"]) == (2, 1, 1)


def test_studies_that_were_only_begun_or_failed_are_removed(results: Path) -> None:
    with (results / "out" / LEDGER_FILE).open("a") as file:
        file.write('{"name": "1000009_20201_2_0", "begun": "alone", "crc32": "00000000"}\n')
        file.write('{"name": "1000008_2020')
    assert forget(results, "1000003\n") == DONE
    left = contents(results)
    assert holding(left, {b"1000003", b"1000008", b"1000009"}) == []
    assert len(Outcomes(results / "out")) == 3


def test_a_second_time_nothing_matches(results: Path, capsys: Capture) -> None:
    assert forget(results) == DONE
    after = contents(results)
    assert forget(results) == WRONG_USE
    assert "ID_UNMATCHED" in capsys.readouterr().err
    assert forget(results, "1000001\n", "--allow-unmatched") == DONE
    assert contents(results) == after


def test_numbers_of_removed_studies_add_up(results: Path) -> None:
    assert forget(results) == DONE
    assert forget(results, "1000003\n1000000_2\n") == DONE
    text = (results / "out" / "excluded.csv").read_text()
    assert text == "reason,studies\nremoved by mimir forget,3\n"


def test_excluded_people_are_removed_from_the_list_of_excluded(
    archives: Path, tmp_path: Path
) -> None:
    for name, text in (("exclude", "1000001\n"), ("only", "1000000\n1000001\n")):
        (tmp_path / f"{name}.txt").write_text(text)
    lists = [f"--{name}={tmp_path / name}.txt" for name in ("exclude", "only")]
    main(["measure", str(archives), *lists, f"--output={tmp_path / 'results' / 'out'}"])
    assert PERSON in (tmp_path / "results" / "out" / "excluded.csv").read_text()
    (tmp_path / "results" / "details").mkdir()
    (tmp_path / "results" / "reports").mkdir()
    assert forget(tmp_path / "results") == DONE
    assert (tmp_path / "results" / "out" / "excluded.csv").read_text() == (
        "reason,studies\nnot in the list of --only,2\nremoved by mimir forget,1\n"
    )


def test_a_person_named_in_the_command_is_hidden_there(archives: Path, tmp_path: Path) -> None:
    sources = [str(archives / f"{name}.zip") for name in NAMES]
    main(["measure", *sources, f"--output={tmp_path / 'out'}"])
    (tmp_path / "withdrawn.txt").write_text("1000001\n")
    main(["forget", str(tmp_path / "out"), f"--exclude={tmp_path / 'withdrawn.txt'}"])
    command = json.loads((tmp_path / "out" / "run.json").read_text())["command"]
    assert command[2:5] == [f"{NAMES[0]}.zip", "...", f"{NAMES[2]}.zip"]


def test_a_folder_of_details_that_was_not_given_is_named(results: Path, capsys: Capture) -> None:
    listed = results.parent / "withdrawn.txt"
    listed.write_text("1000001\n")
    assert main(["forget", str(results / "out"), f"--exclude={listed}"]) == DONE
    assert "a folder called 'details'" in capsys.readouterr().err
    assert holding(contents(results / "details"), {b"1000001"})
    assert forget(results) == DONE, "names of folders tell whose they are"
    assert holding(contents(results), {b"1000001"}) == []


def test_other_files_that_name_a_person_are_told(results: Path, capsys: Capture) -> None:
    (results / "out" / "notes.txt").write_text("look at 1000001 again")
    (results / "out" / "other.txt").write_text("10000011 is another one")
    assert forget(results) == DONE
    told = capsys.readouterr().err
    assert "'notes.txt' still names one of the removed people" in told
    assert "other.txt" not in told
    assert "1000001" not in told


def test_without_its_module_nothing_is_removed_unless_drift_is(
    results: Path, tmp_path: Path, capsys: Capture
) -> None:
    before = contents(results)
    module = tmp_path / "modules" / "phantom"
    shutil.copytree(find_module("phantom").folder, module)
    text = (module / "module.json").read_text()
    (module / "module.json").write_text(text + "\n")
    assert forget(results, "1000001\n", f"--modules={module}") == WRONG_USE
    assert "remove drift.csv" in capsys.readouterr().err
    assert contents(results) == before
    (results / "out" / "drift.csv").unlink()
    assert forget(results, "1000001\n", f"--modules={module}") == DONE
    assert "drift" not in json.loads((results / "out" / "run.json").read_text())


@pytest.mark.parametrize("table", ["predictions.csv", "excluded.csv", "run.json"])
def test_a_damaged_file_is_refused_before_anything_is_removed(
    results: Path, table: str, capsys: Capture
) -> None:
    (results / "out" / table).write_text('"')
    before = contents(results)
    assert forget(results) == WRONG_USE
    assert "RESULT_TABLE_INVALID" in capsys.readouterr().err
    assert contents(results) == before


def test_a_folder_without_results_is_refused(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "withdrawn.txt").write_text("1000001\n")
    assert main(["forget", str(tmp_path), f"--exclude={tmp_path / 'withdrawn.txt'}"]) == WRONG_USE
    assert "RESULTS_MISSING" in capsys.readouterr().err


def test_a_person_is_removed_from_a_data_set_of_images(archives: Path, tmp_path: Path) -> None:
    main(["project", str(archives), f"--dataset={tmp_path / 'set'}"])
    images = np.load(tmp_path / "set" / "images.npy")
    (tmp_path / "withdrawn.txt").write_text("1000001\n")
    command = ["forget", str(tmp_path / "set"), f"--exclude={tmp_path / 'withdrawn.txt'}"]
    assert main(command) == DONE
    left = np.load(tmp_path / "set" / "images.npy")
    assert not left[1].any()
    assert np.array_equal(left[[0, 2]], images[[0, 2]])
    assert holding(contents(tmp_path / "set"), {b"1000001"}) == []
    with (tmp_path / "set" / "studies.csv").open() as file:
        assert [row["row"] for row in csv.DictReader(file)] == ["0", "2"]


def test_a_check_of_scans_is_cleared_with_its_pictures(archives: Path, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    main(["check", str(archives), f"--output={tmp_path / 'out'}", f"--pictures={pictures}"])
    (tmp_path / "withdrawn.txt").write_text("1000001\n")
    command = ["forget", str(tmp_path / "out"), f"--exclude={tmp_path / 'withdrawn.txt'}"]
    assert main([*command, "--details", str(pictures)]) == DONE
    assert holding(contents(tmp_path / "out"), {b"1000001"}) == []
    assert holding(contents(pictures), {b"1000001"}) == []


def test_visits_of_a_person_are_known_by_a_pattern(archives: Path, tmp_path: Path) -> None:
    (tmp_path / "studies").mkdir()
    for name, new in zip(NAMES, ("KI-001_v1", "KI-001_v2", "KI-0011_v1")):
        shutil.copy(archives / f"{name}.zip", tmp_path / "studies" / f"{new}.zip")
    main(["measure", str(tmp_path / "studies"), f"--output={tmp_path / 'out'}"])
    (tmp_path / "withdrawn.txt").write_text("KI-001\n")
    command = ["forget", str(tmp_path / "out"), f"--exclude={tmp_path / 'withdrawn.txt'}"]
    assert main(command) == WRONG_USE
    assert main([*command, "--person-pattern", r"^(.+)_v\d+$"]) == DONE
    assert Outcomes(tmp_path / "out").names() == ["KI-0011_v1"]
    assert holding(contents(tmp_path / "out"), {b"KI-001_"}) == []


def test_the_key_of_anonymous_names_is_named(
    archives: Path, tmp_path: Path, capsys: Capture
) -> None:
    main(["measure", str(archives), "--anonymous-names", f"--output={tmp_path / 'out'}"])
    (tmp_path / "withdrawn.txt").write_text("study_0002\n")
    command = ["forget", str(tmp_path / "out"), f"--exclude={tmp_path / 'withdrawn.txt'}"]
    assert main(command) == DONE
    assert "The key of --anonymous-names" in capsys.readouterr().err
    assert holding(contents(tmp_path / "out"), {b"study_0002"}) == []


def test_a_folder_that_another_command_holds_is_refused(results: Path, capsys: Capture) -> None:
    before = contents(results / "out")
    with folder_lock(results / "details"):
        assert forget(results) == WRONG_USE
    assert "OUTPUT_IN_USE" in capsys.readouterr().err
    assert contents(results / "out") == before


def test_a_link_in_place_of_a_study_folder_is_refused_and_the_rest_is_done_later(
    results: Path, tmp_path: Path, capsys: Capture
) -> None:
    own = StudyFolders(results / "details").path(PERSON)
    own.rename(tmp_path / "elsewhere")
    try:
        own.symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    except OSError:
        pytest.skip("no links here")
    assert forget(results) == WRONG_USE
    assert "is a link" in capsys.readouterr().err
    assert (tmp_path / "elsewhere").is_dir()
    own.unlink()
    assert forget(results) == DONE
    assert holding(contents(results), {b"1000001"}) == []


def test_pixels_of_the_other_images_of_a_data_set_are_never_lost(
    archives: Path, tmp_path: Path, capsys: Capture
) -> None:
    main(["project", str(archives), f"--dataset={tmp_path / 'set'}"])
    (tmp_path / "set" / "images.npy").write_bytes(b"damaged")
    (tmp_path / "withdrawn.txt").write_text("1000001\n")
    command = ["forget", str(tmp_path / "set"), f"--exclude={tmp_path / 'withdrawn.txt'}"]
    assert main(command) == WRONG_USE
    assert "IMAGES_DAMAGED" in capsys.readouterr().err
    assert (tmp_path / "set" / "images.npy").read_bytes() == b"damaged"
