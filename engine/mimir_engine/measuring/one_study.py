"""Measure one study: from its source to its measurements.

Each step is a function that can be called alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Callable, Optional, Union

import numpy as np

from mimir_engine.checks import check_study
from mimir_engine.checks.exchange.exchanged_water_fat import (
    find_exchanged,
    find_exchanged_volumes,
)
from mimir_engine.checks.scan_numbers import scan_numbers
from mimir_engine.direct import DirectMeasurements, measure_directly
from mimir_engine.direct.direct_measurement import DirectMeasurement
from mimir_engine.errors import MimirError
from mimir_engine.fusion import FusedVolumes, fuse
from mimir_engine.fusion.fused_folder import FusedFolder, read_fused
from mimir_engine.fusion.image_source import Source
from mimir_engine.fusion.volume_pair import VolumePair, read_volume_pair
from mimir_engine.inference_module import InferenceModule, check_projection, find_modules
from mimir_engine.inference_module.acceptance import outside_validation
from mimir_engine.labels.label_file import LabelFile, measure_label_file
from mimir_engine.labels.label_measurement import LabelMeasurement
from mimir_engine.labels.measure_labels import MeasuredLabels
from mimir_engine.measuring.chosen_sex import choose_sexes, find_contradicted_sex
from mimir_engine.measuring.flags import OUTSIDE_VALIDATION, UNUSUAL_SCAN
from mimir_engine.measuring.header_agreement import find_header_disagreement
from mimir_engine.measuring.image_agreement import flag_disagreements
from mimir_engine.measuring.interval_level import DEFAULT_LEVEL
from mimir_engine.measuring.measurement import Measurement, measure
from mimir_engine.measuring.network import Predictor
from mimir_engine.measuring.scan_comparison import ScanComparison, compare_scan
from mimir_engine.measuring.sex_label import predicted_sex
from mimir_engine.measuring.study_result import StudyResult
from mimir_engine.projection.project import Projection, project
from mimir_engine.study import DixonStudy, read_study
from mimir_engine.study.exchanged_part import exchange_back
from mimir_engine.study.finding import NOTE, VALUE_CODES, Finding, refuse_stopped
from mimir_engine.study.read_options import AS_STORED, ReadOptions
from mimir_engine.study.site import Site
from mimir_engine.study.study_facts import StudyFacts
from mimir_engine.study.volume import Volume

#: A module's mean and variance of each target for one study, both float64 ``(targets,)``.
MeanAndVariance = tuple[np.ndarray, np.ndarray]
#: Stores the images of a study, and what was measured in them.
StoreImages = Callable[[DixonStudy, FusedVolumes, Projection, DirectMeasurements], None]


@dataclass(frozen=True)
class PredictedStudy:
    """What the networks say of a study.

    Attributes:
        predictions: Of each module, in their order.
        comparisons: Whether each module knows such scans.
    """

    predictions: Sequence[MeanAndVariance]
    comparisons: Sequence[ScanComparison]


@dataclass(frozen=True)
class PreparedStudy:
    """A study that is ready for the networks: everything but its volumes.

    Attributes:
        study: What is known of the study.
        extent_mm: Head-foot extent of the fused volume.
        projection: The image that the networks see.
        direct: Quantities measured in the volumes, without a network.
        numbers: What the scan is like, by the names of ``SCAN_NUMBERS``.
        labels: What was measured of each label of its label map, if it has one.
    """

    study: StudyFacts
    extent_mm: float
    projection: Projection
    direct: tuple[DirectMeasurement, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)
    labels: tuple[LabelMeasurement, ...] = ()


def prepare(
    source: Source,
    name: Optional[str] = None,
    store_images: Optional[StoreImages] = None,
    reading: ReadOptions = AS_STORED,
    labels: Optional[LabelFile] = None,
) -> PreparedStudy:
    """Read, fuse and project one study.

    Args:
        source: Its files, its stitched volumes, or a folder of volumes that an earlier run fused.
        name: The study's name in results; by default that of its source.
        store_images: Receives the images, which the result does not contain.
        reading: How the study is read.
        labels: Its label map; what is wrong with this is a finding.

    Raises:
        MimirError: if the study cannot be read, fused or projected.
    """
    study, fused = read_and_fuse(source, name, reading)
    projection = project(fused, reading.water_factor)
    direct = measure_directly(fused)
    if store_images is not None:
        store_images(study, fused, projection, direct)
    numbers = scan_numbers(study.stations, fused)
    if reading.site is not None:
        numbers = reading.site.scale(numbers)
    measured = MeasuredLabels(()) if labels is None else measure_label_file(labels, fused)
    facts = replace(study.facts, findings=(*study.findings, *measured.findings))
    values = direct.values, numbers, measured.values
    return PreparedStudy(facts, fused.water.extent_mm, projection, *values)


def read_and_fuse(
    source: Source, name: Optional[str] = None, reading: ReadOptions = AS_STORED
) -> tuple[DixonStudy, FusedVolumes]:
    """Read one study, fuse its stations and check both; the findings are the study's.

    Raises:
        MimirError: if the study cannot be read or fused, or a finding is a stop.
    """
    study, fused = read_and_check(source, name, reading)
    return accept(study, reading), fused


def accept(study: DixonStudy, reading: ReadOptions) -> DixonStudy:
    """Return a checked study that may be measured.

    Raises:
        MimirError: A finding is a stop, or the study is not of the scanner of ``reading.site``.
    """
    refuse_stopped(study.findings)
    if reading.site is None:
        return study
    reading.site.check_scanner(study.scanner)
    return replace(study, findings=(*study.findings, _harmonised(reading.site)))


def _harmonised(site: Site) -> Finding:
    return Finding(
        "SITE_HARMONISED",
        f"in the planes of the fat fraction, the water signal was multiplied by"
        f" {site.water_factor:.3g}, estimated from {site.scans} scans of this scanner without"
        " labels",
        severity=NOTE,
    )


def read_and_check(
    source: Source, name: Optional[str] = None, reading: ReadOptions = AS_STORED
) -> tuple[DixonStudy, FusedVolumes]:
    """As `read_and_fuse`, but a study that a check stops is returned too.

    Raises:
        MimirError: if the study cannot be read or fused.
    """
    if not isinstance(source, (FusedFolder, VolumePair)):
        return fuse_and_check(read_study(source, name, reading.reconstruction), reading)
    study, fused = _read_volumes(source, name)
    if reading.swap_repair:
        study, fused = volumes_exchanged_back(study, fused)
    return with_checks(study, fused), fused


def fuse_and_check(
    study: DixonStudy, reading: ReadOptions = AS_STORED
) -> tuple[DixonStudy, FusedVolumes]:
    """Fuse the stations of a study and check both; the findings are the study's."""
    if reading.swap_repair:
        study = exchanged_back(study)
    fused = fuse(study.stations)
    return with_checks(study, fused), fused


