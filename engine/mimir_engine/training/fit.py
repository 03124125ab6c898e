"""Fit a network to a data set: the training loop."""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import numpy as np
import torch

from mimir_engine.errors import MimirError
from mimir_engine.files.folder_lock import folder_lock
from mimir_engine.inference_module import InferenceModule
from mimir_engine.inference_module.architecture import build_network
from mimir_engine.training.batches import (
    batch_indices,
    draw_shifts,
    draw_water,
    scale_water,
    shift_images,
)
from mimir_engine.training.checkpoint import (
    Checkpoint,
    has_checkpoint,
    load_checkpoint,
    save_checkpoint,
    unreadable,
)
from mimir_engine.training.dataset import Dataset
from mimir_engine.training.initial_weights import imagenet_weights, module_weights
from mimir_engine.training.loss import gaussian_loss, split_output, target_weights
from mimir_engine.training.predict import network_input
from mimir_engine.training.recipe import Recipe, learning_rate
from mimir_engine.training.run_files import write_run_files
from mimir_engine.training.standardisation import standardisation_of
from mimir_engine.training.training_log import TrainingLog

#: Enough un-shifted images for batch-norm statistics that hardly change from draw to draw.
MAX_SETTLING_IMAGES = 1_024
#: Number of last steps whose duration gives the remaining time, with checkpoints between them.
PACE_STEPS = 20
#: Steps at the beginning of a process that take longer than later ones.
FIRST_STEPS = 2
#: Longest time between checkpoints in seconds, if a step does not take longer.
CHECKPOINT_SECONDS = 60.0
#: Time between checkpoints in durations of saving one, if that is shorter: saving takes 5 %.
CHECKPOINT_PAUSE = 20


@dataclass(frozen=True)
class Progress:
    """A finished step of a run, with the loss of its batch."""

    step: int
    steps: int
    loss: float
    seconds_per_step: Optional[float]

    def remaining_seconds(self, later_runs: int = 0) -> Optional[float]:
        """Estimate the remaining time of this run and of later ones of the same length.

        None after the first steps, which also prepare memory and kernels.
        """
        if self.seconds_per_step is None:
            return None
        return self.seconds_per_step * (self.steps * (1 + later_runs) - self.step)


def fit(
    dataset: Dataset,
    folder: Path,
    recipe: Recipe,
    progress: Optional[Callable[[Progress], None]] = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    device: str = "cpu",
    start: Optional[InferenceModule] = None,
) -> bool:
    """Train a network; write checkpoint.safetensors, log.csv, run.json and studies.csv to a folder.

    When called again, a run that was killed continues from its checkpoint and ends with the same
    weights as one never killed (to the bit on one CPU with the same number of threads); a finished
    one is left unchanged. Ctrl-C or SIGTERM ends it after the current step, with a checkpoint.
    Another checkpoint is written after the first step, and then by time.

    Args:
        dataset: Images and targets.
        folder: Folder of the run.
        recipe: The recipe.
        progress: Called after each step.
        checkpoint_seconds: Longest time between checkpoints, if steps are shorter.
        device: The device.
        start: The module that the recipe starts from, if it does.

    Returns:
        True if the run is finished, False if it was stopped.

    Raises:
        MimirError: ``CHECKPOINT_MISMATCH`` if the folder holds a run of another recipe or data set,
            ``TRAINING_DIVERGED``, ``OUTPUT_IN_USE``, and the errors of `standardisation_of` and
            `load_checkpoint`.
    """
    with folder_lock(folder):
        run = _Run(dataset, recipe, torch.device(device), start)
        if has_checkpoint(folder):
            run.restore(load_checkpoint(folder), folder)
        if not run.finished:
            write_run_files(folder, dataset, recipe, device)
            _train(run, folder, progress, checkpoint_seconds)
        return run.finished


