"""Define an inference module and its ``module.json``, validated on construction."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Optional

from mimir_engine.errors import MimirError
from mimir_engine.files.json_file import NOT_STORED, REQUIRED, to_json
from mimir_engine.inference_module.acceptance import Accepts
from mimir_engine.inference_module.profile_file import read_profile
from mimir_engine.inference_module.scan_profile import ScanProfile
from mimir_engine.inference_module.search_path import MODULE_FILE
from mimir_engine.inference_module.statistics import PredictionStatistics, read_statistics
from mimir_engine.inference_module.target import INVALID, Target, match

#: Version 2 added intervals by sex and feature statistics; version 3 two-sided intervals in bins by
#: estimate, and the range of the labels. All of them may be absent.
SCHEMA_VERSION = 3
READABLE_VERSIONS = (1, 2, SCHEMA_VERSION)
MAX_JSON_BYTES = 4 << 20
#: Networks of an ensemble: ten or so help, each takes its time.
MAX_NETWORKS = 50

STORAGES = ("float32", "int8")

MODULE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
COLUMN_PREFIX = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)?")
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\.(safetensors|json)")
HEX_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ModuleFile:
    """A file in the module's folder and its SHA-256."""

    file: str
    sha256: str

    def __post_init__(self) -> None:
        match(FILE_NAME, self.file, "the file name")
        match(HEX_SHA256, self.sha256, f"the SHA-256 of {self.file}")


@dataclass(frozen=True)
class WeightsFile(ModuleFile):
    """One network of the module, and how its weights are stored."""

    storage: str = field(default="float32", metadata=REQUIRED)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.storage not in STORAGES:
            raise MimirError(INVALID, f"the storage of {self.file} must be {' or '.join(STORAGES)}")


@dataclass(frozen=True)
class InferenceModule:
    """Describe a trained network and its scales.

    Attributes:
        name: Letters, digits, ``_`` and ``-``; the folder's name by custom.
        version: The module's own version.
        title: One line for users.
        description: Purpose and limits.
        architecture: One of `architecture.ARCHITECTURES`.
        projection: Name of the projection it was trained on, e.g. ``mimir-2021``.
        accepts: What it was validated on.
        targets: In the order of the network's outputs.
        licence: Licence of the weights.
        column_prefix: Prefix of each target's name in results.
        demonstration: Whether its values say nothing about people.
        provenance: Its origin: texts, numbers, lists, objects. ``{"layout": "published"}``
            marks the published modules, which alone may claim the published accuracy.
        weights: Its networks; several are an ensemble. Set on writing.
        statistics_file: Its prediction statistics. Set on writing.
        features_file: Statistics of its last layer. Older modules have it; nothing uses it.
        profile_file: The scan profile of its calibration. Set on writing.
        bfloat16_error_sd: Largest difference of bfloat16 from float32 means, in training standard
            deviations; None if it was not measured. Older modules have it; nothing uses it.
        folder: The folder it was loaded from; empty before it is written.
        other_profile: The scan profile of a user's own scans, in place of the module's.
    """

    name: str
    version: str
    title: str
    description: str
    architecture: str
    projection: str
    accepts: Accepts
    targets: tuple[Target, ...]
    licence: str
    column_prefix: str = ""
    demonstration: bool = field(default=False, metadata=REQUIRED)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    weights: tuple[WeightsFile, ...] = field(default=(), metadata=REQUIRED)
    bfloat16_error_sd: Optional[float] = None
    statistics_file: Optional[ModuleFile] = field(default=None, metadata={"key": "statistics"})
    features_file: Optional[ModuleFile] = field(default=None, metadata={"key": "features"})
    profile_file: Optional[ModuleFile] = field(default=None, metadata={"key": "profile"})
    folder: Path = field(default=Path(), metadata=NOT_STORED)
    other_profile: Optional[ScanProfile] = field(default=None, metadata=NOT_STORED)

    def __post_init__(self) -> None:
        match(MODULE_NAME, self.name, "the module name")
        match(COLUMN_PREFIX, self.column_prefix, f"the column prefix of {self.name}")
        _refuse_twice((target.name for target in self.targets), "target", self.name)
        _refuse_twice((file.file for file in self.weights), "weights file", self.name)
        names = (MODULE_FILE, *(file.file.lower() for file in self.files))
        _refuse_twice(names, "file", self.name)  # also where capitals make no difference
        if len(self.weights) > MAX_NETWORKS:
            raise MimirError(INVALID, f"{self.name} has more than {MAX_NETWORKS} networks")
        if not self.targets:
            raise MimirError(INVALID, f"the inference module {self.name} has no targets")
        for file in self.files:
            ending = ".json" if file is self.statistics_file else ".safetensors"
            if not file.file.endswith(ending):
                raise MimirError(INVALID, f"the file {file.file} must be a {ending} file")

    @property
    def published(self) -> bool:
        """Return whether it was imported from a published module."""
        return self.provenance.get("layout") == "published"

    @property
    def measurement_names(self) -> tuple[str, ...]:
        """Names of its measurements: the column prefix and each target's name."""
        return tuple(self.column_prefix + target.name for target in self.targets)

    @property
    def files(self) -> tuple[ModuleFile, ...]:
        """All files that ``module.json`` lists: weights, then statistics, features, profile."""
        others = (self.statistics_file, self.features_file, self.profile_file)
        return (*self.weights, *(file for file in others if file is not None))

    def statistics(self) -> Optional[PredictionStatistics]:
        """Read its prediction quantiles by sex on first use; None if it has none."""
        file = self.statistics_file
        return _read_once(read_statistics, self.folder / file.file, file.sha256) if file else None

    def profile(self) -> Optional[ScanProfile]:
        """Return the scan profile to compare with, its own read on first use; None without any.

        Raises:
            MimirError: ``PROFILE_INVALID``, ``PROFILE_MISMATCH``.
        """
        if self.other_profile is not None:
            return self.other_profile
        file = self.profile_file
        if file is None:
            return None
        found: ScanProfile = _read_once(read_profile, self.folder / file.file, file.sha256)
        if found.network != self.weights[0].sha256:
            raise MimirError(
                "PROFILE_MISMATCH",
                f"the scan profile of {self.name} was made with another network",
                "Package the inference module again.",
            )
        return found


@lru_cache(maxsize=32)
def _read_once(read: Callable[[Path], Any], path: Path, sha256: str) -> Any:
    """Read a file once; the hash distinguishes it from one that has replaced it."""
    return read(path)


def module_to_json(module: InferenceModule) -> dict[str, Any]:
    """Return the content of the module's ``module.json``."""
    return {"schema_version": SCHEMA_VERSION, **to_json(module)}


def _refuse_twice(names: Iterable[str], what: str, module: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise MimirError(INVALID, f"the {what} {name} occurs twice in {module}")
        seen.add(name)