def with_checks(study: DixonStudy, fused: FusedVolumes) -> DixonStudy:
    """Return a study with what the checks of its stations and volumes find."""
    found = (f for f in check_study(study.stations, fused) if f not in study.findings)
    return replace(study, findings=(*study.findings, *found))


def _read_volumes(
    source: Union[FusedFolder, VolumePair], name: Optional[str]
) -> tuple[DixonStudy, FusedVolumes]:
    if isinstance(source, FusedFolder):
        return read_fused(source.path, name)
    return read_volume_pair(source, name)


def exchanged_back(study: DixonStudy) -> DixonStudy:
    """Exchange water and fat back where they are certain to be exchanged, and say so."""
    exchanged = find_exchanged(study.stations)
    stations = exchange_back(study.stations, exchanged.parts)
    return replace(study, stations=stations, findings=(*study.findings, *exchanged.repaired))


def volumes_exchanged_back(
    study: DixonStudy, fused: FusedVolumes
) -> tuple[DixonStudy, FusedVolumes]:
    """Exchange water and fat back in volumes whose stations are not known, and say so."""
    exchanged = find_exchanged_volumes(fused)
    (station,) = exchange_back([fused.as_station], exchanged.parts)
    affine = station.affine
    repaired = replace(fused, water=Volume(station.water, affine), fat=Volume(station.fat, affine))
    return replace(study, findings=(*study.findings, *exchanged.repaired)), repaired


def check_accepted(
    prepared: PreparedStudy, modules: Sequence[InferenceModule], allow_unvalidated: bool
) -> tuple[bool, ...]:
    """Return for each module whether it was validated on studies like this one.

    Raises:
        MimirError: ``OUTSIDE_VALIDATION`` if one was not, unless that is allowed;
            ``PROJECTION_MISMATCH`` if one was trained on another projection.
    """
    accepted = []
    for module in modules:
        check_projection(module, prepared.projection.name)
        reasons = outside_validation(module.accepts, prepared.study, prepared.extent_mm)
        if reasons and not allow_unvalidated:
            raise MimirError(
                "OUTSIDE_VALIDATION",
                f"inference module {module.name} was not validated on studies of this kind:"
                f" {'; '.join(reasons)}",
                "Use a module made for such studies, or allow unvalidated studies"
                " (--allow-unvalidated): their values are flagged.",
            )
        accepted.append(not reasons)
    return tuple(accepted)


