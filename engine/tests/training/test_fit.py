"""Test the training loop and its parts on a small network."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import small_training  # noqa: E402
from image_folder_builder import write_image_folder  # noqa: E402
from one_thread import one_thread  # noqa: E402
from small_training import SMALL, small_dataset, small_network  # noqa: E402

from mimir_engine.cohort.images.image_folder import StudyId  # noqa: E402
from mimir_engine.errors import MimirError  # noqa: E402
from mimir_engine.training import fit as fitting  # noqa: E402
from mimir_engine.training.batches import (  # noqa: E402
    batch_indices,
    draw_shifts,
    shift_images,
)
from mimir_engine.training.checkpoint import load_checkpoint  # noqa: E402
from mimir_engine.training.dataset import (  # noqa: E402
    Dataset,
    load_dataset,
)
from mimir_engine.training.fit import fit  # noqa: E402
from mimir_engine.training.loss import gaussian_loss, target_weights  # noqa: E402
from mimir_engine.training.recipe import (  # noqa: E402
    FROM_SCRATCH,
    PUBLISHED,
    Recipe,
    learning_rate,
)
from mimir_engine.training.standardisation import standardisation_of  # noqa: E402
from mimir_engine.training.training_log import TrainingLog  # noqa: E402


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Replace ResNet50, whose steps would take minutes here."""
    monkeypatch.setattr(fitting, "build_network", small_network)
    with one_thread():  # so small a network only waits for a second thread
        yield


@pytest.fixture
def data() -> Dataset:
    return small_dataset()


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(folder).network


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def log_of(folder: Path) -> list[list[str]]:
    """Read the log without its last column, the duration; empty if it does not exist yet."""
    if not (folder / "log.csv").exists():
        return []
    with (folder / "log.csv").open(newline="", encoding="utf-8") as file:
        return [row[:-1] for row in csv.reader(file)]


class Killed(Exception):
    """Stands for a kill: the run ends at once."""


def kill_at(step: int) -> Callable[[fitting.Progress], None]:
    def progress(done: fitting.Progress) -> None:
        if done.step == step:
            raise Killed

    return progress


@pytest.mark.usefixtures("small")
def test_a_killed_run_resumes_to_the_same_weights_and_log(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "CHECKPOINT_PAUSE", 1e9)  # however fast the disk is
    fit(data, tmp_path / "whole", SMALL)
    for step, seconds in ((2, 3600.0), (5, 0.0), (10, 3600.0)):
        with pytest.raises(Killed):
            fit(data, tmp_path / "killed", SMALL, kill_at(step), checkpoint_seconds=seconds)
    assert load_checkpoint(tmp_path / "killed").step == 6
    assert fit(data, tmp_path / "killed", SMALL)
    assert load_checkpoint(tmp_path / "killed").step == 12
    assert same(weights_of(tmp_path / "whole"), weights_of(tmp_path / "killed"))
    assert log_of(tmp_path / "whole") == log_of(tmp_path / "killed")
    assert [row[0] for row in log_of(tmp_path / "killed")[1:]] == [str(n) for n in range(1, 13)]


@pytest.mark.usefixtures("small")
def test_a_run_that_is_killed_after_each_step_still_gets_on(data: Dataset, tmp_path: Path) -> None:
    def kill(done: fitting.Progress) -> None:
        raise Killed

    for _ in range(SMALL.steps):
        with pytest.raises(Killed):
            fit(data, tmp_path, SMALL, kill)
    assert load_checkpoint(tmp_path).step == SMALL.steps - 1


@pytest.mark.usefixtures("small")
def test_two_runs_do_not_share_a_folder(data: Dataset, tmp_path: Path) -> None:
    def begin_another(done: fitting.Progress) -> None:
        with pytest.raises(MimirError, match="OUTPUT_IN_USE"):
            fit(data, tmp_path, SMALL)

    assert fit(data, tmp_path, SMALL, begin_another)
    assert [row[0] for row in log_of(tmp_path)[1:]] == [str(n) for n in range(1, 13)]


