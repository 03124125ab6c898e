"""Which names of people's files can stand in what a command prints and writes."""

from __future__ import annotations

import csv
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest
from dicom_builder import File, write_zip

from mimir_engine.cli import DONE, SOME_FAILED, WRONG_USE, main

Capture = pytest.CaptureFixture[str]

#: A folder that is named after a patient.
SMITH = "Smith^John"


def everything(folder: Path, capture: Capture) -> str:
    """All that a command printed, and all text that it wrote into a folder."""
    captured = capture.readouterr()
    files = (path for path in folder.rglob("*") if path.is_file())
    written = [path.read_bytes().decode("utf-8", "replace") for path in files]
    return "\n".join([captured.out, captured.err, *written])


def scan_and_project(*sources: str, output: Path, names: tuple[str, ...] = ()) -> None:
    main(["scan", *sources, *names])
    main(["scan", *sources, "--events", *names])
    main(["project", *sources, "--dataset", str(output), *names])


@pytest.mark.parametrize("damage", ["archive", "entry", "link", "packed"])
def test_the_folders_of_a_source_stand_in_no_message_and_no_file(
    damage: str, study_zip: Path, study_files: tuple[File, ...], tmp_path: Path, capfd: Capture
) -> None:
    source = tmp_path / SMITH / "T1" / "scan.zip"
    source.parent.mkdir(parents=True)
    if damage == "archive":
        source.write_bytes(study_zip.read_bytes()[:-5000])
    elif damage == "entry":
        files = [file._replace(name=f"{SMITH}/T1/{file.name}") for file in study_files]
        files[0] = files[0]._replace(content=files[0].content[:-7000])
        write_zip(source, files)
    elif damage == "link":
        source = source.with_suffix(".tar")
        with tarfile.open(source, "w") as archive:
            link = tarfile.TarInfo(f"{SMITH}/T1/link.dcm")
            link.type, link.linkname = tarfile.SYMTYPE, f"/home/{SMITH}/x"
            archive.addfile(link)
            for file in study_files:
                member = tarfile.TarInfo(f"{SMITH}/T1/{file.name}")
                member.size = len(file.content)
                archive.addfile(member, io.BytesIO(file.content))
    else:
        with zipfile.ZipFile(source, "w") as outer:
            outer.writestr(f"{SMITH}/inner.zip", study_zip.read_bytes()[:-5000])
            outer.writestr(f"{SMITH}/inner.7z", b"7z\xbc\xaf\x27\x1c" + bytes(100))
    output = tmp_path / "out"
    scan_and_project(str(source), output=output)
    text = everything(output, capfd)
    assert "scan" in text
    assert "Smith" not in text


def test_a_name_that_is_taken_does_not_tell_where_the_other_study_lies(
    study_zip: Path, tmp_path: Path, capfd: Capture
) -> None:
    output = tmp_path / "out"
    for folder, content in ((SMITH, study_zip.read_bytes()), ("Doe", study_zip.read_bytes()[:-1])):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "scan.zip").write_bytes(content)
    assert main(["project", str(tmp_path / SMITH / "scan.zip"), "--dataset", str(output)]) == DONE
    other = ["project", str(tmp_path / "Doe" / "scan.zip"), "--dataset", str(output)]
    assert main(other) == WRONG_USE
    text = everything(output, capfd)
    assert "NAME_TAKEN: " in text
    assert "Smith" not in text


def test_a_ledger_with_paths_of_an_earlier_version_is_resumed(tmp_path: Path) -> None:
    from mimir_engine.cohort.fingerprint import Fingerprint, fingerprint

    path = tmp_path / "scan.zip"
    path.write_bytes(b"x")
    now = fingerprint(path)
    assert Fingerprint(str(path), now.content) == now
    assert str(path) not in now.place


# --- names by number ---


def three_studies(folder: Path, content: bytes) -> list[str]:
    folder.mkdir()
    paths = [folder / name for name in ("1234567_20201_2_0.zip", "Doe^Jane.zip", f"{SMITH}.zip")]
    for path in paths:
        path.write_bytes(content if "Doe" not in path.name else content[:-5000])
    return list(map(str, paths))


def names_in(dataset: Path) -> dict[str, str]:
    """The names in the tables of a data set, each with its participant."""
    rows: dict[str, str] = {}
    for table in ("studies.csv", "failures.csv"):
        with (dataset / table).open(encoding="utf-8", newline="") as file:
            rows |= {row["name"]: row.get("eid", "") for row in csv.DictReader(file)}
    return rows


