from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from cohort_builder import run_infer, write_studies, write_trial_module, write_variant
from random_modules import TARGETS

from mimir_engine.cli import DONE, WRONG_USE, main
from mimir_engine.cohort import measure_studies as infer_file
from mimir_engine.cohort.measure_studies import MAX_BATCH
from mimir_engine.cohort.outcomes import LEDGER_FILE
from mimir_engine.errors import MimirError
from mimir_engine.inference_module import InferenceModule, load_module
from mimir_engine.inference_module.acceptance import UK_BIOBANK
from mimir_engine.measuring.network import Predictor
from mimir_engine.measuring.one_study import prepare
from mimir_engine.readers.reader_limits import ReaderLimits

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and pipes")


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> InferenceModule:
    """A module that accepts the small studies."""
    return write_trial_module(tmp_path_factory.mktemp("modules") / "trial")


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three different studies; not to be changed."""
    names = [f"100000{n}_20201_2_0" for n in range(3)]
    return write_studies(tmp_path_factory.mktemp("archives"), names)


def test_each_study_is_done_or_failed_and_every_step_is_an_event(
    trial: InferenceModule, archives: list[Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"no zip")
    run = run_infer([broken, *archives, tmp_path / "gone.zip"], [trial], tmp_path / "out")
    done = {path.stem for path in archives}
    assert run.values.keys() == done
    assert run.failed == {"broken": "NOT_A_ZIP", "gone": "SOURCE_MISSING"}
    assert run.cohort.done == 3
    assert len(set(run.values.values())) == 3, "the studies differ, so their values do"
    first, *studies = run.events
    assert first == {
        "event": "run", "studies": 5, "already_done": 0, "modules": ["trial"],
        "runtime": "onnx", "device": "cpu",
    }  # fmt: skip
    steps = [(event["name"], event["step"]) for event in studies if event["event"] == "step"]
    assert sorted(steps) == sorted(
        [(name, "read") for name in (*done, "broken", "gone")] + [(n, "predict") for n in done]
    )
    studies = [event for event in studies if event["event"] == "study"]
    assert {event["name"] for event in studies if event["state"] == "done"} == done
    assert [event["done"] for event in studies] == [1, 2, 3, 4, 5]
    assert studies[-1]["seconds_left"] == 0
    assert run.studies["broken"]["reason"].endswith("Download it again.")
    results = {result.name: result for result in run.cohort.results}
    assert (results[archives[0].stem].eid, results[archives[0].stem].instance) == ("1000000", "2")
    assert run.cohort.run["modules"][0]["name"] == "trial"


def test_a_withdrawn_participant_is_not_measured_and_leaves_earlier_results(
    trial: InferenceModule, archives: list[Path], tmp_path: Path
) -> None:
    command = ["infer", "--modules", str(trial.folder), "--output", str(tmp_path / "out")]
    command += ["--device", "cpu", *map(str, archives)]
    assert main(command) == DONE
    (tmp_path / "gone.csv").write_text("eid;date\n1000001;2026-01-05\n")
    assert main([*command, "--exclude", str(tmp_path / "gone.csv")]) == DONE
    table = (tmp_path / "out" / "predictions.csv").read_text()
    assert [line[:7] for line in table.splitlines()[1:]] == ["1000000", "1000002"]
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["ids"]["exclude"] == {"ids": 1, "matched": 1, "studies_left_out": 1}
    (tmp_path / "gone.csv").write_text("1000009\n")
    assert main([*command, "--exclude", str(tmp_path / "gone.csv")]) == WRONG_USE


def test_a_run_is_not_finished_by_another_runtime(
    trial: InferenceModule, archives: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    command = ["infer", "--modules", str(trial.folder), "--output", str(tmp_path / "out")]
    assert main([*command, "--runtime", "torch", "--device", "cpu", str(archives[0])]) == DONE
    capsys.readouterr()
    assert main([*command, "--device", "cpu", *map(str, archives)]) == WRONG_USE
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert line.startswith("OUTPUT_IN_USE: ")
    assert "To continue it, use --runtime torch --device cpu." in line
    finished = [*command, "--runtime", "torch", "--device", "cpu", *map(str, archives)]
    assert main(finished) == DONE
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["runtime"] == "torch"
    assert run["torch"]
    assert "onnxruntime" not in run


def test_values_do_not_depend_on_the_other_studies_of_the_batch(
    trial: InferenceModule, archives: list[Path], tmp_path: Path
) -> None:
    together = run_infer(archives, [trial], tmp_path / "together").values
    alone = run_infer(archives[1:2], [trial], tmp_path / "alone").values
    image = prepare(archives[1]).projection.image
    prediction = Predictor(trial, "cpu").predict(image[None])
    name = archives[1].stem
    assert together[name] == alone[name]
    assert together[name][0::4] == tuple(prediction.mean[0].tolist())


def test_a_second_run_does_only_failed_or_changed_studies(
    trial: InferenceModule, archives: list[Path], tmp_path: Path
) -> None:
    a, b, c = (Path(shutil.copy(path, tmp_path / f"{n}.zip")) for n, path in zip("abc", archives))
    content = c.read_bytes()
    c.write_bytes(content[: len(content) // 2])
    first = run_infer([a, b, c], [trial], tmp_path / "out")
    assert first.failed == {"c": "NOT_A_ZIP"}
    shutil.copy(archives[2], b)
    c.write_bytes(content)
    second = run_infer([a, b, c], [trial], tmp_path / "out")
    assert second.events[0]["already_done"] == 1
    assert second.studies.keys() == {"b", "c"}
    assert second.failed == {}
    assert second.values["a"] == first.values["a"]
    assert second.values["b"] == second.values["c"] != first.values["b"]


def test_another_level_needs_no_network(
    trial: InferenceModule, archives: list[Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(trial.folder, tmp_path / "trial"))
    first = run_infer(archives[:1], [load_module(folder)], tmp_path / "out")
    (folder / "weights.safetensors").unlink()
    second = run_infer(archives[:1], [load_module(folder)], tmp_path / "out", level=0.9)
    ((value, sd, lower, _, *_),) = first.values.values()
    ((value_90, sd_90, lower_90, _, *_),) = second.values.values()
    assert (value_90, sd_90) == (value, sd)
    assert value - lower == pytest.approx(1.959964 * sd)
    assert value - lower_90 == pytest.approx(1.644854 * sd)
    assert second.cohort.run["level"] == 0.9


def test_a_moved_study_is_known_and_another_one_of_its_name_is_refused(
    trial: InferenceModule, archives: list[Path], tmp_path: Path
) -> None:
    for folder, archive in zip(("p1", "p2"), archives):
        (tmp_path / folder).mkdir()
        shutil.copy(archive, tmp_path / folder / "scan.zip")
    first = run_infer([tmp_path / "p1" / "scan.zip"], [trial], tmp_path / "out")
    with pytest.raises(
        MimirError, match="NAME_TAKEN: the folder holds another study called 'scan'"
    ):
        run_infer([tmp_path / "p2" / "scan.zip"], [trial], tmp_path / "out")
    (tmp_path / "p1").rename(tmp_path / "p3")
    again = run_infer([tmp_path / "p3" / "scan.zip"], [trial], tmp_path / "out")
    assert again.events[0]["already_done"] == 1
    assert again.values == first.values


def test_results_of_earlier_runs_stay(
    trial: InferenceModule, archives: list[Path], tmp_path: Path
) -> None:
    run_infer(archives[:1], [trial], tmp_path / "out")
    assert len(run_infer(archives[1:2], [trial], tmp_path / "out").values) == 2
    alone = run_infer(archives[1:2], [trial], tmp_path / "out", overwrite=True)
    assert alone.values.keys() == {archives[1].stem}


def test_a_run_of_an_older_version_is_refused_with_a_remedy(
    trial: InferenceModule, archives: list[Path], tmp_path: Path
) -> None:
    ledger = tmp_path / "out" / LEDGER_FILE
    run_infer([tmp_path / "gone.zip"], [trial], tmp_path / "out")
    run, _, _, entry = ledger.read_text("ascii").splitlines()
    newer = ("ledger_format", "crc32")
    older = {key: value for key, value in json.loads(run).items() if key not in newer}
    ledger.write_text(f"{json.dumps(older)}\n{entry}\n", "ascii")
    with pytest.raises(
        MimirError, match=r"OUTPUT_IN_USE: .* \(different ledger_format\)\. .*overwrite"
    ):
        run_infer(archives[:1], [trial], tmp_path / "out")


def test_a_changed_digit_in_the_ledger_never_becomes_another_number(
    trial: InferenceModule, archives: list[Path], tmp_path: Path
) -> None:
    ledger = tmp_path / "out" / LEDGER_FILE
    values = run_infer(archives[:2], [trial], tmp_path / "out").values
    value = repr(values[archives[0].stem][0]).encode()
    changed = value[:-1] + (b"1" if value[-1:] != b"1" else b"2")
    ledger.write_bytes(ledger.read_bytes().replace(value, changed, 1))
    second = run_infer(archives[:2], [trial], tmp_path / "out")
    assert second.events[0] == {"event": "ledger_damaged", "lines": 1}
    assert second.studies.keys() == {archives[0].stem}
    assert second.values == values
    third = run_infer(archives[:2], [trial], tmp_path / "out")
    assert third.events[0]["event"] == "run"


def test_another_module_cannot_resume_a_run(
    trial: InferenceModule, archives: list[Path], tmp_path: Path
) -> None:
    run_infer([tmp_path / "gone.zip"], [trial], tmp_path / "out")
    other = write_variant(tmp_path / "other", trial, version="1.1")
    with pytest.raises(MimirError, match=r"OUTPUT_IN_USE: .* \(different modules\)"):
        run_infer(archives, [other], tmp_path / "out")


def test_studies_outside_validation_fail_unless_allowed_and_then_are_flagged(
    tmp_path: Path, archives: list[Path], trial: InferenceModule
) -> None:
    narrow = write_variant(tmp_path / "narrow", trial, accepts=UK_BIOBANK)
    name, output = archives[0].stem, tmp_path / "out"
    refused = run_infer(archives[:1], [narrow], output)
    assert refused.failed == {name: "OUTSIDE_VALIDATION"}
    assert "3 stations, not 6" in refused.studies[name]["reason"]
    allowed = run_infer(archives[:1], [narrow], output, allow_unvalidated=True)
    (result,) = allowed.cohort.results
    assert all("OUTSIDE_VALIDATION" in m.flags for m in result.measurements)
    assert "OUTSIDE_VALIDATION" in result.flags
    assert run_infer(archives[:1], [narrow], output).failed == refused.failed


def test_an_internal_error_fails_one_study_and_reveals_nothing_of_the_patient(
    trial: InferenceModule, archives: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(infer_file, "FUNCTIONS", "fragile_reader")
    faulty = Path(shutil.copy(archives[0], tmp_path / "fault-a.zip"))
    run = run_infer([faulty, *archives[1:]], [trial], tmp_path / "out")
    assert run.failed == {"fault-a": "INTERNAL_ERROR"}
    assert run.values.keys() == {path.stem for path in archives[1:]}
    reason = run.studies["fault-a"]["reason"]
    assert reason.startswith("MIMIR failed (ValueError at reader.py:")
    assert "Nobody" not in reason


@posix
def test_studies_that_end_their_readers_leave_all_others_as_they_are(
    trial: InferenceModule, archives: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = run_infer(archives, [trial], tmp_path / "undisturbed").values
    monkeypatch.setattr(infer_file, "FUNCTIONS", "fragile_reader")
    names = ("crash-a", "memory-b", "hang-c", "changing-d")
    bad = [Path(shutil.copy(archives[0], tmp_path / f"{name}.zip")) for name in names]
    limits = ReaderLimits(timeout_s=8.0)
    run = run_infer([*bad[:2], *archives, *bad[2:]], [trial], tmp_path / "out", limits=limits)
    assert run.failed == {
        "crash-a": "STUDY_CRASHED",
        "memory-b": "OUT_OF_MEMORY",
        "hang-c": "STUDY_TIMEOUT",
        "changing-d": "SOURCE_CHANGED",
    }
    assert run.values == undisturbed
    again = run_infer([*bad, *archives], [trial], tmp_path / "out", limits=limits)
    assert again.studies.keys() == {"changing-d"}, "only what may have been repaired is read again"


def test_a_study_without_a_finite_prediction_does_not_affect_the_others_of_its_batch(
    trial: InferenceModule, archives: list[Path], tmp_path: Path
) -> None:
    _, height, _ = trial.targets
    images = np.stack([prepare(path).projection.image for path in archives])
    z_scores = (Predictor(trial, "cpu").predict(images).mean[:, 1] - height.mean) / height.sd
    *_, second, first = sorted(abs(z_scores))
    # With these scales the largest value does not fit into a float, but the others do.
    limit = sys.float_info.max / (1000 * (first + second) / 2)
    wild = replace(height, mean=0, mean_slope=1000, sd=limit, divisor=1e300)
    module = write_variant(tmp_path / "wild", trial, targets=(trial.targets[0], wild, TARGETS[2]))
    with np.errstate(over="ignore"):
        run = run_infer(archives, [module], tmp_path / "out")
    assert run.failed == {archives[abs(z_scores).argmax()].stem: "PREDICTION_NOT_FINITE"}
    assert len(run.values) == 2


def test_modules_of_one_name_keep_their_own_numbers(
    trial: InferenceModule, archives: list[Path], tmp_path: Path
) -> None:
    liver, *others = TARGETS
    shifted = (replace(liver, mean=liver.mean + 10_000), *others)
    twin = write_variant(tmp_path / "trial", trial, targets=shifted)
    prefixed = replace(load_module(twin.folder), column_prefix="b_")
    both = run_infer(archives[:1], [trial, prefixed], tmp_path / "both").values
    (numbers,) = both.values()
    (alone,) = run_infer(archives[:1], [trial], tmp_path / "alone").values.values()
    assert numbers[: len(alone)] == alone
    assert numbers[len(alone)] == pytest.approx(numbers[0] + 10)


def test_conflicting_or_unsuitable_modules_are_refused_before_any_study_is_read(
    trial: InferenceModule, tmp_path: Path
) -> None:
    elsewhere = write_variant(tmp_path / "elsewhere", trial, projection="another-one")
    for modules, code in (
        ([trial, trial], "COLUMN_CONFLICT"),
        ([elsewhere], "PROJECTION_MISMATCH"),
    ):
        with pytest.raises(MimirError, match=code):
            run_infer([tmp_path / "gone.zip"], modules, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def heed_control_c() -> None:
    """Handle Ctrl-C, which a shell lets jobs in the background ignore, tests among them."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def run_in_the_middle(
    module: InferenceModule, folder: Path, archives: list[Path]
) -> Iterator[tuple[subprocess.Popen[bytes], list[Path]]]:
    """A real run on two batches of studies that has done the first of them."""
    folder.mkdir()
    paths = [folder / f"{number:02d}.zip" for number in range(2 * MAX_BATCH)]
    for number, path in enumerate(paths):
        shutil.copy(archives[number % 3], path)
    command = [sys.executable, "-m", "mimir_engine", "infer", str(folder), "--events"]
    command += ["--modules", str(module.folder), "--output", str(folder / "out"), "--device", "cpu"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=heed_control_c,
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if json.loads(line)["event"] == "study":
                    break
            yield process, paths
        finally:
            process.kill()


@posix
def test_a_killed_run_is_resumed_and_gives_the_numbers_of_an_undisturbed_one(
    trial: InferenceModule, archives: list[Path], tmp_path: Path
) -> None:
    output = tmp_path / "cohort" / "out"
    with run_in_the_middle(trial, tmp_path / "cohort", archives) as (process, paths):
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(MimirError, match="OUTPUT_IN_USE: another run of MIMIR is writing"):
            run_infer(paths[:1], [trial], output)
        process.kill()
        process.wait()
    lines = (output / LEDGER_FILE).read_bytes().split(b"\n")
    done = sum(b'"measurements"' in line for line in lines)
    assert 1 <= done < len(paths)
    resumed = run_infer(paths, [trial], output)
    assert resumed.events[0]["already_done"] == done
    undisturbed = run_infer(paths, [trial], tmp_path / "undisturbed")
    assert resumed.values == undisturbed.values
    assert len(resumed.values) == len(paths)


@posix
def test_control_c_ends_a_run_in_one_line_with_a_complete_ledger(
    trial: InferenceModule, archives: list[Path], tmp_path: Path
) -> None:
    with run_in_the_middle(trial, tmp_path / "cohort", archives) as (process, paths):
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
        assert process.stderr is not None
        lines = process.stderr.read().decode().splitlines()
    assert lines == ["CANCELLED: stopped before the end. Run the same command again to continue."]
    ledger = tmp_path / "cohort" / "out" / LEDGER_FILE
    entries = [json.loads(line) for line in ledger.read_text("ascii").splitlines()]
    done = [entry for entry in entries[1:] if "files" in entry]
    assert 1 <= len(done) < len(paths)
    assert all("measurements" in entry["body"] for entry in done)
    assert not (ledger.parent / "predictions.csv").exists()