def test_a_log_that_cannot_be_written_is_an_error_of_one_line(tmp_path: Path) -> None:
    log = TrainingLog(tmp_path / "log.csv", ["liver"], steps_done=0)
    (tmp_path / "log.csv").unlink()
    (tmp_path / "log.csv").mkdir()
    with pytest.raises(MimirError, match="OUTPUT_UNWRITABLE"):
        log.write(1, 0.1, 0.5, np.array([0.1]), 1.0)
    with pytest.raises(MimirError, match="OUTPUT_UNWRITABLE"):
        TrainingLog(tmp_path / "log.csv", ["liver"], steps_done=1)


def test_a_resumed_log_keeps_its_rows_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    log = TrainingLog(path, ["=liver"], steps_done=0)
    for step in (1, 2, 3):
        log.write(step, 1e-3, -0.5 * step, np.array([0.25]), 1.0)
    lines = path.read_text().splitlines()
    TrainingLog(path, ["=liver"], steps_done=2)
    assert path.read_text().splitlines() == lines[:3]
    assert lines[0] == "step,learning_rate,loss,rmse_=liver,seconds"
    assert lines[2] == "2,1.000e-03,-1.00000,0.2500,1.000"


@pytest.mark.slow
def test_a_process_killed_at_random_moments_ends_with_the_weights_of_one_never_killed(
    tmp_path: Path,
) -> None:
    steps = 90
    program = [sys.executable, str(Path(small_training.__file__)), "", str(steps)]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run([*program[:2], str(whole), *program[3:]], check=True, timeout=120)
    moments, kills = random.Random(0), []
    for part in range(3):  # somewhere in each of the first quarters, in a step or in a checkpoint
        process = subprocess.Popen([*program[:2], str(killed), *program[3:]])
        reached = (part + moments.random()) * steps / 4
        while process.poll() is None and len(log_of(killed)) <= reached:
            time.sleep(0.001)
        time.sleep(0.01 * moments.random())
        process.kill()  # SIGKILL
        kills.append(process.wait(timeout=60))
    assert kills == [-signal.SIGKILL] * 3
    assert not (killed / "checkpoint.safetensors").exists() or not load_checkpoint(killed).finished
    subprocess.run([*program[:2], str(killed), *program[3:]], check=True, timeout=120)
    assert same(weights_of(whole), weights_of(killed))
    assert log_of(whole) == log_of(killed)
    assert len(log_of(whole)) == steps + 1


@pytest.mark.usefixtures("small")
def test_a_finished_run_is_left_unchanged(data: Dataset, tmp_path: Path) -> None:
    fit(data, tmp_path / "run", SMALL)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").iterdir()}
    assert fit(data, tmp_path / "run", SMALL)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run").iterdir()} == before


@pytest.mark.usefixtures("small")
def test_run_json_describes_what_a_run_depends_on(data: Dataset, tmp_path: Path) -> None:
    fit(data, tmp_path / "run", SMALL)
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["data"]["fingerprint"] == data.fingerprint
    assert [target["labels"] for target in record["data"]["targets"]] == [22, 17]
    assert (record["data"]["studies"], record["data"]["persons"]) == (22, 20)
    assert record["torch"] == torch.__version__
    assert record["recipe"]["seed"] == SMALL.seed
    used = (tmp_path / "run" / "studies.csv").read_text().splitlines()[1:]
    assert used == [f"{study.name},{study.person},used" for study in data.studies]


