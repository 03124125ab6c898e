"""Import of the published inference modules: a folder or zip of text files and a torch snapshot.

The layout, one line a target and all files in the same order, that of the network's outputs:

- ``metadata.txt``: header ``Name,Field,Unit,Divisor``, then these four; nothing is quoted;
- ``standardization_parameters.txt``: a header line, then ``mean,sd`` in the network's unit;
- ``calibration_factors.txt``: header ``calibration_factor``, then the variance factors;
- ``snapshot.pth.tar``: ``torch.save`` of ``{iteration, state_dict, optimizer}``.

All of it is a stranger's until checked: a zip is read entry by entry with limits and never
extracted, and the snapshot is read by torch's safe loader only, which runs no code.
"""

from __future__ import annotations

import math
import pickle
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, Optional, Protocol, Union

from mimir_engine.errors import MimirError
from mimir_engine.files.file_sha256 import file_sha256
from mimir_engine.inference_module.acceptance import UK_BIOBANK
from mimir_engine.inference_module.folder import write_module
from mimir_engine.inference_module.format import MODULE_NAME, InferenceModule
from mimir_engine.inference_module.published_targets import find_published
from mimir_engine.inference_module.target import INVALID, Target, names_sex

if TYPE_CHECKING:
    import torch

CODE = "PUBLISHED_MODULE_INVALID"

METADATA = "metadata.txt"
STANDARDIZATION = "standardization_parameters.txt"
CALIBRATION = "calibration_factors.txt"
SNAPSHOT = "snapshot.pth.tar"

MAX_TEXT_BYTES = 1 << 20
MAX_SNAPSHOT_BYTES = 1 << 30
"""A ResNet50 with Adam's two moments has about 283 MB."""
MAX_ENTRIES = 10_000
MAX_TARGETS = 1_000

SAFE_TORCH = (2, 6)
"""Before 2.6, torch's safe loader could be made to run code (CVE-2025-32434)."""

NON_NEGATIVE_UNITS = frozenset(
    {"L", "mL", "kg", "g", "cm", "mm", "m", "%", "years", "bpm", "L/L", "L/m2", "kg/L"}
)
PLAUSIBLE_FACTOR = 3.0
PLAUSIBLE_BELOW_MAPE = 20.0
"""Above it, MAE / MAPE says too little about the cohort's mean."""


@dataclass(frozen=True)
class _Snapshot:
    """A published snapshot's network: its weights, and after how many steps they were saved."""

    state_dict: Mapping[str, torch.Tensor]
    iteration: Optional[int]
    sha256: str


class _Source(Protocol):
    """Where the four files are read from."""

    def open(self, name: str) -> IO[bytes]:
        """The file of that name, for reading."""


def import_published(
    source: Union[str, Path], destination: Union[str, Path], name: Optional[str] = None
) -> InferenceModule:
    """Convert a published module to a folder of the engine's own format.

    Args:
        source: Folder or zip; the files may lie in one folder inside it.
        destination: Folder of inference modules; the new one becomes a folder in it.
        name: Name of the module and its folder; by default that of the source without
            ``module_`` and extension.

    Returns:
        The module as written.

    Raises:
        MimirError: ``PUBLISHED_MODULE_INVALID`` for whatever is wrong with the files and
            ``MODULE_INVALID`` with the values in them,
            ``PUBLISHED_MODULE_IMPLAUSIBLE`` where means and catalogue disagree,
            ``MODULE_EXISTS``, ``TORCH_TOO_OLD``.
    """
    source, destination = Path(source), Path(destination)
    name = name or re.sub(r"^module_", "", source.name if source.is_dir() else source.stem)
    if not MODULE_NAME.fullmatch(name):
        raise MimirError(INVALID, f"{name[:60]!r} can't be a module's name", "Choose a --name.")
    with _opened(source) as files:
        module = _module(name, _read_targets(files))
        _check_plausible(module.targets)
        destination.mkdir(parents=True, exist_ok=True)
        snapshot = _read_snapshot(files, len(module.targets), destination)
    module = replace(
        module,
        version=f"snapshot-{snapshot.sha256[:12]}",
        provenance={
            "layout": "published",
            "source": source.name,
            "snapshot_sha256": snapshot.sha256,
            "iteration": snapshot.iteration,
        },
    )
    return write_module(destination / name, module, [snapshot.state_dict])


def _module(name: str, targets: list[Target]) -> InferenceModule:
    """What all published modules have in common."""
    return InferenceModule(
        name=name,
        version="",
        title=f"Published module {name}",
        description="Trained on UK Biobank's neck-to-knee MRI; validated on nothing else.",
        architecture="resnet50",
        projection="mimir-2021",
        accepts=UK_BIOBANK,
        targets=tuple(targets),
        licence="not stated in the published files",
    )


