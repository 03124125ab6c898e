"""Create study requests from volumes of the scene, and give studies a segmentation of the scene."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional, Union

from MIMIRLib.analysis.request import StudyRequest
from MIMIRLib.analysis.studies import from_database, from_volumes
from MIMIRLib.analysis.study_outcome import StudyOutcome
from MIMIRLib.database.study_list import StudyEntry, iso_date
from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.scene.label_map import labels_of
from MIMIRLib.scene.scene_pair import ScenePair
from MIMIRLib.scene.subject import Subject
from MIMIRLib.scene.subject_hierarchy import patient_and_study_above
from MIMIRLib.scene.volume_file import write_array, write_volume

#: A study to measure: one of the database, by its entry or UID, or volumes of the scene.
Chosen = Union[StudyEntry, str, ScenePair]
LABELS_FILE, NAMES_FILE = "labels.nrrd", "label_names.csv"


def all_chosen(
    database: Any, studies: Iterable[Chosen], segmentation: Optional[Any], folder: Path
) -> Iterator[Union[StudyRequest, StudyOutcome]]:
    """Yield studies of the database and of the scene; or why one cannot be measured.

    Args:
        database: Slicer's DICOM database.
        studies: The studies.
        segmentation: Node of a segmentation or a label map of the one study; None without one.
        folder: For files; it must exist until the studies are measured.
    """
    for study in studies:
        try:
            yield with_labels(_request(database, study, folder), segmentation, folder)
        except import_engine().MimirError as error:
            yield StudyOutcome(key_of(study), code=error.code, reason=error.reason)


def key_of(study: Chosen) -> str:
    """Return the key of a study."""
    if isinstance(study, ScenePair):
        return study.key
    return study if isinstance(study, str) else study.study_uid


def from_scene(pair: ScenePair, folder: Path) -> StudyRequest:
    """Return a study given by volumes of the scene; the engine reads copies in files.

    Volumes that MIMIR has fused and nobody has changed are those of their study: its scanner is
    known. All others are measured as a stitched study of an unknown scanner.

    Args:
        pair: The volumes.
        folder: For the copies; it must exist until they are measured.

    Raises:
        MimirError: ``VOLUMES_DIFFER``, ``VOLUME_EMPTY``, ``VOLUME_TRANSFORMED``,
            ``OUTPUT_UNWRITABLE``.
    """
    if pair.is_fused_by_mimir:
        return from_volumes(pair.water, pair.fat, folder / "fused")
    files = []
    for contrast, node in pair.nodes():
        path = folder / f"{contrast}.nrrd"
        write_volume(node, path)
        files.append((contrast, str(path)))
    nodes = tuple((contrast, node.GetID()) for contrast, node in pair.nodes())
    return StudyRequest(pair.key, volumes=tuple(files), nodes=nodes, subject=_subject_of(pair))


def with_labels(study: StudyRequest, segmentation: Optional[Any], folder: Path) -> StudyRequest:
    """Return a study with a segmentation of the scene, whose labels are measured, too.

    Args:
        study: The study.
        segmentation: Node of a segmentation or a label map; None changes nothing.
        folder: For files; it must exist until the study is measured.

    Raises:
        MimirError: ``SEGMENTATION_EMPTY``, ``SEGMENTATION_WITHOUT_GRID``, ``SEGMENTS_OVERLAP``,
            ``VOLUME_TRANSFORMED``, ``OUTPUT_UNWRITABLE``.
    """
    if segmentation is None:
        return study
    from mimir_engine.files.csv_writer import write_csv

    labels, path = labels_of(segmentation), folder / LABELS_FILE
    write_array(labels.array, labels.ras_affine, path)
    if not labels.names:
        return replace(study, labels=str(path))
    write_csv(folder / NAMES_FILE, ["label", "name"], list(labels.names.items()))
    return replace(study, labels=str(path), label_names=str(folder / NAMES_FILE))


def _request(database: Any, study: Chosen, folder: Path) -> StudyRequest:
    if isinstance(study, ScenePair):
        return from_scene(study, folder)
    return from_database(database, study)


def _subject_of(pair: ScenePair) -> Subject:
    """Return whose study it is: the patient and study above the water volume in Slicer's tree."""
    study_uid, patient_id, patient_name, date = patient_and_study_above(pair.water)
    return Subject(study_uid, patient_id, patient_name, iso_date(date), pair.title)
