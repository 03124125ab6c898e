"""All there is to show of a study, in a folder of its own: images, measurements, findings.

``origin.json``, ``water.npy`` and ``fat.npy`` are those of :mod:`mimir_engine.fusion.fused_folder`;
beside them lie ``fat_fraction.npy``, ``projection.npy`` and ``measurements.json``. The last is
written last: a folder without it is unfinished.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mimir_engine.cohort.outcome import StudyResult
from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import atomic_file, safe_file_name
from mimir_engine.fusion import FusedVolumes
from mimir_engine.fusion.fused_folder import (
    FAT_FILE,
    WATER_FILE,
    describe_study,
    read_description,
    write_array,
    write_description,
    write_fused,
)
from mimir_engine.measuring.measurement import DEMONSTRATION, Measurement
from mimir_engine.measuring.wording import words
from mimir_engine.projection.fat_fraction_map import fat_fraction_map
from mimir_engine.projection.project import Projection
from mimir_engine.study import DixonStudy
from mimir_engine.study.finding import Finding
from mimir_engine.study.volume import Volume

FRACTION_FILE, PROJECTION_FILE = "fat_fraction.npy", "projection.npy"
MEASUREMENTS_FILE = "measurements.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class MeasurementDetails:
    """One measurement as it is shown: plain texts and numbers only.

    Attributes:
        name: As in the columns of ``predictions.csv``.
        label: The target's name in words.
        unit: Of value, SD, bounds and reference; empty for a class.
        kind: ``quantity`` or ``class``.
        value, sd, level, lower, upper: as in ``Measurement``.
        lower_shown, upper_shown: Bounds not below zero where the quantity cannot be.
        sex_label: ``female``, ``male`` or ``uncertain`` for the sex, else empty.
        z_score, z_reference: Distance from the reference mean in its SD, and what that is.
        percentile, percentile_reference: Place among predictions for a reference population.
        reference_mean, reference_sd: Of the module's training data.
        module: Name of the inference module.
        demonstration: Whether the module is one.
        flags: Codes; see ``flag_text``.
    """

    name: str
    label: str
    unit: str
    kind: str
    value: float
    sd: float
    level: float
    lower: float
    upper: float
    lower_shown: float
    upper_shown: float
    sex_label: str
    z_score: Optional[float]
    z_reference: str
    percentile: Optional[float]
    percentile_reference: str
    reference_mean: float
    reference_sd: float
    module: str
    demonstration: bool
    flags: tuple[str, ...]


@dataclass(frozen=True)
class StudyDetails:
    """One study's results; its images are read when asked for.

    Attributes:
        name: File name or study UID, never the patient's name.
        measurements: By all modules, in their order.
        findings: What was mended or noticed while reading.
        flags: Codes of all findings and of all measurements' flags, without repeats.
        projection_name: Which way of projecting made the image.
        origin: What the volumes were fused from, as plain JSON.
        affine: ``(4, 4)``, of the volumes: ``(column, row, slice, 1)`` to LPS millimetres.
        folder: Where all this was read from.
    """

    name: str
    measurements: tuple[MeasurementDetails, ...]
    findings: tuple[Finding, ...]
    flags: tuple[str, ...]
    projection_name: str
    origin: Mapping[str, Any]
    affine: np.ndarray
    folder: Path

    @property
    def has_volumes(self) -> bool:
        """Whether the fused volumes were kept."""
        return (self.folder / WATER_FILE).is_file()

    def projection(self) -> np.ndarray:
        """uint8 ``(3, 256, 256)``: see :class:`mimir_engine.projection.project.Projection`."""
        return self._array(PROJECTION_FILE)

    def water(self) -> Volume:
        """The fused water image, float32."""
        return Volume(self._array(WATER_FILE), self.affine)

    def fat(self) -> Volume:
        """The fused fat image, float32."""
        return Volume(self._array(FAT_FILE), self.affine)

    def fat_fraction(self) -> Volume:
        """The fat fraction in percent, float32; 0 in air."""
        return Volume(self._array(FRACTION_FILE), self.affine)

    def _array(self, name: str) -> np.ndarray:
        """Mapped into memory, read-only.

        Raises:
            MimirError: ``DETAILS_INVALID``.
        """
        try:
            array: np.ndarray = np.load(self.folder / name, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise _invalid(name) from error
        return array


class StudyFolders:
    """Keeps the details of every study of a run, each in a folder of its own.

    Args:
        folder: Where those folders are made.
        volumes: Keep the fused volumes too, some 190 MB a study.
    """

    def __init__(self, folder: Path, volumes: bool = True) -> None:
        self._folder, self._volumes = folder, volumes

    def path(self, name: str) -> Path:
        """The folder of a study."""
        return (self._folder / safe_file_name(name)).absolute()

    def has(self, name: str) -> bool:
        """Whether a study's details are all there."""
        return (self.path(name) / MEASUREMENTS_FILE).is_file()

    def keep_images(self, study: DixonStudy, fused: FusedVolumes, projection: Projection) -> None:
        """Write what there is before the networks have spoken; threads may do so at once.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        folder = self.path(study.name)
        if self._volumes:
            write_fused(folder, describe_study(study), fused.water, fused.fat)
            write_array(folder / FRACTION_FILE, fat_fraction_map(fused).array)
        else:
            write_description(folder, describe_study(study), fused.water.affine)
        write_array(folder / PROJECTION_FILE, projection.image)

    def keep_result(self, result: StudyResult, projection_name: str) -> None:
        """Write the measurements.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        record = {
            "schema_version": SCHEMA_VERSION,
            "name": result.name,
            "projection": projection_name,
            "measurements": [asdict(_details(m)) for m in result.measurements],
            "findings": [asdict(finding) for finding in result.findings],
            "flags": list(result.flags),
        }
        with atomic_file(self.path(result.name) / MEASUREMENTS_FILE) as file:
            file.write(json.dumps(record, indent=1, allow_nan=False).encode("ascii"))