# --- the files, out of a folder or a zip ---


class _Folder:
    def __init__(self, folder: Path) -> None:
        found = sorted(folder.rglob(METADATA))
        self._folder = _single([path.parent for path in found], folder.name)

    def open(self, name: str) -> IO[bytes]:
        try:
            return open(self._folder / name, "rb")
        except OSError as error:
            raise _missing(name) from error


class _Zip:
    """Entries are looked up by name and read as streams; none is ever extracted."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        entries = archive.infolist()
        if len(entries) > MAX_ENTRIES:
            raise MimirError(CODE, f"{name} holds {len(entries)} entries, too many for a module")
        self._archive = archive
        self._entries = {
            PurePosixPath(entry.filename.replace("\\", "/")): entry
            for entry in entries
            if not entry.filename.startswith("__MACOSX/")
        }
        found = [path.parent for path in self._entries if path.name == METADATA]
        self._folder = _single(found, name)

    def open(self, name: str) -> IO[bytes]:
        entry = self._entries.get(self._folder / name)
        if entry is None:
            raise _missing(name)
        if entry.flag_bits & 1:
            raise MimirError(CODE, f"{name} is encrypted")
        return self._archive.open(entry)


@contextmanager
def _opened(source: Path) -> Iterator[_Source]:
    """The source's files; whatever goes wrong in reading them becomes one line."""
    try:
        if source.is_dir():
            yield _Folder(source)
            return
        with zipfile.ZipFile(source) as archive:
            yield _Zip(archive, source.name)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise MimirError(CODE, f"{source.name} cannot be imported ({error})") from error


def _single(folders: list[Any], name: str) -> Any:
    if len(folders) != 1:
        raise MimirError(
            CODE,
            f"{name} holds {len(folders) or 'no'} {METADATA}, not one",
            "Give the folder or zip of one published module.",
        )
    return folders[0]


def _missing(name: str) -> MimirError:
    return MimirError(CODE, f"the file {name} is missing", "Fetch the published module again.")


# --- the text files ---


def _read_targets(files: _Source) -> list[Target]:
    metadata = _read_rows(files, METADATA, 4)
    scales = _read_rows(files, STANDARDIZATION, 2)
    factors = _read_rows(files, CALIBRATION, 1)
    if not len(metadata) == len(scales) == len(factors):
        raise MimirError(
            CODE,
            f"{METADATA}, {STANDARDIZATION} and {CALIBRATION} describe {len(metadata)},"
            f" {len(scales)} and {len(factors)} targets",
        )
    return [
        _target(name, field, unit, divisor, mean, sd, factor)
        for (name, field, unit, divisor), (mean, sd), (factor,) in zip(metadata, scales, factors)
    ]


def _read_rows(files: _Source, name: str, columns: int) -> list[list[str]]:
    """The cells of a file's lines behind its header."""
    with files.open(name) as file:
        content = file.read(MAX_TEXT_BYTES + 1)
    if len(content) > MAX_TEXT_BYTES:
        raise MimirError(CODE, f"{name} is larger than {MAX_TEXT_BYTES >> 20} MB")
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise MimirError(CODE, f"{name} is no UTF-8 text") from error
    rows = [[cell.strip() for cell in line.split(",")] for line in lines if line.strip()]
    if not rows or len(rows) > MAX_TARGETS + 1:
        raise MimirError(CODE, f"{name} has {len(rows)} lines")
    header, rows = rows[0], rows[1:]
    if _is_number(header[-1]):
        raise MimirError(CODE, f"{name} begins with numbers where its header is expected")
    for index, row in enumerate(rows):
        if len(row) != columns:
            raise MimirError(
                CODE, f"line {index + 2} of {name} has {len(row)} values instead of {columns}"
            )
    return rows


def _target(
    name: str, field: str, unit: str, divisor: str, mean: str, sd: str, factor: str
) -> Target:
    """One target; a slash stands for "none" in the published files."""
    field, unit = field.replace("/", ""), "" if unit == "/" else unit
    is_sex = names_sex(name, field)
    known = find_published(name, field)
    return Target(
        name=name,
        ukb_field=field,
        unit=unit,
        divisor=_number(divisor, METADATA),
        mean=_number(mean, STANDARDIZATION),
        sd=_number(sd, STANDARDIZATION),
        variance_factor=_number(factor, CALIBRATION),
        kind="class" if is_sex else "quantity",
        non_negative=not is_sex and (known is not None or unit in NON_NEGATIVE_UNITS),
    )