@pytest.mark.usefixtures("small")
def test_the_remaining_time_is_that_of_later_steps_with_their_checkpoints(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, advance = [0.0], fitting._Run.advance

    def slow_at_first(run: fitting._Run) -> tuple[float, np.ndarray]:
        clock[0] += 500.0 if run.step == 0 else 2.0
        return advance(run)

    def save(*_: object) -> None:
        clock[0] += 1.0

    monkeypatch.setattr(fitting, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(fitting._Run, "advance", slow_at_first)
    monkeypatch.setattr(fitting, "save_checkpoint", save)
    told: list[fitting.Progress] = []
    fit(data, tmp_path / "run", replace(SMALL, steps=6), told.append, checkpoint_seconds=0.0)
    assert [step.remaining_seconds() for step in told] == [None, None, 9.0, 6.0, 3.0, 0.0]
    assert told[3].remaining_seconds(later_runs=1) == 24.0


@pytest.mark.usefixtures("small")
def test_control_c_leaves_a_checkpoint_of_the_last_finished_step(
    data: Dataset, tmp_path: Path
) -> None:
    def interrupt(done: fitting.Progress) -> None:
        if done.step == 4:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    assert not fit(data, tmp_path / "run", SMALL, interrupt)
    assert load_checkpoint(tmp_path / "run").step == 4
    assert signal.getsignal(signal.SIGINT) is before
    assert fit(data, tmp_path / "run", SMALL)


@pytest.mark.usefixtures("small")
def test_another_seed_gives_other_weights_and_the_same_seed_the_same(
    data: Dataset, tmp_path: Path
) -> None:
    fit(data, tmp_path / "one", SMALL)
    fit(data, tmp_path / "two", SMALL)
    fit(data, tmp_path / "other", replace(SMALL, seed=1))
    assert same(weights_of(tmp_path / "one"), weights_of(tmp_path / "two"))
    assert not same(weights_of(tmp_path / "one"), weights_of(tmp_path / "other"))


@pytest.mark.usefixtures("small")
def test_a_network_learns_its_targets(data: Dataset, tmp_path: Path) -> None:
    recipe = replace(SMALL, steps=120, batch_size=11, peak_rate=3e-2)
    fit(data, tmp_path / "run", recipe)
    last = np.array([row[3:] for row in log_of(tmp_path / "run")[-20:]], dtype=float)
    assert last.mean(axis=0).max() < 0.4  # standard deviations; knowing nothing gives 1


@pytest.mark.usefixtures("small")
def test_a_network_learns_as_well_in_bfloat16(data: Dataset, tmp_path: Path) -> None:
    recipe = replace(SMALL, steps=120, batch_size=11, peak_rate=3e-2)
    fit(data, tmp_path / "full", recipe)
    fit(data, tmp_path / "reduced", replace(recipe, precision="bfloat16"))
    last = np.array([row[3:] for row in log_of(tmp_path / "reduced")[-20:]], dtype=float)
    assert last.mean(axis=0).max() < 0.4  # as in float32
    full, reduced = weights_of(tmp_path / "full"), weights_of(tmp_path / "reduced")
    assert not same(full, reduced)
    assert {name: w.dtype for name, w in reduced.items()} == {n: w.dtype for n, w in full.items()}


@pytest.mark.usefixtures("small")
def test_a_run_of_another_recipe_or_data_set_is_refused(data: Dataset, tmp_path: Path) -> None:
    fit(data, tmp_path / "run", SMALL)
    with pytest.raises(MimirError, match=r"CHECKPOINT_MISMATCH.*recipe"):
        fit(data, tmp_path / "run", replace(SMALL, seed=9))
    other = replace(data, targets=data.targets + 1)
    with pytest.raises(MimirError, match=r"CHECKPOINT_MISMATCH.*data set"):
        fit(other, tmp_path / "run", SMALL)


@pytest.mark.usefixtures("small")
def test_a_diverging_run_is_reported(data: Dataset, tmp_path: Path) -> None:
    wild = replace(SMALL, peak_rate=1e30)
    with pytest.raises(MimirError, match="TRAINING_DIVERGED"):
        fit(data, tmp_path / "run", wild)


@pytest.mark.usefixtures("small")
def test_a_run_of_an_earlier_version_is_refused_with_a_way_to_go_on(
    data: Dataset, tmp_path: Path
) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"of an earlier version")
    with pytest.raises(
        MimirError, match=r"CHECKPOINT_UNREADABLE: MIMIR 0\.6\.0 or earlier"
    ) as caught:
        fit(data, tmp_path, SMALL)
    assert "Finish and package the run with MIMIR 0.6.0" in str(caught.value)


def test_each_study_comes_once_per_epoch_in_a_new_order() -> None:
    order = np.concatenate([batch_indices(10, 4, step, seed=5) for step in range(5)])
    first, second = order[:10], order[10:]
    assert sorted(first) == sorted(second) == list(range(10))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first[:4], batch_indices(10, 4, 0, seed=6))


