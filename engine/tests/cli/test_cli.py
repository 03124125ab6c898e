from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from random_modules import write_without_network

import mimir_engine
from mimir_engine import cli
from mimir_engine.cli import CANCELLED, DONE, SOME_FAILED, WRONG_USE, main
from mimir_engine.cli._progress import studies
from mimir_engine.cli._study_options import chosen_studies
from mimir_engine.files.folder_lock import folder_lock

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _own_modules_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own inference modules, and those beside the checkout, are out of sight."""
    monkeypatch.setenv("MIMIR_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("MIMIR_DEBUG", raising=False)


def the_only_line(capture: Capture) -> str:
    """The one line on standard error; nothing is on standard output."""
    captured = capture.readouterr()
    assert captured.out == ""
    assert captured.err.endswith("\n")
    assert captured.err.count("\n") == 1
    return captured.err.rstrip("\n")


def process(arguments: Sequence[str], **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "mimir_engine", *arguments],
        capture_output=True,
        env={**os.environ, **environment},
        timeout=300,
        check=False,
    )


# --- the command itself ---


def test_help_answers_without_loading_anything_heavy() -> None:
    script = (
        "import sys; from mimir_engine.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print('loaded:', *{'torch', 'numpy', 'matplotlib', 'pydicom'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    *lines, loaded = done.stdout.decode().splitlines()
    assert all(any(command in line for line in lines) for command in cli.COMMANDS)
    assert loaded == "loaded:"


def test_without_a_command_help_is_printed_with_status_2(capsys: Capture) -> None:
    assert main([]) == WRONG_USE
    assert "usage: mimir" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["fly"],
        ["infer"],
        ["modules"],
        ["infer", "a.zip", "--modules", "x", "--output", "o", "--level", "high"],
        ["infer", "a.zip", "--modules", "x", "--output", "o", "--device", "ab\x1b[31mc"],
        ["project", "a.zip", "--output", "o.npy", "two\nlines"],
    ],
)
def test_a_wrong_command_line_is_one_line_and_status_2(
    arguments: list[str], capsys: Capture
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == WRONG_USE
    line = the_only_line(capsys)
    assert line.startswith("WRONG_USE: ")
    assert line.isprintable()


def fail_in(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let ``mimir demo`` fail."""

    def run(arguments: object) -> int:
        raise error

    module = SimpleNamespace(run=run, add_options=lambda parser: None)
    monkeypatch.setitem(sys.modules, "mimir_engine.cli.demo", module)  # type: ignore[arg-type]


def test_an_internal_error_is_one_line_that_quotes_no_header(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    fail_in(monkeypatch, ValueError("Nobody^At all"))
    assert main(["demo"]) == WRONG_USE
    line = the_only_line(capsys)
    assert line.startswith("INTERNAL_ERROR: MIMIR failed (ValueError at __init__.py:")
    assert "Nobody" not in line
    monkeypatch.setenv("MIMIR_DEBUG", "1")
    with pytest.raises(ValueError, match="Nobody"):
        main(["demo"])


def test_control_c_is_one_line_and_status_130(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    fail_in(monkeypatch, KeyboardInterrupt())
    assert main(["demo"]) == CANCELLED
    assert the_only_line(capsys).startswith("CANCELLED: ")


def test_a_terminal_that_lacks_a_character_gets_it_escaped(tmp_path: Path) -> None:
    folder = write_without_network(tmp_path / "weights" / "trial", title="頭 and more")
    done = process(["modules", "show", str(folder)], PYTHONIOENCODING="cp1252")
    assert (done.returncode, done.stderr) == (DONE, b"")
    assert rb"\u982d and more" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows reports a closed pipe differently")
def test_a_closed_output_pipe_gives_no_traceback(tmp_path: Path) -> None:
    write_without_network(tmp_path / "weights" / "trial")
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "mimir_engine", "modules", "list"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (CANCELLED, b"")


def test_one_study_is_not_one_studies() -> None:
    assert (studies(1), studies(0), studies(2)) == ("1 study", "0 studies", "2 studies")


# --- mimir project ---


def test_project_writes_the_image_and_the_volumes(study_zip: Path, tmp_path: Path) -> None:
    nrrd = pytest.importorskip("nrrd")
    image, folder = tmp_path / "new" / "image.npy", tmp_path / "volumes"
    arguments = ["project", str(study_zip), "--output", str(image), "--volumes", str(folder)]
    assert main(arguments) == DONE
    written = np.load(image)
    assert (written.shape, written.dtype) == ((3, 256, 256), np.uint8)
    study, fused = mimir_engine.measuring.one_study.read_and_fuse(study_zip)  # type: ignore[attr-defined]
    assert (written == mimir_engine.project(fused).image).all()
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{study.name}_fat.nrrd", f"{study.name}_water.nrrd",
    ]  # fmt: skip
    data, header = nrrd.read(str(folder / f"{study.name}_fat.nrrd"))
    assert (data.transpose(2, 1, 0) == fused.fat.array).all()
    assert header["space origin"] == pytest.approx(fused.fat.affine[:3, 3])
    assert header["space directions"] == pytest.approx(fused.fat.affine[:3, :3].T)


@pytest.mark.parametrize("content", [None, b"", b"no zip"])
def test_project_prints_one_line_for_a_study_without_an_image(
    content: bytes, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "Zoë \x1b[2J.zip"
    if content is not None:
        if os.name == "nt":
            pytest.skip("names of files on Windows have no control characters")
        path.write_bytes(content)
    assert main(["project", str(path), "--output", str(tmp_path / "image.npy")]) == SOME_FAILED
    line = the_only_line(capsys)
    code = "SOURCE_MISSING" if content is None else "NOT_A_ZIP"
    assert line.startswith(f"{code}: Zoë  [2J: ")
    assert not (tmp_path / "image.npy").exists()


def test_project_prints_its_findings(tmp_path: Path, capsys: Capture) -> None:
    from dicom_builder import all_files, complete_study, write_zip

    files = list(all_files(complete_study()))
    path = write_zip(tmp_path / "a.zip", [*files, files[7]._replace(name="again.dcm")])
    assert main(["project", str(path), "--output", str(tmp_path / "image.npy")]) == DONE
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" ")[:2] for line in lines] == [
        ["SLICE_REPEATED:", "a:"],
        ["EXTENT_SHORT:", "a:"],
    ]