def read_details(folder: Path) -> StudyDetails:
    """Read a study's folder.

    Raises:
        MimirError: ``DETAILS_INVALID``, ``FUSED_INVALID``.
    """
    origin, affine = read_description(folder)
    try:
        record = json.loads((folder / MEASUREMENTS_FILE).read_bytes())
        return StudyDetails(
            name=record["name"],
            measurements=tuple(
                MeasurementDetails(**{**m, "flags": tuple(m["flags"])})
                for m in record["measurements"]
            ),
            findings=tuple(Finding(**finding) for finding in record["findings"]),
            flags=tuple(record["flags"]),
            projection_name=record["projection"],
            origin=origin,
            affine=affine,
            folder=folder,
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _invalid(MEASUREMENTS_FILE) from error


def _details(measurement: Measurement) -> MeasurementDetails:
    target = measurement.target
    return MeasurementDetails(
        name=measurement.name,
        label=words(target.name),
        unit=measurement.unit,
        kind=target.kind,
        value=measurement.value,
        sd=measurement.sd,
        level=measurement.level,
        lower=measurement.lower,
        upper=measurement.upper,
        lower_shown=measurement.lower_shown,
        upper_shown=measurement.upper_shown,
        sex_label=measurement.label,
        z_score=measurement.z_score,
        z_reference=measurement.z_reference,
        percentile=measurement.percentile,
        percentile_reference=measurement.percentile_reference,
        reference_mean=target.mean / target.divisor,
        reference_sd=target.sd / target.divisor,
        module=measurement.module,
        demonstration=DEMONSTRATION in measurement.flags,
        flags=measurement.flags,
    )


def _invalid(name: str) -> MimirError:
    return MimirError(
        "DETAILS_INVALID",
        f"{name} in the folder of the study's details cannot be read",
        "Measure the study again.",
    )
