"""Runs of ``mimir fuse`` that are continued, repeated, killed, or of which a reader dies."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from cohort_builder import write_studies
from exchanged_archive import exchanged_archive
from stitched_builder import files_in, table

pytest.importorskip("nibabel", reason="NIfTI files need nibabel")

from mimir_engine.cli import DONE, SOME_FAILED, WRONG_USE, main
from mimir_engine.cohort.sources import NamedSource
from mimir_engine.cohort.volumes import fuse_studies as module
from mimir_engine.cohort.volumes.arrangements import NNUNET
from mimir_engine.cohort.volumes.fuse_studies import FuseOptions, fuse_studies
from mimir_engine.cohort.volumes.volume_layout import VolumeLayout
from mimir_engine.files.leftovers import PREFIX
from mimir_engine.phantom.dicom_study import write_study
from mimir_engine.readers.reader_limits import ReaderLimits

Capture = pytest.CaptureFixture[str]
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and pipes")
#: Water and fat as nnU-Net reads them: two files and a description per study.
LAYOUT = VolumeLayout(NNUNET)


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_studies(tmp_path_factory.mktemp("studies"), ["a", "b", "c"])


def run(paths: Sequence[Path], output: Path, **options: Any) -> list[dict[str, Any]]:
    """Stitch studies, each under the name of its file; return the events."""
    events: list[dict[str, Any]] = []

    def note(event: Mapping[str, Any]) -> None:
        events.append(dict(event))

    sources = [NamedSource(path.stem, path) for path in paths]
    fuse_studies(sources, output, FuseOptions(LAYOUT, **options), note)
    return events


def contents(output: Path) -> dict[str, bytes]:
    return {name: (output / name).read_bytes() for name in files_in(output)}


def leftovers(output: Path) -> list[str]:
    return [name for name in os.listdir(output) if name.startswith(PREFIX)]


def test_what_is_done_is_not_done_again_but_what_is_gone_or_changed_is(
    archives: list[Path], tmp_path: Path
) -> None:
    paths = [Path(shutil.copy(path, tmp_path)) for path in archives]
    out = tmp_path / "out"
    run(paths[:2], out)
    assert run(paths, out)[0]["already_done"] == 2
    assert run(paths, out)[0]["already_done"] == 3
    (out / "imagesTs" / "a_0001.nii.gz").unlink()
    (out / "imagesTs" / "b_0000.nii.gz").write_bytes(b"cut short")
    shutil.copy(archives[1], paths[2])
    events = run(paths, out)
    names = {event["name"] for event in events if event["event"] == "study"}
    assert names == {"a", "b", "c"}
    run([archives[0], archives[1]], tmp_path / "fresh")
    again, fresh = contents(out), contents(tmp_path / "fresh")
    assert all(again[name] == fresh[name] for name in fresh)
    assert again["imagesTs/c_0000.nii.gz"] == fresh["imagesTs/b_0000.nii.gz"]


def test_a_study_that_fails_later_leaves_no_volume_of_its_earlier_files(
    archives: list[Path], tmp_path: Path
) -> None:
    path = Path(shutil.copy(archives[0], tmp_path / "a.zip"))
    out = tmp_path / "out"
    run([path, archives[1]], out)
    path.write_bytes(b"PK")
    run([path, archives[1]], out)
    assert [row["name"] for row in table(out / "failures.csv")] == ["a"]
    assert [row["name"] for row in table(out / "volumes.csv")] == ["b"]
    assert {name.partition("/")[2][0] for name in files_in(out)} == {"b"}


@posix
def test_a_killed_run_is_resumed_and_gives_the_files_of_an_undisturbed_one(
    archives: list[Path], tmp_path: Path
) -> None:
    paths = [Path(shutil.copy(archives[k % 3], tmp_path / f"{k}.zip")) for k in range(6)]
    out = tmp_path / "out"
    words = [*map(str, paths), "--output", str(out), "--layout", "nnunet", "--events"]
    command = [sys.executable, "-m", "mimir_engine", "fuse", *words, "--jobs", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["event"] == "study":
                break
        process.send_signal(signal.SIGKILL)
    described = [name for name in files_in(out) if name.endswith(".json")]
    assert 1 <= len(described) < len(paths)
    for name in described:  # whoever has a description is whole
        assert (out / name.replace(".json", "_0000.nii.gz")).is_file()
        assert (out / name.replace(".json", "_0001.nii.gz")).is_file()
    events = run(paths, out)
    assert 1 <= events[0]["already_done"] <= len(described)
    run(paths, tmp_path / "undisturbed")
    assert contents(out) == contents(tmp_path / "undisturbed")
    assert leftovers(out) == []
    assert len(table(out / "volumes.csv")) == len(paths)


@posix
def test_a_reader_that_dies_while_it_writes_leaves_nothing_that_looks_whole(
    archives: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [Path(shutil.copy(archives[0], tmp_path / f"{how}-a.zip")) for how in ("crash", "hang")]
    monkeypatch.setattr(module, "FUNCTIONS", "fragile_reader")
    out = tmp_path / "out"
    run([*paths, archives[1]], out, jobs=2, limits=ReaderLimits(timeout_s=10.0))
    failures = {row["name"]: row["code"] for row in table(out / "failures.csv")}
    assert failures == {"crash-a": "STUDY_CRASHED", "hang-a": "STUDY_TIMEOUT"}
    assert {name.partition("/")[2][0] for name in files_in(out)} == {"b"}
    assert leftovers(out) == []


def test_other_options_need_another_folder_and_overwrite_removes_only_our_volumes(
    archives: list[Path], tmp_path: Path, capfd: Capture
) -> None:
    out = tmp_path / "out"
    words = ["fuse", str(archives[0]), str(archives[1]), "--output", str(out)]
    assert main([*words, "--contrasts", "water"]) == DONE
    (out / "volumes" / "a" / "liver.nii.gz").touch()
    capfd.readouterr()
    assert main([*words, "--contrasts", "fat"]) == WRONG_USE
    assert capfd.readouterr().err.startswith("OUTPUT_IN_USE")
    words = ["fuse", str(archives[0]), "--output", str(out), "--layout", "nnunet"]
    assert main([*words, "--contrasts", "fat", "--overwrite"]) == DONE
    left = ["imagesTs/a.json", "imagesTs/a_0000.nii.gz", "volumes/a/liver.nii.gz"]
    assert files_in(out) == left
    assert main(["check", str(archives[0]), "--output", str(out), "--overwrite"]) == DONE
    assert files_in(out) == ["volumes/a/liver.nii.gz"]


def test_names_that_differ_in_case_alone_are_refused(
    archives: list[Path], tmp_path: Path, capfd: Capture
) -> None:
    sources = tmp_path / "sources.json"
    lines = [{"name": name, "path": str(archives[0])} for name in ("Scan", "scan")]
    sources.write_text("\n".join(map(json.dumps, lines)))
    words = ["fuse", "--sources", str(sources), "--output", str(tmp_path / "out")]
    assert main(words) == WRONG_USE
    assert "NAME_REPEATED" in capfd.readouterr().err


def test_names_with_characters_of_paths_get_folders_of_their_own(
    archives: list[Path], tmp_path: Path
) -> None:
    names = ("../a", "a/b", "a:b", "con")
    sources = tmp_path / "sources.json"
    lines = [{"name": name, "path": str(archives[0])} for name in names]
    sources.write_text("\n".join(map(json.dumps, lines)))
    out = tmp_path / "out"
    words = ["fuse", "--sources", str(sources), "--output", str(out), "--contrasts", "water"]
    assert main(words) == DONE
    assert len(files_in(out)) == 2 * len(names)
    assert len(list((out / "volumes").iterdir())) == len(names)
    assert {row["name"] for row in table(out / "volumes.csv")} == {*names}


def test_lists_and_shards_choose_studies_and_the_status_counts_them(
    archives: list[Path], tmp_path: Path, capfd: Capture
) -> None:
    out, excluded = tmp_path / "out", tmp_path / "excluded.txt"
    excluded.write_text("b\n")
    words = ["fuse", *map(str, archives), "--output", str(out), "--contrasts", "water"]
    assert main([*words, "--exclude", str(excluded)]) == DONE
    assert [row["name"] for row in table(out / "volumes.csv")] == ["a", "c"]
    assert [row["name"] for row in table(out / "excluded.csv")] == ["b"]
    capfd.readouterr()
    assert main(["status", str(out)]) == DONE
    assert "2 of 2 done, 0 failed, 0 left" in capfd.readouterr().out
    shards = [tmp_path / f"shard{number}" for number in (1, 2)]
    for number, shard in enumerate(shards, start=1):
        words = ["fuse", *map(str, archives), "--output", str(shard), "--shard", f"{number}/2"]
        assert main([*words, "--contrasts", "water"]) == DONE
    names = [row["name"] for shard in shards for row in table(shard / "volumes.csv")]
    assert sorted(names) == ["a", "b", "c"]
    assert main(["merge", *map(str, shards), "--output", str(tmp_path / "merged")]) == WRONG_USE
    assert "holds no measurements" in capfd.readouterr().err


def test_exchanged_water_and_fat_are_repaired_only_if_that_is_asked_for(tmp_path: Path) -> None:
    write_study(tmp_path / "sound.zip", 7, ("water", "fat"))
    exchanged = exchanged_archive(tmp_path / "sound.zip", tmp_path / "scan.zip", 2)
    out = tmp_path / "out"
    words = ["fuse", str(exchanged), "--output", str(out), "--layout", "nnunet"]
    assert main(words) == SOME_FAILED
    assert files_in(out) == []
    assert main([*words, "--swap-repair"]) == DONE
    (row,) = table(out / "volumes.csv")
    assert "WATER_FAT_REPAIRED" in row["findings"]
    run([tmp_path / "sound.zip"], tmp_path / "sound")
    repaired, sound = (
        (folder / "imagesTs" / f"{name}_0000.nii.gz").read_bytes()
        for folder, name in ((out, "scan"), (tmp_path / "sound", "sound"))
    )
    assert repaired == sound
    assert main(words) == SOME_FAILED  # it is asked for no longer
    assert files_in(out) == []
