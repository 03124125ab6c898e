"""What a reader does with one study. Arguments and replies are JSON values.

The functions with a reply run in a reader, the others in the process that asks it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mimir_engine.checks.finding_picture import draw_findings
from mimir_engine.cohort.projection_files import write_projection_picture
from mimir_engine.cohort.scan_event import scan_event
from mimir_engine.cohort.sources import NamedSource, source_fields, source_from_fields
from mimir_engine.cohort.study_folder import StudyFolders
from mimir_engine.direct.direct_measurement import DirectMeasurement
from mimir_engine.errors import MimirError
from mimir_engine.files.file_names import safe_file_name
from mimir_engine.files.json_file import from_json, to_json
from mimir_engine.files.png import write_png
from mimir_engine.fusion.fused_folder import write_array
from mimir_engine.fusion.volume_files.image_file import write_image
from mimir_engine.labels.label_file import LabelFile
from mimir_engine.labels.label_measurement import LabelMeasurement
from mimir_engine.labels.label_names import LabelNames
from mimir_engine.measuring.one_study import PreparedStudy, prepare, read_and_check
from mimir_engine.measuring.study_volumes import open_volumes
from mimir_engine.measuring.volume_names import FAT, WATER
from mimir_engine.projection.project import IMAGE_SHAPE, Projection, project
from mimir_engine.readers.message import Message
from mimir_engine.readers.readers import Readers
from mimir_engine.study.finding import Finding
from mimir_engine.study.read_options import ReadOptions
from mimir_engine.study.study_facts import StudyFacts

#: The module whose functions readers call.
FUNCTIONS = __name__

Fields = Mapping[str, Any]


def prepare_in_reader(
    readers: Readers,
    source: NamedSource,
    reading: ReadOptions,
    folders: Optional[StudyFolders] = None,
    picture: Optional[Path] = None,
    label_names: LabelNames = (),
) -> PreparedStudy:
    """Read, fuse and project one study in a reader.

    Args:
        readers: The readers.
        source: The study.
        reading: How the study is read.
        folders: Stores its images; None if they are not asked for.
        picture: File of its projection as a picture; None if it is not asked for.
        label_names: Names for the labels of its label map, if it has one.

    Raises:
        MimirError: As ``Readers.call`` and ``prepare``.
    """
    images = folders.settings if folders else None
    arguments = {
        "source": source_fields(source),
        "reading": to_json(reading),
        "images": images,
        "picture": None if picture is None else os.path.abspath(picture),
        "label_names": to_json(label_names),
    }
    reply = readers.call("prepare_study", arguments)
    image = np.frombuffer(reply.data, np.uint8).reshape(IMAGE_SHAPE)
    facts = from_json(reply.value["study"], StudyFacts)
    found = (
        replace(finding, sentence=source.shown(finding.sentence)) for finding in facts.findings
    )
    return PreparedStudy(
        replace(facts, findings=tuple(found)),
        float(reply.value["extent_mm"]),
        Projection(image, str(reply.value["projection"])),
        tuple(from_json(quantity, DirectMeasurement) for quantity in reply.value["direct"]),
        reply.value["numbers"],
        tuple(from_json(label, LabelMeasurement) for label in reply.value["labels"]),
    )


def prepare_study(
    source: Fields,
    reading: Fields,
    images: Optional[Fields],
    picture: Optional[str] = None,
    label_names: Sequence[tuple[int, str]] = (),
) -> Message:
    """Reply with a study as the networks need it."""
    named = _named(source)
    store = StudyFolders(Path(images["folder"]), images["volumes"]).write_images if images else None
    labels = None if named.labels is None else LabelFile(named.labels, dict(label_names))
    prepared = prepare(named.source, named.name, store, from_json(reading, ReadOptions), labels)
    if picture is not None:
        write_projection_picture(Path(picture), prepared.projection.image)
    facts = {
        "study": to_json(prepared.study),
        "extent_mm": prepared.extent_mm,
        "projection": prepared.projection.name,
        "direct": to_json(prepared.direct),
        "numbers": dict(prepared.numbers),
        "labels": to_json(prepared.labels),
    }
    return Message(facts, prepared.projection.image.tobytes())


def write_projection_in_reader(
    readers: Readers,
    source: NamedSource,
    reading: ReadOptions,
    image: Path,
    volumes: Optional[Path],
) -> list[Finding]:
    """Write a study's image, and its fused volumes if asked for; return its findings.

    Args:
        readers: The readers.
        source: The study.
        reading: How the study is read.
        image: File of the image, ``.npy``.
        volumes: Folder of the volumes, as NRRD; None if they are not asked for.

    Raises:
        MimirError: As ``Readers.call`` and ``open_volumes``; ``OUTPUT_UNWRITABLE``.
    """
    arguments = {
        "source": source_fields(source),
        "reading": to_json(reading),
        "image": os.path.abspath(image),
        "volumes": None if volumes is None else os.path.abspath(volumes),
    }
    reply = readers.call("write_projection", arguments)
    return [from_json(finding, Finding) for finding in reply.value]


def scan_source(source: Fields, reconstruction: str) -> Message:
    """Reply with the event ``scan`` of a study."""
    return Message(scan_event(_named(source), reconstruction))


def check_source(source: Fields, reading: Fields, picture: Optional[str]) -> Message:
    """Check a study without measuring it; reply with its findings and whether it has a picture.

    Args:
        source: The study.
        reading: How it is read.
        picture: File for the picture of a study with findings; None if it is not asked for.
    """
    named = _named(source)
    study, fused = read_and_check(named.source, named.name, from_json(reading, ReadOptions))
    is_drawn = picture is not None and bool(study.findings)
    if picture is not None and is_drawn:
        write_png(Path(picture), draw_findings(study.stations, fused, study.findings))
    return Message({"findings": to_json(study.findings), "is_drawn": is_drawn})


def write_projection(
    source: Fields, reading: Fields, image: str, volumes: Optional[str]
) -> Message:
    """Write a study's image, and its fused volumes if asked for; reply with its findings."""
    named = _named(source)
    options = from_json(reading, ReadOptions)
    with open_volumes(named.source, named.name, options) as opened:
        study = opened.study
        write_array(Path(image), project(opened.fused, options.water_factor).image)
        for made in opened.stitched(() if volumes is None else (WATER, FAT)):
            for volume in made.volumes:
                name = f"{safe_file_name(study.name)}_{made.name}.nrrd"
                write_image(Path(str(volumes)) / name, volume)
    return Message([to_json(finding) for finding in study.findings])


def _named(fields: Fields) -> NamedSource:
    named = source_from_fields(dict(fields))
    if named is None:
        raise MimirError("SOURCE_MISSING", "the study has no files", "Check the path.")
    return named
