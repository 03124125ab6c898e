"""What an inference module is, and its ``module.json``: values that cannot exist wrong.

Folders and files are the business of :mod:`mimir_engine.inference_module`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Optional, Union

from mimir_engine.errors import MimirError
from mimir_engine.files.json_record import Record
from mimir_engine.inference_module.acceptance import Accepts
from mimir_engine.inference_module.features import FeatureStatistics, read_features
from mimir_engine.inference_module.statistics import PredictionStatistics, read_statistics
from mimir_engine.inference_module.target import (
    INVALID,
    Target,
    match,
    target_from_record,
    target_to_record,
)

SCHEMA_VERSION = 2
"""Version 2 added intervals by sex and feature statistics, both of which may be absent."""
READABLE_VERSIONS = (1, SCHEMA_VERSION)

STORAGES = ("float32", "int8")

MODULE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
COLUMN_PREFIX = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)?")
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\.(safetensors|json)")
HEX_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class WeightsFile:
    """One network of the module: a file in its folder, its SHA-256, and how it is stored."""

    file: str
    sha256: str
    storage: str = "float32"

    def __post_init__(self) -> None:
        _match_file(self.file, self.sha256, ".safetensors")
        if self.storage not in STORAGES:
            raise MimirError(INVALID, f"the storage of {self.file} is none of {STORAGES}")


@dataclass(frozen=True)
class StatisticsFile:
    """The module's statistics: a file in its folder and its SHA-256."""

    file: str
    sha256: str

    def __post_init__(self) -> None:
        _match_file(self.file, self.sha256, ".json")


@dataclass(frozen=True)
class FeaturesFile:
    """The statistics of the network's features: a file in the module's folder and its SHA-256."""

    file: str
    sha256: str

    def __post_init__(self) -> None:
        _match_file(self.file, self.sha256, ".safetensors")


@dataclass(frozen=True)
class InferenceModule:
    """A trained network with its scales.

    Attributes:
        name: Letters, digits, ``_`` and ``-``; the folder's name by custom.
        version: The module's own version.
        title: One line for people.
        description: What it is and what it is not.
        architecture: See :data:`mimir_engine.inference_module.architecture.ARCHITECTURES`.
        projection: Name of the projection it was trained on, e.g. ``mimir-2021``.
        accepts: What it was validated on.
        targets: In the order of the network's outputs.
        licence: Licence of the weights.
        column_prefix: Put before each target's name in results.
        demonstration: It says nothing about people.
        provenance: Where it comes from: texts, numbers, lists, objects. ``{"layout": "published"}``
            marks the published modules, which alone may claim the published accuracy.
        weights: Its networks; several are an ensemble. Filled in on writing.
        statistics_file: Its statistics. Filled in on writing.
        features_file: The statistics of its features. Filled in on writing.
        folder: Where it was loaded from; empty while it is being made.
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
    demonstration: bool = False
    provenance: Mapping[str, Any] = field(default_factory=dict)
    weights: tuple[WeightsFile, ...] = ()
    statistics_file: Optional[StatisticsFile] = None
    features_file: Optional[FeaturesFile] = None
    folder: Path = Path()

    def __post_init__(self) -> None:
        match(MODULE_NAME, self.name, "the module name")
        match(COLUMN_PREFIX, self.column_prefix, f"the column prefix of {self.name}")
        _refuse_twice([target.name for target in self.targets], "target", self.name)
        _refuse_twice([record.file for record in self.weights], "weights file", self.name)
        if not self.targets:
            raise MimirError(INVALID, f"the inference module {self.name} has no targets")

    @property
    def published(self) -> bool:
        """Whether it is one of the published modules, imported."""
        return self.provenance.get("layout") == "published"

    @property
    def measurement_names(self) -> tuple[str, ...]:
        """What its measurements are called: each target's name behind the column prefix."""
        return tuple(self.column_prefix + target.name for target in self.targets)

    @property
    def files(self) -> tuple[Union[WeightsFile, StatisticsFile, FeaturesFile], ...]:
        """All files that ``module.json`` lists: weights, then what else is shipped."""
        others = (self.statistics_file, self.features_file)
        return (*self.weights, *(file for file in others if file is not None))

    def statistics(self) -> Optional[PredictionStatistics]:
        """Its prediction quantiles by sex, read when first asked for; None where it ships none."""
        file = self.statistics_file
        return (
            None if file is None else _remembered_statistics(self.folder / file.file, file.sha256)
        )

    def features(self) -> Optional[FeatureStatistics]:
        """Statistics of its features, read when first asked for; None where it ships none."""
        file = self.features_file
        return None if file is None else _remembered_features(self.folder / file.file, file.sha256)