def test_names_by_number_hide_files_and_participants(
    study_zip: Path, tmp_path: Path, capfd: Capture
) -> None:
    sources = three_studies(tmp_path / "in", study_zip.read_bytes())
    output = tmp_path / "out"
    scan_and_project(*sources, output=output, names=("--anonymous-names",))
    text = everything(output, capfd)
    for name in ("Smith", "Doe", "1234567"):
        assert name not in text
    assert names_in(output) == {"study_0001": "", "study_0002": "", "study_0003": ""}


def test_numbers_do_not_hang_on_the_order_of_the_sources(study_zip: Path, tmp_path: Path) -> None:
    sources = three_studies(tmp_path / "in", study_zip.read_bytes())
    for key, order in (("a.csv", sources), ("b.csv", sources[::-1])):
        main(["scan", *order, "--anonymous-names", "--key", str(tmp_path / key)])
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert (tmp_path / "a.csv").read_text("utf-8").splitlines() == [
        "study,name",
        "study_0001,1234567_20201_2_0",
        "study_0002,Doe^Jane",
        "study_0003,Smith^John",
    ]


def test_a_key_keeps_the_numbers_when_studies_are_added(
    study_zip: Path, tmp_path: Path, capfd: Capture
) -> None:
    first, _, last = three_studies(tmp_path / "in", study_zip.read_bytes())
    output, key = tmp_path / "out", tmp_path / "key.csv"
    options = ["--dataset", str(output), "--anonymous-names", "--key", str(key)]
    assert main(["project", last, *options]) == DONE
    ledger = (output / "ledger.jsonl").read_bytes()
    assert main(["project", first, last, *options]) == DONE
    assert (output / "ledger.jsonl").read_bytes().startswith(ledger)
    assert "2 studies, 1 of them already done" in capfd.readouterr().err
    assert key.read_text("utf-8").splitlines() == [
        "study,name",
        "study_0001,Smith^John",
        "study_0002,1234567_20201_2_0",
    ]


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"study,name\nx,y\n", b"study,name\nstudy_0001,a\nstudy_0001,b\n", b"a,b\n"],
)
def test_a_file_that_is_no_key_is_refused_and_kept(
    content: bytes, study_zip: Path, tmp_path: Path, capfd: Capture
) -> None:
    key = tmp_path / "key.csv"
    key.write_bytes(content)
    assert main(["scan", str(study_zip), "--anonymous-names", "--key", str(key)]) == WRONG_USE
    assert capfd.readouterr().err.startswith("KEY_INVALID: ")
    assert key.read_bytes() == content


def test_a_key_without_numbers_is_wrong_use(study_zip: Path, tmp_path: Path) -> None:
    assert main(["scan", str(study_zip), "--key", str(tmp_path / "key.csv")]) == WRONG_USE


def test_one_image_can_be_made_without_the_name(
    study_zip: Path, tmp_path: Path, capfd: Capture
) -> None:
    path = tmp_path / f"{SMITH}.zip"
    path.write_bytes(study_zip.read_bytes()[:-5000])
    arguments = ["project", str(path), "--output", str(tmp_path / "a.npy"), "--anonymous-names"]
    assert main(arguments) == SOME_FAILED
    text = capfd.readouterr().err
    assert ": study_0001: " in text
    assert "Smith" not in text


def test_the_command_in_run_json_has_no_folders_and_no_hidden_names() -> None:
    from argparse import Namespace

    from mimir_engine.cli._study_options import shown_command

    argv = ["infer", f"/data/{SMITH}/a.zip", f"/data/{SMITH}.zip", "--output=/data/x/out"]
    argv += ["--modules", f"/home/{SMITH}/m,phantom", "--sources", f"/data/{SMITH}.jsonl"]
    options = {"source": argv[1:3], "sources": argv[-1], "key": None, "argv": argv}
    named = shown_command(Namespace(**options, anonymous_names=False))
    assert named[:5] == ["mimir", "infer", "a.zip", f"{SMITH}.zip", "--output=out"]
    assert named[5:7] == ["--modules", "m,phantom"]
    hidden = shown_command(Namespace(**options, anonymous_names=True))
    assert "Smith" not in json.dumps(hidden)
    assert hidden[2:4] == ["...", "..."]