def _number(text: str, name: str) -> float:
    if not _is_number(text) or not math.isfinite(float(text)):
        raise MimirError(CODE, f"{name} holds {text[:40]!r} where a number is expected")
    return float(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _check_plausible(targets: Sequence[Target]) -> None:
    """Refuse a module whose means are not those of the published cohort.

    A divisor or unit that is not what it says shows as a factor of ten or more.
    """
    for target in targets:
        known = find_published(target.name, target.ukb_field)
        if known is None or known.mape_percent >= PLAUSIBLE_BELOW_MAPE:
            continue
        mean = target.mean / target.divisor
        if not 1 / PLAUSIBLE_FACTOR <= mean / known.typical_value <= PLAUSIBLE_FACTOR:
            raise MimirError(
                "PUBLISHED_MODULE_IMPLAUSIBLE",
                f"the mean {target.name} of the training data is {mean:.4g} {target.unit}, where"
                f" about {known.typical_value:.3g} {known.unit} is known",
                f"Check divisor and unit in {METADATA}.",
            )


# --- the snapshot ---


def _read_snapshot(files: _Source, target_count: int, scratch: Path) -> _Snapshot:
    """The network of the snapshot, checked against the architecture.

    Args:
        files: Where ``snapshot.pth.tar`` is.
        target_count: Number of targets that the text files describe.
        scratch: A folder with room for a temporary copy.
    """
    with tempfile.TemporaryDirectory(prefix=".snapshot.", dir=scratch) as folder:
        path = Path(folder) / SNAPSHOT
        with files.open(SNAPSHOT) as stream, open(path, "wb") as copy:
            _copy_limited(stream, copy)
        content = _load_safely(path)
        digest = file_sha256(path)
    state_dict = content.get("state_dict") if isinstance(content, dict) else None
    if not isinstance(state_dict, dict):
        raise MimirError(CODE, f"{SNAPSHOT} holds no state_dict")
    iteration = content.get("iteration")
    return _Snapshot(
        state_dict=_checked(state_dict, target_count),
        iteration=iteration if isinstance(iteration, int) else None,
        sha256=digest,
    )


def _copy_limited(stream: IO[bytes], copy: IO[bytes]) -> None:
    """Copy what a declared size may lie about, up to the limit."""
    left = MAX_SNAPSHOT_BYTES
    while block := stream.read(1 << 20):
        left -= len(block)
        if left < 0:
            raise MimirError(CODE, f"{SNAPSHOT} is larger than {MAX_SNAPSHOT_BYTES >> 20} MB")
        copy.write(block)


def _load_safely(path: Path) -> Any:
    """Read a ``torch.save`` file without running any code that it may hold."""
    import torch

    release = tuple(int(number) for number in re.findall(r"\d+", torch.__version__)[:2])
    if release < SAFE_TORCH:
        raise MimirError(
            "TORCH_TOO_OLD",
            f"PyTorch {torch.__version__} cannot read a stranger's snapshot safely",
            f"Install PyTorch {SAFE_TORCH[0]}.{SAFE_TORCH[1]} or newer.",
        )
    if zipfile.is_zipfile(path):  # torch inflates whatever such an archive declares
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_SNAPSHOT_BYTES:
                raise MimirError(CODE, f"{SNAPSHOT} unpacks to more than it may")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise MimirError(
            CODE, f"{SNAPSHOT} holds more than weights, it was not run", "Don't trust this file."
        ) from error
    except Exception as error:  # torch's readers raise whatever a damaged file leads them to
        raise MimirError(
            CODE, f"{SNAPSHOT} is no readable torch file ({type(error).__name__})"
        ) from error


def _checked(state_dict: Mapping[Any, Any], target_count: int) -> dict[str, torch.Tensor]:
    """The state dict, if it is a ResNet50's with two outputs a target."""
    import torch

    from mimir_engine.inference_module.architecture import expected_shapes

    shapes = expected_shapes("resnet50", target_count)
    for name in shapes.keys() - state_dict.keys():
        raise MimirError(CODE, f"{SNAPSHOT} has no {name}, it is no ResNet50")
    for name in state_dict.keys() - shapes.keys():
        raise MimirError(CODE, f"{SNAPSHOT} holds {str(name)[:60]!r}, which no ResNet50 has")
    for name, shape in shapes.items():
        tensor = state_dict[name]
        if not isinstance(tensor, torch.Tensor) or tensor.is_floating_point() != bool(shape):
            raise MimirError(CODE, f"{name} of {SNAPSHOT} is no plain tensor")
        if tuple(tensor.shape) != shape:
            raise MimirError(
                CODE,
                f"{name} of {SNAPSHOT} has the shape {tuple(tensor.shape)} where {target_count}"
                f" targets need {shape}",
            )
    return dict(state_dict)