def _train(
    run: _Run,
    folder: Path,
    progress: Optional[Callable[[Progress], None]],
    checkpoint_seconds: float,
) -> None:
    """Do the remaining steps until the last or a request to stop, then save the state."""
    recipe = run.recipe
    log = TrainingLog(folder / "log.csv", run.dataset.target_names, steps_done=run.step)
    ends: deque[float] = deque(maxlen=PACE_STEPS + 1)
    first = run.step + FIRST_STEPS
    next_checkpoint = 0.0  # the first step is saved, so that a run often killed still gets on
    with _stop_requests() as stop_requested:
        while run.step < recipe.steps and not stop_requested():
            started = time.monotonic()
            loss, errors = run.advance()
            done = time.monotonic()
            if run.step >= first:
                ends.append(done)
            rate = learning_rate(recipe, run.step - 1)
            log.write(run.step, rate, loss, errors, done - started)
            if done >= next_checkpoint and run.step < recipe.steps:
                save_checkpoint(folder, run.checkpoint())
                saved = time.monotonic()
                pause = min(checkpoint_seconds, CHECKPOINT_PAUSE * (saved - done))
                next_checkpoint = saved + pause
            if progress is not None:
                pace = (ends[-1] - ends[0]) / (len(ends) - 1) if len(ends) > 1 else None
                progress(Progress(run.step, recipe.steps, loss, pace))
    if run.step == recipe.steps:
        run.finish()
    save_checkpoint(folder, run.checkpoint())