def test_a_shift_moves_all_channels_and_repeats_the_edge() -> None:
    image = np.arange(2 * 4 * 5, dtype=np.uint8).reshape(1, 2, 4, 5)
    moved = shift_images(image, np.array([[1, -2]]))
    for channel in range(2):
        padded = np.pad(image[0, channel], 2, mode="edge")
        assert np.array_equal(moved[0, channel], padded[1:5, 4:9])


def test_shifts_reach_both_limits_and_depend_on_seed_and_step_alone() -> None:
    shifts = draw_shifts(4000, 16, step=7, seed=1)
    assert (shifts.min(), shifts.max()) == (-16, 16)
    assert abs(shifts.mean()) < 0.5
    assert np.array_equal(shifts, draw_shifts(4000, 16, step=7, seed=1))
    assert not np.array_equal(shifts, draw_shifts(4000, 16, step=8, seed=1))


def test_the_loss_is_the_published_one_where_all_labels_are_known() -> None:
    rng = np.random.default_rng(0)
    output = rng.normal(size=(6, 8))
    labels = rng.normal(size=(6, 4))
    mean, log_variance = output[:, 0::2], output[:, 1::2]
    expected = (np.exp(-log_variance) * (labels - mean) ** 2 + log_variance).mean()
    weights = target_weights(labels, batch_size=6)
    loss = gaussian_loss(torch.tensor(output), torch.tensor(labels), torch.tensor(weights))
    assert float(loss) == pytest.approx(expected, abs=1e-5)


def test_a_missing_label_gives_no_gradient() -> None:
    output = torch.zeros(2, 4, requires_grad=True)
    labels = torch.tensor([[1.0, float("nan")], [float("nan"), 2.0]])
    gaussian_loss(output, labels, torch.ones(2)).backward()
    assert output.grad is not None
    assert torch.isfinite(output.grad).all()
    assert torch.equal(output.grad[0, 2:], torch.zeros(2))
    assert torch.equal(output.grad[1, :2], torch.zeros(2))
    assert torch.equal(output.grad[[0, 1], [0, 2]] < 0, torch.tensor([True, True]))


def test_a_rare_target_has_as_much_weight_as_a_common_one() -> None:
    labels = np.ones((400, 2))
    labels[100:, 1] = np.nan
    weights = torch.tensor(target_weights(labels, batch_size=32))
    output = torch.zeros(400, 4, requires_grad=True)
    gaussian_loss(output, torch.tensor(labels), weights).backward()
    assert output.grad is not None
    pull = output.grad[:, 0::2].sum(dim=0)
    assert float(pull[1]) == pytest.approx(float(pull[0]))
    assert target_weights(np.full((100, 1), np.nan), batch_size=32) == 32


def test_beta_keeps_a_well_known_target_from_drowning_the_others() -> None:
    labels = torch.tensor([[0.01, 1.0]])
    known_and_unknown = torch.tensor([[0.0, -9.2, 0.0, 0.0]])

    def pull(beta: float) -> float:
        output = known_and_unknown.clone().requires_grad_()
        gaussian_loss(output, labels, torch.ones(2), beta).backward()
        assert output.grad is not None
        return float(output.grad[0, 0] / output.grad[0, 2])

    assert pull(0.0) == pytest.approx(99, rel=0.02)
    assert pull(0.5) == pytest.approx(1, rel=0.02)


