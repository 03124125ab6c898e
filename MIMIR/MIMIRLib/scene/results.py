"""Show a study's results in the scene, and find them again."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Optional

from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.scene.charts import add_chart
from MIMIRLib.scene.cohort import COHORT_KEY as COHORT_KEY
from MIMIRLib.scene.cohort import find_cohort as find_cohort
from MIMIRLib.scene.cohort import update_cohort as update_cohort
from MIMIRLib.scene.fused_mark import FusedMark
from MIMIRLib.scene.index import label_of, owned
from MIMIRLib.scene.kept_result import keep_result
from MIMIRLib.scene.measurement_table import measurement_table
from MIMIRLib.scene.node_marks import (
    CHART,
    FAT,
    FRACTION,
    MEASUREMENTS,
    PROFILE,
    PROJECTION,
    REGIONS,
    WATER,
    node_name,
)
from MIMIRLib.scene.profile import add_profile
from MIMIRLib.scene.regions import regions_node, show_regions
from MIMIRLib.scene.shown_measurement import in_display_order
from MIMIRLib.scene.subject import Subject
from MIMIRLib.scene.transaction import Transaction
from MIMIRLib.scene.volumes import (
    WHITE,
    fraction_node,
    projection_node,
    show_fraction,
    show_in_grey,
    volume_node,
)

#: Makes nodes one by one, so that an event loop can run in between.
NodesInTurn = Generator[Any, None, None]


@dataclass(frozen=True)
class StudyNodes:
    """MIMIR's own nodes of a study; None for those that were not made or were deleted.

    ``key`` is the study's UID or file name, ``label`` its label in the nodes' names.
    """

    water: Any = None
    fat: Any = None
    fraction: Any = None
    projection: Any = None
    table: Any = None
    chart: Any = None
    profile: Any = None
    regions: Any = None
    key: str = ""
    label: str = ""


def show_studies(
    scene: Any, studies: Sequence[tuple[Any, Subject]], volumes: bool = True, cohort: bool = True
) -> NodesInTurn:
    """Make the nodes of studies, one after the other, then update the table of the cohort.

    After the last one, the studies' earlier nodes of the same kinds are removed; views that show
    those then show the new ones. If the generator is closed before its end, the scene is unchanged.

    Args:
        scene: The scene.
        studies: The engine's ``StudyFolder`` of each study, and its place in the subject hierarchy.
        volumes: Show the fused volumes, if they were kept.
        cohort: Update the table of the cohort; False if the caller does so.

    Yields:
        Each node that people look at, when it is in the scene.

    Raises:
        MimirError: ``DETAILS_INVALID``; the scene is unchanged.
    """
    with Transaction(scene) as transaction:
        for folder, subject in studies:
            yield from _study(transaction, folder, subject, volumes)
        transaction.commit()
    if cohort:
        update_cohort(scene)


def show_volumes(
    scene: Any, key: str, fused: Any, study: Mapping[str, Any], subject: Subject
) -> tuple[Any, Any, Any]:
    """Show fused volumes without measuring, in place of the study's earlier ones.

    Args:
        scene: The scene.
        key: The study's UID or file name.
        fused: The engine's ``FusedVolumes``.
        study: The study that they were fused from, as the engine's ``describe_study`` returns it.
        subject: Its place in the subject hierarchy.

    Returns:
        The nodes of water, fat and fat fraction.

    Raises:
        MimirError: ``EMPTY_IMAGE``; the scene is unchanged.
    """
    import_engine()
    from mimir_engine.projection.fat_fraction_map import fat_fraction_map

    fraction = fat_fraction_map(fused)
    with Transaction(scene) as transaction:
        label = transaction.begin(key, subject)
        nodes = (
            _grey(transaction, key, WATER, label, fused.water, study),
            _grey(transaction, key, FAT, label, fused.fat, study),
            _fraction(transaction, key, label, fraction),
        )
        transaction.commit()
        return nodes


def find_results(scene: Any, key: str) -> Optional[StudyNodes]:
    """Return MIMIR's nodes of a study, without users' clones; None if it has none."""
    nodes = StudyNodes(
        water=owned(scene, key, WATER),
        fat=owned(scene, key, FAT),
        fraction=owned(scene, key, FRACTION),
        projection=owned(scene, key, PROJECTION),
        table=owned(scene, key, MEASUREMENTS),
        chart=owned(scene, key, CHART),
        profile=owned(scene, key, PROFILE),
        regions=owned(scene, key, REGIONS),
    )
    label = label_of(scene, key) or key
    return None if nodes == StudyNodes() else replace(nodes, key=key, label=label)


def _study(transaction: Transaction, folder: Any, subject: Subject, volumes: bool) -> NodesInTurn:
    key = folder.result.name
    label = transaction.begin(key, subject)
    if folder.result.measurements or folder.result.direct or folder.result.labels:
        table = measurement_table(folder.result, node_name(MEASUREMENTS, label))
        keep_result(table, folder)
        yield transaction.add(table, key, MEASUREMENTS)
    if any(m.kind != "class" for m in folder.result.measurements):
        yield add_chart(transaction, key, label, in_display_order(folder.result.measurements))
    if folder.result.direct:
        yield add_profile(transaction, key, label, folder.profile())
    name = node_name(PROJECTION, label)
    projection = projection_node(folder.projection(), folder.projection_name, name)
    transaction.add(projection, key, PROJECTION)
    show_in_grey(transaction.scene, projection, WHITE)
    yield projection
    if volumes and folder.has_volumes:
        yield _grey(transaction, key, WATER, label, folder.water(), folder.description)
        yield _grey(transaction, key, FAT, label, folder.fat(), folder.description)
        yield _fraction(transaction, key, label, folder.fat_fraction())
        yield _regions(transaction, key, label, folder.regions())


def _grey(
    transaction: Transaction, key: str, role: str, label: str, volume: Any, study: Mapping[str, Any]
) -> Any:
    node = volume_node(volume, node_name(role, label))
    FusedMark(study, volume.affine.tolist(), list(volume.array.shape)).write(node)
    transaction.add(node, key, role)
    show_in_grey(transaction.scene, node)
    return node


def _regions(transaction: Transaction, key: str, label: str, regions: Any) -> Any:
    from mimir_engine.direct import PART_NAMES

    node = regions_node(regions, PART_NAMES, node_name(REGIONS, label))
    transaction.add(node, key, REGIONS)
    show_regions(transaction.scene, node)
    return node


def _fraction(transaction: Transaction, key: str, label: str, fraction: Any) -> Any:
    node = fraction_node(fraction, node_name(FRACTION, label))
    transaction.add(node, key, FRACTION)
    show_fraction(transaction.scene, node)
    return node