@lru_cache(maxsize=16)
def _remembered_statistics(path: Path, sha256: str) -> PredictionStatistics:
    """Read once; the hash tells a file from another one that has taken its place."""
    return read_statistics(path)


@lru_cache(maxsize=16)
def _remembered_features(path: Path, sha256: str) -> FeatureStatistics:
    """As with the statistics."""
    return read_features(path)


def module_from_record(record: Record, folder: Path) -> InferenceModule:
    """The module that a ``module.json`` describes.

    Args:
        record: The parsed file.
        folder: The folder it lies in.

    Raises:
        MimirError: ``MODULE_INVALID``, in one sentence.
    """
    version = record.integer("schema_version")
    if version not in READABLE_VERSIONS:
        known = " and ".join(map(str, READABLE_VERSIONS))
        record.refuse(f"has schema version {version}, this engine reads {known}")
    statistics = record.optional_record("statistics")
    features = record.optional_record("features")
    module = InferenceModule(
        name=record.text("name"),
        version=record.text("version"),
        title=record.text("title"),
        description=record.text("description"),
        architecture=record.text("architecture"),
        projection=record.text("projection"),
        accepts=accepts_from_record(record.record("accepts")),
        targets=tuple(target_from_record(target) for target in record.records("targets")),
        licence=record.text("licence"),
        column_prefix=record.text("column_prefix", ""),
        demonstration=record.boolean("demonstration"),
        provenance=record.mapping("provenance"),
        weights=tuple(_weights(weights) for weights in record.records("weights")),
        statistics_file=None if statistics is None else _statistics(statistics),
        features_file=None if features is None else _features(features),
        folder=folder,
    )
    record.optional_number("bfloat16_error_sd")  # written by earlier versions, no longer used
    record.done()
    if not module.weights:
        record.refuse("names no weights")
    return module


def module_to_record(module: InferenceModule) -> dict[str, Any]:
    """What ``module.json`` says of the module."""
    record = {"schema_version": SCHEMA_VERSION, **asdict(module)}
    record["statistics"] = record.pop("statistics_file")
    record["features"] = record.pop("features_file")
    del record["folder"]
    record["targets"] = [target_to_record(target) for target in module.targets]
    return record


def accepts_from_record(record: Record) -> Accepts:
    """What a module was validated on, as a JSON object says it.

    Raises:
        MimirError: the record's.
    """
    extent = record.numbers("head_foot_mm")
    stations = record.numbers("stations")
    if len(extent) not in (0, 2) or list(extent) != sorted(extent):
        record.refuse("has no least and largest extent as 'head_foot_mm'")
    if any(not number.is_integer() for number in stations):
        record.refuse("has no whole numbers as 'stations'")
    accepts = Accepts(
        vendors=record.texts("vendors"),
        models=record.texts("models"),
        field_strengths_t=record.numbers("field_strengths_t"),
        stations=tuple(int(number) for number in stations),
        head_foot_mm=(extent[0], extent[1]) if extent else None,
        contrasts=record.texts("contrasts"),
    )
    record.done()
    return accepts


def _weights(record: Record) -> WeightsFile:
    weights = WeightsFile(record.text("file"), record.text("sha256"), record.text("storage"))
    record.done()
    return weights


def _statistics(record: Record) -> StatisticsFile:
    statistics = StatisticsFile(record.text("file"), record.text("sha256"))
    record.done()
    return statistics


def _features(record: Record) -> FeaturesFile:
    features = FeaturesFile(record.text("file"), record.text("sha256"))
    record.done()
    return features


def _match_file(name: str, digest: str, suffix: str) -> None:
    """A plain file name: nothing that leads out of the module's folder."""
    match(FILE_NAME, name, "the file name")
    if not name.endswith(suffix):
        raise MimirError(INVALID, f"the file {name} is no {suffix} file")
    match(HEX_SHA256, digest, f"the SHA-256 of {name}")


def _refuse_twice(names: Sequence[str], what: str, module: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise MimirError(INVALID, f"the {what} {name} occurs twice in {module}")
        seen.add(name)