def test_the_loss_of_an_extreme_log_variance_is_finite() -> None:
    output = torch.tensor([[0.0, -1e4, 0.0, 1e4]])
    assert torch.isfinite(gaussian_loss(output, torch.ones(1, 2), torch.ones(2)))


def test_labels_are_standardised_by_the_known_ones() -> None:
    targets = np.array([[1.0, 5.0], [3.0, np.nan], [8.0, 9.0]])
    scale = standardisation_of(targets, ["a", "b"])
    assert scale.mean == pytest.approx([4.0, 7.0])
    assert scale.sd == pytest.approx([np.std([1, 3, 8], ddof=1), np.std([5, 9], ddof=1)])
    assert np.isnan(scale.apply(targets)[1, 1])
    with pytest.raises(MimirError, match="TARGET_WITHOUT_SPREAD: b"):
        standardisation_of(np.array([[1.0, 5.0], [2.0, 5.0]]), ["a", "b"])
    rounded = 0.1 * (1 + 2e-16 * np.arange(5))
    with pytest.raises(MimirError, match="TARGET_WITHOUT_SPREAD: b"):
        standardisation_of(np.stack([np.arange(5.0), rounded], axis=1), ["a", "b"])


def test_the_published_recipe_is_the_default() -> None:
    assert Recipe() == PUBLISHED
    rates = [learning_rate(PUBLISHED, step) for step in (0, 7_999, 8_000, 9_999)]
    assert rates == pytest.approx([5e-5, 5e-5, 5e-6, 5e-6])


def test_one_cycle_rises_once_and_ends_near_zero() -> None:
    rates = [learning_rate(FROM_SCRATCH, step) for step in range(FROM_SCRATCH.steps)]
    peak = int(np.argmax(rates))
    assert rates[peak] == pytest.approx(1e-3)
    assert np.all(np.diff(rates[: peak + 1]) > 0)
    assert np.all(np.diff(rates[peak:]) < 0)
    assert rates[-1] < 5e-6


@pytest.mark.parametrize("setting", [{"schedule": "two-cycle"}, {"precision": "float8"}])
def test_a_recipe_with_an_unknown_setting_is_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(MimirError, match="RECIPE_INVALID"):
        Recipe(**setting)


def test_a_folder_without_a_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MimirError, match="DATASET_UNREADABLE"):
        load_dataset(tmp_path)
    with pytest.raises(MimirError, match="DATASET_INVALID"):
        Dataset(np.zeros((2, 3, 4, 4), np.uint8), np.zeros((3, 1)), (StudyId("a"), StudyId("b")))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("dataset.json", b"[" * 100_000),
        ("dataset.json", b"[]"),
        ("studies.csv", b"row,name,eid,instance\n99999999999999999999999,a,,\n"),
        ("studies.csv", b"\xff\xfe"),
        ("images.npy", b"PK\x05\x06" + bytes(18)),
        ("images.npy", b"\x93NUMPY\x01\x00\x10\x27" + b"-" * 9999 + b"1"),
        ("targets.npy", b""),
    ],
)
def test_a_damaged_data_set_is_refused(
    data: Dataset, tmp_path: Path, name: str, content: bytes
) -> None:
    write_image_folder(tmp_path, data)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MimirError, match="DATASET_UNREADABLE"):
        load_dataset(tmp_path)


@pytest.mark.parametrize("row", ["-1", "0"])
def test_two_studies_never_share_an_image(data: Dataset, tmp_path: Path, row: str) -> None:
    write_image_folder(tmp_path, data)
    lines = (tmp_path / "studies.csv").read_text().splitlines()
    lines[-1] = ",".join([row, *lines[-1].split(",")[1:]])
    (tmp_path / "studies.csv").write_text("\n".join(lines))
    with pytest.raises(MimirError, match=r"DATASET_INVALID: the rows in studies\.csv"):
        load_dataset(tmp_path)