class _Run:
    """Network and optimiser of a run after some steps."""

    def __init__(
        self,
        dataset: Dataset,
        recipe: Recipe,
        device: torch.device,
        start: Optional[InferenceModule] = None,
    ) -> None:
        self.dataset = dataset
        self.recipe = recipe
        self.device = device
        self.step = 0
        self.finished = False
        self.standardisation = standardisation_of(dataset.targets, dataset.target_names)
        self.labels = self.standardisation.apply(dataset.targets).astype(np.float32)
        weights = target_weights(dataset.targets, recipe.batch_size)
        self.weights = torch.from_numpy(weights).to(device)
        network = initial_network(recipe, dataset.target_names, start)
        self.network = network.to(device).to(memory_format=torch.channels_last)
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=recipe.peak_rate)

    def advance(self) -> tuple[float, np.ndarray]:
        """Do one step; return its loss and each target's RMSE in SD, float64 ``(targets,)``."""
        recipe = self.recipe
        rows = batch_indices(len(self.dataset), recipe.batch_size, self.step, recipe.seed)
        shifts = draw_shifts(len(rows), recipe.max_shift, self.step, recipe.seed)
        images = shift_images(self.dataset.read_images(rows), shifts)
        if recipe.water_range > 1:
            factors = draw_water(len(rows), recipe.water_range, self.step, recipe.seed)
            images = scale_water(images, factors)
        target = torch.from_numpy(self.labels[rows]).to(self.device)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(recipe, self.step)
        self.network.train()
        self.optimiser.zero_grad(set_to_none=True)
        reduced = recipe.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=reduced):
            output = self.network(network_input(images, self.device))
        output = output.float()
        loss = gaussian_loss(output, target, self.weights, recipe.loss_beta)
        if not torch.isfinite(loss):
            raise MimirError(
                "TRAINING_DIVERGED",
                f"the loss is {loss.item()} at step {self.step}",
                "Lower the learning rate; the last checkpoint is intact.",
            )
        loss.backward()
        self.optimiser.step()
        self.step += 1
        mean, _ = split_output(output.detach())
        errors = (target - mean).square().nanmean(dim=0).sqrt()
        return loss.item(), errors.double().cpu().numpy()

    def finish(self) -> None:
        """Recompute the batch-norm statistics from un-shifted images, as they occur in use."""
        size, count = self.recipe.batch_size, min(len(self.dataset), MAX_SETTLING_IMAGES)
        chosen = np.linspace(0, len(self.dataset) - 1, count).astype(int)
        norms = [m for m in self.network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # average over all following batches
        self.network.train()
        with torch.no_grad():
            for start in range(0, max(count - size, 0) + 1, size):  # full batches, at least one
                images = self.dataset.read_images(chosen[start : start + size])
                self.network(network_input(images, self.device))
        for norm, momentum in zip(norms, momenta):
            norm.momentum = momentum
        self.finished = True

    def checkpoint(self) -> Checkpoint:
        """Return the state to save."""
        return Checkpoint(
            recipe=self.recipe,
            step=self.step,
            finished=self.finished,
            network=self.network.state_dict(),
            optimiser=self._adam(),
            definitions=self.dataset.definitions,
            standardisation=self.standardisation,
            projection=self.dataset.projection,
            fingerprint=self.dataset.fingerprint,
            provenance=dict(self.dataset.provenance),
        )

    def restore(self, checkpoint: Checkpoint, folder: Path) -> None:
        """Continue from a saved state of the same run."""
        same_data = checkpoint.fingerprint == self.dataset.fingerprint
        if checkpoint.recipe != self.recipe or not same_data:
            what = "recipe" if same_data else "data set"
            raise MimirError(
                "CHECKPOINT_MISMATCH",
                f"{folder.name} holds a run of another {what}",
                "Choose another folder, or repeat the options it was started with.",
            )
        try:
            _fill(self.network.state_dict(), checkpoint.network)
            if checkpoint.step > 0:
                self._prepare_adam()
                _fill(self._adam(), checkpoint.optimiser)
        except ValueError as error:
            raise unreadable(folder, error) from error
        self.step = checkpoint.step
        self.finished = checkpoint.finished

    def _adam(self) -> dict[str, torch.Tensor]:
        """Return the optimiser's tensors by ``<parameter>/<part>``; none before the first step."""
        state = self.optimiser.state
        return {
            f"{name}/{part}": tensor
            for name, parameter in self.network.named_parameters()
            for part, tensor in state.get(parameter, {}).items()
        }

    def _prepare_adam(self) -> None:
        """Make the tensors that the optimiser makes at its first step, in the same layout."""
        for parameter in self.network.parameters():
            self.optimiser.state[parameter] = {
                "step": torch.tensor(0.0),
                "exp_avg": torch.zeros_like(parameter, requires_grad=False),
                "exp_avg_sq": torch.zeros_like(parameter, requires_grad=False),
            }


def _fill(own: dict[str, torch.Tensor], saved: dict[str, torch.Tensor]) -> None:
    """Copy saved tensors into those of a run, which keep layout and device.

    Raises:
        ValueError: Names, shapes or types differ.
    """
    for name in own.keys() | saved.keys():
        one, other = own.get(name), saved.get(name)
        if one is None or other is None or (one.shape, one.dtype) != (other.shape, other.dtype):
            raise ValueError(f"{name[:40]!r} is missing or of another form")
    for name, tensor in own.items():
        tensor.copy_(saved[name])


def initial_network(
    recipe: Recipe, targets: Sequence[str], start: Optional[InferenceModule] = None
) -> torch.nn.Module:
    """Build the network before the first step, the same for the same seed.

    Args:
        recipe: The recipe.
        targets: Names of the targets.
        start: The module that the recipe starts from, if it does.

    Raises:
        MimirError: ``IMAGENET_UNAVAILABLE``, ``START_MISMATCH``.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        network = build_network(recipe.architecture, len(targets))
    if recipe.start == "imagenet":
        network.load_state_dict(imagenet_weights(recipe.architecture), strict=False)
    if recipe.start == "module":
        network.load_state_dict(module_weights(recipe, targets, start), strict=False)
    return network


@contextmanager
def _stop_requests() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C and SIGTERM into a flag that is read between steps.

    Only the main thread can catch signals; in other threads the flag stays unset.
    """
    requested = threading.Event()
    with ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            for kind in (signal.SIGINT, signal.SIGTERM):
                before = signal.signal(kind, lambda *_: requested.set())
                stack.callback(signal.signal, kind, before)
        yield requested.is_set