def predict_batch(
    batch: Sequence[PreparedStudy], predictors: Sequence[Predictor]
) -> list[PredictedStudy]:
    """Predict several studies together, and compare each with those that the modules know.

    Args:
        batch: Prepared studies, at least one.
        predictors: Loaded inference modules.

    Raises:
        MimirError: ``PREDICTION_NOT_FINITE``, ``DEVICE_OUT_OF_MEMORY``, ``PROFILE_INVALID``.
    """
    images = np.stack([prepared.projection.image for prepared in batch])
    by_module = [predictor.predict_with_features(images) for predictor in predictors]
    studies = []
    for row, prepared in enumerate(batch):
        predictions = [(p.mean[row], p.variance[row]) for p, _ in by_module]
        comparisons = [
            compare_scan(
                predictor.module, prepared.numbers, {name: f[row] for name, f in layers.items()}
            )
            for predictor, (_, layers) in zip(predictors, by_module)
        ]
        studies.append(PredictedStudy(predictions, comparisons))
    return studies


def measure_study(
    prepared: PreparedStudy,
    modules: Sequence[InferenceModule],
    predictions: Sequence[MeanAndVariance],
    accepted: Sequence[bool],
    level: float,
    recorded_sex: str = "",
    comparisons: Sequence[ScanComparison] = (),
) -> StudyResult:
    """Turn the predictions of all modules into one study's result.

    Args:
        prepared: The study.
        modules: Inference modules.
        predictions: One per module.
        accepted: For each module, whether it was validated on such studies.
        level: Share of the intervals that contain the true value.
        recorded_sex: ``female`` or ``male`` if the user gave it, else empty; see `choose_sexes`.
        comparisons: Whether each module knows such scans; values of those that do not are flagged.

    Raises:
        MimirError: ``LEVEL_INVALID``, ``STATISTICS_INVALID``.
    """
    study = prepared.study
    own = [predicted_sex(module, mean) for module, (mean, _) in zip(modules, predictions)]
    sexes = choose_sexes(own, recorded_sex)
    unusual = {comparison.module for comparison in comparisons if comparison.is_unusual}
    unknown = tuple(f.code for f in study.findings if f.code in VALUE_CODES)
    measurements: list[Measurement] = []
    for module, (mean, variance), ok, sex in zip(modules, predictions, accepted, sexes):
        reasons = {OUTSIDE_VALIDATION: not ok, UNUSUAL_SCAN: module.name in unusual}
        flags = (*(flag for flag, holds in reasons.items() if holds), *unknown)
        estimates = measure(module, mean, variance, level, flags, sex, study.traits.age)
        measurements += flag_disagreements(estimates, module, prepared.direct)
    contradicted = find_contradicted_sex(own, recorded_sex)
    return StudyResult(
        study.name,
        study.eid,
        study.instance,
        tuple(measurements),
        (
            *study.findings,
            *find_header_disagreement(study.traits, measurements),
            *contradicted,
        ),
        prepared.direct,
        prepared.numbers,
        study.scanner.shown,
        study.month,
        tuple(comparisons),
        prepared.labels,
    )


def analyze(
    source: Source,
    modules: Sequence[str],
    level: float = DEFAULT_LEVEL,
    device: str = "auto",
    allow_unvalidated: bool = False,
    reading: ReadOptions = AS_STORED,
    runtime: str = "auto",
) -> list[Measurement]:
    """Measure one study in one call; for many studies see ``mimir_engine.cohort``.

    Examples:
        >>> height = analyze("6000000_20201_2_0.zip", ["phantom"])[1]
        >>> height.name, height.unit, height.lower < height.value < height.upper, height.flags
        ('phantom_height', 'cm', True, ('DEMONSTRATION',))

    Args:
        source: A zip archive, a folder, the paths of DICOM files, or a ``VolumePair``.
        modules: Names or folders of inference modules.
        level: Share of the intervals that contain the true value.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        allow_unvalidated: Measure even if a module was not validated on such studies.
        reading: How the study is read.
        runtime: What runs the networks: ``auto``, ``onnx`` or ``torch``; see
            ``mimir_engine.measuring.runtime``.

    Raises:
        MimirError: for errors in the study, a module, the device or the runtime.
    """
    found = find_modules(modules)
    prepared = prepare(source, reading=reading)
    accepted = check_accepted(prepared, found, allow_unvalidated)
    predictors = [Predictor(module, device, runtime) for module in found]
    (predicted,) = predict_batch([prepared], predictors)
    values, scans = predicted.predictions, predicted.comparisons
    result = measure_study(prepared, found, values, accepted, level, comparisons=scans)
    return list(result.measurements)
