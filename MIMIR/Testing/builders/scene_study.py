"""A small study's details, in a folder as the engine leaves it, and a scene to show them in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from mimir_engine.cohort.study_folder import (
    FRACTION_FILE,
    PROFILE_FILE,
    PROJECTION_FILE,
    REGIONS_FILE,
    StudyFolder,
    read_study_folder,
    write_measurements,
)
from mimir_engine.direct.direct_measurement import DirectMeasurement
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.fusion.fused_folder import FAT_FILE, WATER_FILE, write_array, write_fused
from mimir_engine.measuring.measurement import Measurement
from mimir_engine.measuring.study_result import StudyResult
from mimir_engine.study.finding import Finding
from mimir_engine.study.volume import Volume, axial_affine

#: Spacing of the engine's fused volumes, and a first voxel somewhere off the grid of zero.
SPACING_MM, FIRST_VOXEL_MM = (2.23214, 2.23214, 3.0), (-250.125, -130.5, -911.25)
SHAPE = (30, 20, 40)
ORIGIN = {
    "name": "1.2.3",
    "eid": "",
    "instance": "",
    "scanner": {"vendor": 'S "&" <Co>; 5%', "model": "", "field_strength_t": 1.5},
    "stations": 6,
    "findings": [],
}
FINDINGS = [{"code": "STATION_RESCANNED", "sentence": "Station 2 was scanned twice"}]


def quantity(name: str, value: float, **changes: Any) -> Measurement:
    """A measurement of a quantity in litres; by default not far from the reference's mean."""
    sd = 0.25
    fields = {
        "name": name,
        "target": name,
        "unit": "L",
        "kind": "quantity",
        "is_sex": False,
        "non_negative": True,
        "value": value,
        "sd": sd,
        "level": 0.95,
        "lower": value - 2 * sd,
        "upper": value + 2 * sd,
        "interval_method": "conformal",
        "interval_persons": 400,
        "coverage_low": 0.927,
        "coverage_high": 0.969,
        "percentile": None,
        "percentile_reference": "",
        "z_mean": 3.0,
        "z_sd": 1.0,
        "z_reference": "mean and SD of the training data of phantom 1.0, both sexes",
        "sex": None,
        "sex_source": "",
        "divisor": 1.0,
        "training_mean": 3.0,
        "training_sd": 1.0,
        "module": "phantom",
        "module_version": "1.0",
        "flags": ("DEMONSTRATION",),
    }
    return Measurement(**{**fields, **changes})


def sex(score: float, label: str) -> Measurement:
    """A measurement of the sex, which the engine labels so."""
    without_interval = {"lower": None, "upper": None, "interval_method": "none"}
    measurement = quantity(
        "sex", score, unit="", kind="class", is_sex=True, non_negative=False, **without_interval
    )
    assert measurement.sex_label == label
    return measurement


MEASUREMENTS = (
    quantity("visceralFatVolume", 3.123456789012345, percentile=61.25),
    sex(0.9871234567, "male"),
    quantity("liverVolume", 1.0 / 3.0, flags=("DEMONSTRATION", "OUTSIDE_TRAINING_RANGE")),
)

DIRECT = (
    DirectMeasurement("fat_volume", "L", 21.123456789012345),
    DirectMeasurement("waist", "cm", reason="the arms touch the trunk"),
)
#: Areas along the body, from foot to head.
PROFILE = {
    "z_mm": [-911.25, -905.25, -899.25],
    "body_cm2": [200.5, 400.0, 300.0],
    "fat_cm2": [50.0, 150.0, 100.0],
    "lean_cm2": [150.5, 250.0, 200.0],
}


def study_details(
    folder: Path,
    name: str = "1.2.3",
    measurements: Sequence[Measurement] = MEASUREMENTS,
    shape: tuple[int, int, int] = SHAPE,
    volumes: bool = True,
    direct: Sequence[DirectMeasurement] = DIRECT,
) -> StudyFolder:
    """Write a study's folder as the engine does, and read it as the engine does."""
    water, fat = fused(shape)
    origin = {**ORIGIN, "name": name}
    write_fused(folder, origin, water, fat)
    write_array(folder / FRACTION_FILE, 100 * fat.array / (water.array + fat.array))
    write_array(folder / REGIONS_FILE, regions(shape))
    write_csv(folder / PROFILE_FILE, [*PROFILE], list(zip(*PROFILE.values())))
    image = np.zeros((3, 256, 256), np.uint8)
    image[0, 0, 0], image[1, 10, 20], image[2, 255, 255] = 255, 200, 100
    write_array(folder / PROJECTION_FILE, image)
    if not volumes:
        for file in (WATER_FILE, FAT_FILE, FRACTION_FILE, REGIONS_FILE):
            (folder / file).unlink()
    findings = tuple(Finding(**finding) for finding in FINDINGS)
    result = StudyResult(name, "", "", tuple(measurements), findings, tuple(direct))
    write_measurements(folder, result, "mimir-2021")
    return read_study_folder(folder)


def fused(shape: tuple[int, int, int] = SHAPE) -> tuple[Volume, Volume]:
    """Water and fat, all different numbers above zero."""
    rng = np.random.default_rng(5)
    affine = axial_affine(FIRST_VOXEL_MM, SPACING_MM)
    water, fat = (rng.uniform(1, 1000, shape).astype(np.float32) for _ in range(2))
    return Volume(water, affine), Volume(fat, affine)


def regions(shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """A trunk in the middle, and the right thigh in the lowest slices."""
    labels = np.zeros(shape, np.uint8)
    labels[10:, 5:15, 10:30] = 1
    labels[:10, 5:15, 10:20] = 4
    return labels


def all_segments(node: Any) -> list[Any]:
    """All segments of a segmentation."""
    segmentation = node.GetSegmentation()
    return [segmentation.GetNthSegment(n) for n in range(segmentation.GetNumberOfSegments())]


def segments(node: Any) -> dict[str, int]:
    """Names and labels of the segments of a segmentation."""
    return {one.GetName(): one.GetLabelValue() for one in all_segments(node)}


def state_of(scene: Any) -> tuple[list[str], list[str]]:
    """All nodes' IDs and names, and all tree items' names: what cancelling must not change."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    nodes = sorted(f"{node.GetID()} {node.GetName()}" for node in scene.GetNodes())
    return nodes, [hierarchy.GetItemName(item) for item in tree_items(hierarchy)]


def tree_items(hierarchy: Any) -> list[int]:
    """IDs of all items of a subject hierarchy."""
    from MIMIRLib.scene.subject_hierarchy import all_items

    return list(all_items(hierarchy))


def saved_and_loaded(scene: Any, folder: Path) -> Any:
    """The scene written to a folder with all its data, as Slicer's own code does, and read."""
    folder.mkdir(parents=True)
    logic = slicer.vtkMRMLApplicationLogic()
    logic.SetMRMLScene(scene)
    assert logic.SaveSceneToSlicerDataBundleDirectory(str(folder), None)
    logic.SetMRMLScene(None)
    loaded = slicer.vtkMRMLScene()
    loaded.SetURL(str(next(folder.glob("*.mrml"))))
    assert loaded.Connect()
    return loaded