def test_files_that_are_passed_over_are_printed_and_are_events(
    study_zip: Path, tmp_path: Path, capsys: Capture
) -> None:
    bulk = tmp_path / "bulk"
    bulk.mkdir()
    shutil.copy(study_zip, bulk)
    for field in ("20203", "20204"):
        for participant in ("1234567", "1234568"):
            (bulk / f"{participant}_{field}_2_0.zip").touch()
    assert main(["project", str(bulk), "--dataset", str(tmp_path / "data")]) == DONE
    assert capsys.readouterr().err.splitlines()[0] == (
        "passed over: UK Biobank field 20203 (2 files), not the neck-to-knee MRI, which is field"
        " 20201"
    )
    events: list[Mapping[str, Any]] = []
    arguments = argparse.Namespace(source=[str(bulk)], sources=None)
    assert len(chosen_studies(arguments, events.append)) == 1
    assert [(event["event"], event["name"], event["files"]) for event in events] == [
        ("passed_over", "UK Biobank field 20203", 2),
        ("passed_over", "UK Biobank field 20204", 2),
    ]


def test_project_names_a_file_that_cannot_be_written(
    study_zip: Path, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "file").touch()
    assert main(["project", str(study_zip), "--output", str(tmp_path / "file" / "i.npy")]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("OUTPUT_UNWRITABLE: ")


# --- mimir modules ---


def test_modules_are_listed_shown_and_verified(tmp_path: Path, capsys: Capture) -> None:
    folder = write_without_network(tmp_path / "weights" / "trial")
    assert main(["modules", "list"]) == DONE
    first = capsys.readouterr().out.splitlines()[0]
    assert first.split() == ["trial", "1.0", "3", "A", "trial"]
    assert main(["modules", "show", "trial"]) == DONE
    assert "liverVolume" in capsys.readouterr().out
    assert main(["modules", "verify", "trial"]) == DONE
    assert "all files match their hashes" in capsys.readouterr().out
    (folder / "weights.safetensors").write_bytes(b"changed")
    assert main(["modules", "verify", "trial"]) == WRONG_USE
    assert the_only_line(capsys).startswith("MODULE_DAMAGED: weights.safetensors ")


def test_a_module_that_cannot_be_read_does_not_hide_the_others(
    tmp_path: Path, capsys: Capture
) -> None:
    write_without_network(tmp_path / "weights" / "trial")
    broken = write_without_network(tmp_path / "weights" / "broken")
    (broken / "module.json").write_text("{")
    assert main(["modules", "list"]) == SOME_FAILED
    captured = capsys.readouterr()
    assert captured.out.startswith("trial ")
    assert captured.err.startswith("MODULE_INVALID: module.json of broken ")


def test_without_modules_the_searched_folders_are_named(tmp_path: Path, capsys: Capture) -> None:
    main(["modules", "list"])
    captured = capsys.readouterr()
    assert captured.out or str(tmp_path / "weights") in captured.err


def test_an_added_module_is_found_by_its_name(tmp_path: Path, capsys: Capture) -> None:
    source = write_without_network(tmp_path / "received")
    assert main(["modules", "add", str(source), "--into", str(tmp_path / "weights")]) == DONE
    assert capsys.readouterr().out.startswith("trial added: 3 measurements")
    assert main(["modules", "show", "trial"]) == DONE


# --- mimir infer without a network ---


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["a.zip", "--modules", "m", "--level", "95"], "LEVEL_INVALID"),
        (["a.zip", "--modules", "m", "--level", "nan"], "LEVEL_INVALID"),
        (["a.zip", "--modules", "m", "--jobs", "0"], "WRONG_USE"),
        (["a.zip", "--modules", " , "], "WRONG_USE"),
        (["--modules", "m"], "WRONG_USE"),
        (["a.zip", "--sources", "-", "--modules", "m"], "WRONG_USE"),
    ],
)
def test_infer_refuses_contradictory_or_invalid_options(
    arguments: list[str], code: str, tmp_path: Path, capsys: Capture
) -> None:
    assert main(["infer", *arguments, "--output", str(tmp_path / "out")]) == WRONG_USE
    assert the_only_line(capsys).startswith(f"{code}: ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("packages", "options"),
    [
        (("torch", "onnxruntime"), ()),
        (("torch",), ("--runtime", "torch")),
        (("onnxruntime",), ("--runtime", "onnx")),
        (("pyarrow",), ("--parquet",)),
    ],
)
def test_a_package_that_infer_lacks_is_named_before_any_work(
    packages: tuple[str, ...],
    options: tuple[str, ...],
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for package in packages:
        monkeypatch.setitem(sys.modules, package, None)
    arguments = ["infer", "a.zip", "--modules", "m", "--output", str(tmp_path / "out"), *options]
    assert main(arguments) == WRONG_USE
    assert the_only_line(capsys).startswith("EXTRA_MISSING: ")


def test_training_without_torch_says_that_it_needs_torch(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["train", str(tmp_path), "--output", str(tmp_path / "run")]) == WRONG_USE
    assert "EXTRA_MISSING: training needs PyTorch" in the_only_line(capsys)
    assert not (tmp_path / "out").exists()


def test_infer_lists_the_modules_that_exist(tmp_path: Path, capsys: Capture) -> None:
    pytest.importorskip("onnxruntime")
    write_without_network(tmp_path / "weights" / "trial")
    assert main(["infer", "a.zip", "--modules", "trail", "--output", str(tmp_path)]) == WRONG_USE
    line = the_only_line(capsys)
    assert line.startswith("MODULE_NOT_FOUND: ")
    assert "trial" in line


# --- mimir infer and demo, with a network ---


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a module that accepts the small studies."""
    pytest.importorskip("onnxruntime")
    from cohort_builder import write_trial_module

    return write_trial_module(tmp_path_factory.mktemp("modules") / "trial").folder


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_infer_writes_its_files_and_prints_one_line_per_study(
    trial: Path, study_zip: Path, tmp_path: Path, capsys: Capture
) -> None:
    bad = tmp_path / "bad.zip"
    bad.write_bytes(b"no zip")
    output = tmp_path / "out"
    arguments = ["infer", str(bad), str(study_zip), "--modules", f" {trial}=t_ ,"]
    arguments += ["--output", str(output), "--device", "cpu", "--level", "0.9", "--jobs", "1"]
    assert main(arguments) == SOME_FAILED
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert lines[0] == "2 studies; trial; ONNX Runtime on cpu"
    assert lines[1].startswith("NOT_A_ZIP: bad: ")
    assert lines[2] == f"{study_zip.stem} done (EXTENT_SHORT) [2/2, 0 s left]"
    assert lines[3] == f"1 study done, 1 failed, listed in failures.csv; see {output}"
    (row,) = table(output / "predictions.csv")
    assert (row["name"], row["eid"], row["instance"]) == (study_zip.stem, "1234567", "2")
    assert float(row["t_height_lower90"]) < float(row["t_height_mean_in_cm"])
    assert [row["code"] for row in table(output / "failures.csv")] == ["NOT_A_ZIP"]
    run = json.loads((output / "run.json").read_text("ascii"))
    assert (run["level"], run["projection"], run["done"]) == (0.9, "mimir-2021", 1)
    assert run["modules"][0]["column_prefix"] == "t_"
    assert len(run["modules"][0]["sha256"]) == 64
    memory_gb = 2.0 if sys.platform == "linux" else None
    assert run["limits"] == {"memory_gb": memory_gb, "timeout_s": 600.0}
    assert run["command"] == ["mimir", *(text.rpartition("/")[2] for text in arguments)]


def test_standard_output_has_only_events_and_standard_input_may_stay_open(
    trial: Path, study_zip: Path, tmp_path: Path
) -> None:
    output = tmp_path / "Ausgabe \u00e4"
    command = [sys.executable, "-m", "mimir_engine", "infer", "--sources", "-", "--events"]
    command += ["--modules", str(trial), "--output", str(output), "--device", "cpu"]
    studies = [
        {"name": "Zoë 頭", "path": str(study_zip)},
        {"name": "=gone", "files": [str(tmp_path / "gone.dcm")]},
    ]
    text = "".join(f"{json.dumps(study, ensure_ascii=False)}\r\n" for study in studies) + "\r\n"
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
    ) as engine:
        assert engine.stdin is not None
        assert engine.stdout is not None
        assert engine.stderr is not None
        first = json.loads(engine.stdout.readline())
        assert first["event"] == "engine", "sent before the list of studies arrives"
        assert first["version"] == mimir_engine.__version__
        assert Path(first["path"], "cli").is_dir()
        engine.stdin.write(text.encode())
        engine.stdin.flush()
        lines = engine.stdout.read()
        assert engine.wait(timeout=300) == SOME_FAILED, "it ends though its input is still open"
        assert engine.stderr.read() == b""
    assert lines.isascii()
    events = [json.loads(line) for line in lines.splitlines()]
    events = [event for event in events if event["event"] != "step"]
    assert [event["event"] for event in events] == ["run", "study", "study", "finished"]
    assert {event["name"]: event["state"] for event in events[1:3]} == {
        "Zoë 頭": "done", "=gone": "failed",
    }  # fmt: skip
    assert events[3] == {"event": "finished", "done": 1, "failed": 1, "output": str(output)}
    assert [row["name"] for row in table(output / "predictions.csv")] == ["Zoë 頭"]
    assert [row["name"] for row in table(output / "failures.csv")] == ["'=gone"]


def test_the_engine_ends_with_its_parent_process(
    trial: Path, study_zip: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "mimir_engine", "infer", "--sources", "-", "--events"]
    command += ["--modules", str(trial), "--output", str(tmp_path / "out"), "--device", "cpu"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as engine:
        assert engine.stdin is not None
        assert engine.stdout is not None
        engine.stdout.readline()
        line = json.dumps({"path": str(study_zip)})
        engine.stdin.write(f"{line}\n\n".encode())
        engine.stdin.close()
        assert engine.wait(timeout=300) == CANCELLED
    assert not (tmp_path / "out" / "predictions.csv").exists()


@pytest.mark.slow
def test_the_demonstration_works_twice_in_one_folder_with_and_without_pictures(
    trial: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cohort_builder import write_variant

    from mimir_engine.inference_module import load_module

    write_variant(
        tmp_path / "weights" / "phantom", load_module(trial), name="phantom", demonstration=True
    )
    output = tmp_path / "demo"
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "matplotlib", None)
        assert main(["demo", "--output", str(output)]) == DONE
    captured = capsys.readouterr()
    assert "No picture: pictures need matplotlib, which is not installed." in captured.err
    assert "liverVolume" in captured.out
    assert "truth" in captured.out or "true" in captured.out
    assert not list(output.glob("*.png"))
    pytest.importorskip("matplotlib")
    assert main(["demo", "--output", str(output)]) == DONE
    (picture,) = output.glob("*.png")
    assert picture.read_bytes().startswith(b"\x89PNG")
    (row,) = table(output / "predictions.csv")
    assert row["flags"].startswith("DEMONSTRATION")
    assert table(output / "failures.csv") == []


def test_the_demonstration_does_not_overwrite_foreign_results(
    trial: Path, tmp_path: Path, capsys: Capture
) -> None:
    from cohort_builder import write_variant

    from mimir_engine.inference_module import load_module

    write_variant(tmp_path / "weights" / "phantom", load_module(trial), name="phantom")
    (tmp_path / "predictions.csv").write_text("a month's work")
    for _ in range(2):
        assert main(["demo", "--output", str(tmp_path)]) == WRONG_USE
        assert the_only_line(capsys).startswith("OUTPUT_IN_USE: ")
    assert (tmp_path / "predictions.csv").read_text() == "a month's work"
    assert not (tmp_path / "study").exists()


def test_infer_holds_the_folder_of_the_details(tmp_path: Path, capsys: Capture) -> None:
    pytest.importorskip("onnxruntime")
    write_without_network(tmp_path / "weights" / "trial")
    options = ["--modules", "trial", "--output", f"{tmp_path}/out", "--details", f"{tmp_path}/d"]
    with folder_lock(tmp_path / "d"):
        assert main(["infer", str(tmp_path), *options]) == WRONG_USE
    assert "OUTPUT_IN_USE: another run of MIMIR is writing to" in capsys.readouterr().err
