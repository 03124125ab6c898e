"""``mimir scan`` lists what studies contain, and which would be refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dicom_builder import Change, File, Scan, all_files, complete_study, write_files, write_zip
from pydicom.dataset import Dataset

from mimir_engine.cli import DONE, SOME_FAILED, WRONG_USE, main

Capture = pytest.CaptureFixture[str]
TOP, MIDDLE, LOWEST = complete_study()


def no_dixon(dataset: Dataset, k: int) -> None:
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
    dataset.SeriesDescription = "localizer"


def scan_lines(capfd: Capture, *arguments: object) -> tuple[int, list[str]]:
    status = main(["scan", *map(str, arguments)])
    return status, capfd.readouterr().out.splitlines()


def test_a_study_is_listed_with_its_stations_from_head_to_foot(
    tmp_path: Path, capfd: Capture
) -> None:
    files = [*TOP.files(("in", "opp", "F", "W")), *MIDDLE.files(), *LOWEST.files()]
    status, lines = scan_lines(capfd, write_zip(tmp_path / "a.zip", files))
    assert status == DONE
    assert lines == [
        "a: readable, 3 stations, SIEMENS Aera 1.5 T",
        "  station 1: z = 2 to -58 mm, 20 slices of water, fat, in-phase, opposed-phase",
        "  station 2: z = -34 to -97 mm, 14 slices of water, fat",
        "  station 3: z = -79 to -143 mm, 16 slices of water, fat",
        "  missing: in-phase of station 2, 3",
        "  missing: opposed-phase of station 2, 3",
    ]


def test_findings_and_what_is_not_used_are_listed(tmp_path: Path, capfd: Capture) -> None:
    files = list(all_files(complete_study()))
    files += Scan(number=30, time="090000", slices=3).files(("W",), no_dixon)
    again = Scan(top_mm=0.0, slices=20, step_mm=3.0, number=40, time="110000").files()
    folder = write_files(tmp_path / "a", [*files, *again])[0].parent
    status, lines = scan_lines(capfd, folder)
    assert status == DONE
    finding, not_used = lines[4:]
    assert finding.startswith("  STATION_RESCANNED: the station from z = -58 to 2 mm ")
    assert finding.endswith(".")
    assert not_used.startswith("  not used (")
    assert not_used.endswith("): 3 files, 'localizer'")


def test_a_refused_study_does_not_stop_the_others(tmp_path: Path, capfd: Capture) -> None:
    write_zip(tmp_path / "b.zip", all_files(complete_study()))
    write_zip(tmp_path / "a.zip", [*TOP.files(), *LOWEST.files()])
    (tmp_path / "c.zip").write_bytes(b"no archive")
    status, lines = scan_lines(capfd, tmp_path)
    assert status == SOME_FAILED
    verdicts = [line for line in lines if not line.startswith("  station")]
    assert [line.split(": ")[:2] for line in verdicts] == [
        ["a", "refused, 2 stations, SIEMENS Aera 1.5 T"],
        ["  STATION_GAP", "stations 1 and 2 (from the head) are 21 mm apart. A station may be"
         " missing. Fetch the complete study."],
        ["b", "readable, 3 stations, SIEMENS Aera 1.5 T"],
        ["c", "refused"],
        ["  NOT_A_ZIP", verdicts[-1].split(": ")[1]],
    ]  # fmt: skip


def test_lists_of_files_give_events(tmp_path: Path) -> None:
    files = write_files(tmp_path / "files", all_files(complete_study()))
    lines = [
        json.dumps({"name": "2.25.7", "files": [str(path) for path in files]}),
        json.dumps({"name": "gone", "files": [str(tmp_path / "gone.dcm")]}),
        json.dumps({"name": "fused", "fused": str(tmp_path)}),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "mimir_engine", "scan", "--sources", "-", "--events"],
        input="\n".join(lines).encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == SOME_FAILED
    engine, first, second, third, finished = map(json.loads, done.stdout.splitlines())
    assert engine["event"] == "engine"
    assert finished == {"event": "finished", "done": 1, "refused": 2}
    assert (first["name"], first["study_uid"], first["state"]) == ("2.25.7", "2.25.7", "readable")
    assert first["stations"][0] == {
        "from_mm": -58.5,
        "to_mm": 1.5,
        "slices": {"water": 20, "fat": 20},
    }
    assert (first["code"], first["findings"], first["passed_over"]) == ("", [], [])
    assert (first["done"], first["total"]) == (1, 3)
    assert (second["state"], second["code"]) == ("refused", "FILE_UNREADABLE")
    assert (third["state"], third["code"]) == ("refused", "SOURCES_INVALID")


def test_long_lists_of_what_is_not_used_are_summed_up(tmp_path: Path, capfd: Capture) -> None:
    def named(number: int) -> Change:
        def change(dataset: Dataset, k: int) -> None:
            no_dixon(dataset, k)
            dataset.SeriesDescription = f"localizer {number}"
            dataset.SeriesInstanceUID = f"2.25.{number + 1}"

        return change

    files = list(all_files(complete_study()))
    for number in range(100):
        (one,) = Scan(slices=1).files(("W",), named(number))
        files.append(File(f"localizer{number:03d}.dcm", one.content))
    archive = write_zip(tmp_path / "a.zip", files)
    _, lines = scan_lines(capfd, archive)
    assert lines[-1].endswith(
        "): 100 files, e.g. 'localizer 0', 'localizer 1', 'localizer 2', 'localizer 3'"
    )
    main(["scan", str(archive), "--events"])
    passed_over = json.loads(capfd.readouterr().out.splitlines()[1])["passed_over"]
    assert [one["name"] for one in passed_over[-2:]] == ["localizer 19", "others"]
    assert sum(one["files"] for one in passed_over) == 100


def test_nobodys_name_or_number_is_shown(tmp_path: Path, capfd: Capture) -> None:
    files = [*all_files(complete_study()), *Scan(number=30, slices=3).files(("W",), no_dixon)]
    arguments: list[Any] = [write_zip(tmp_path / "a.zip", files)]
    for options in ([], ["--events"]):
        main(["scan", *map(str, arguments), *options])
        captured = capfd.readouterr()
        assert not any(word in captured.out + captured.err for word in ("Nobody", "someone"))


@pytest.mark.parametrize("arguments", [[], ["a.zip", "--sources", "-"], ["a.zip", "--jobs", "0"]])
def test_wrong_options_are_refused(arguments: list[str], capfd: Capture) -> None:
    assert main(["scan", *arguments]) == WRONG_USE
    assert capfd.readouterr().err.startswith("WRONG_USE: ")
