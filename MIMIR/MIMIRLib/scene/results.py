"""A study's results in the scene: shown, found again, replaced."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Optional

from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.scene.charts import study_chart
from MIMIRLib.scene.colours import fraction_colours
from MIMIRLib.scene.fused_mark import sign_origin
from MIMIRLib.scene.hierarchy import Subject
from MIMIRLib.scene.marks import (
    CHART,
    CHART_DATA,
    COHORT,
    FAT,
    FRACTION,
    MEASUREMENTS,
    PROJECTION,
    SERIES,
    WATER,
    node_name,
)
from MIMIRLib.scene.tables import cohort_table, measurement_table
from MIMIRLib.scene.transaction import Exchange, label_of, owned
from MIMIRLib.scene.volumes import (
    WHITE,
    fraction_node,
    projection_node,
    show_in_colours,
    show_in_grey,
    volume_node,
)

#: Under which the cohort's table is kept; no study is called so, names of files have no such sign.
COHORT_KEY = "/cohort"

#: Makes nodes one by one, so that an event loop can go on in between.
NodesInTurn = Generator[Any, None, None]


@dataclass(frozen=True)
class StudyNodes:
    """MIMIR's own nodes of a study; None for what was not made or is gone.

    ``label`` is what the study is called in their names.
    """

    water: Any = None
    fat: Any = None
    fraction: Any = None
    projection: Any = None
    table: Any = None
    chart: Any = None
    label: str = ""


def show_study(scene: Any, details: Any, subject: Subject, volumes: bool = True) -> NodesInTurn:
    """Make a study's nodes, one after the other.

    The study's earlier nodes of the same kinds are removed after the last one; views that show
    those then show the new ones. A generator that is closed before its end leaves the scene as it
    was.

    Args:
        scene: The scene.
        details: The engine's ``StudyFolder``; its result's ``name`` is the study's key.
        subject: Under which item of the subject hierarchy.
        volumes: Show the fused volumes, if they were kept.

    Yields:
        Each node that people look at, when it is in the scene.

    Raises:
        MimirError: ``DETAILS_INVALID``; the scene is as it was.
    """
    return show_studies(scene, [(details, subject)], volumes)


def show_studies(
    scene: Any, studies: Sequence[tuple[Any, Subject]], volumes: bool = True
) -> NodesInTurn:
    """As ``show_study`` for several: the nodes of all of them stay, or none; then a cohort table.

    The cohort table is made only for more than one study, and is the last node.
    """
    with Exchange(scene) as exchange:
        for details, subject in studies:
            yield from _study(exchange, details, subject, volumes)
        if len(studies) > 1:
            yield _cohort(exchange, [details.result for details, _ in studies])
        exchange.commit()


def show_cohort(scene: Any, results: Iterable[Any]) -> Any:
    """Make the table of a cohort, a row a study, in place of the earlier one.

    Returns:
        The table node.
    """
    with Exchange(scene) as exchange:
        node = _cohort(exchange, list(results))
        exchange.commit()
        return node


def show_volumes(
    scene: Any, key: str, water: Any, fat: Any, origin: Mapping[str, Any], subject: Subject
) -> tuple[Any, Any, Any]:
    """Show fused volumes without measuring anything, in place of the study's earlier ones.

    Args:
        scene: The scene.
        key: The study's UID or file name.
        water: The engine's fused ``Volume``.
        fat: The same.
        origin: What they were fused from, as the engine's ``describe_study`` returns it.
        subject: Under which item of the subject hierarchy.

    Returns:
        The nodes of water, fat and fat fraction.

    Raises:
        MimirError: ``EMPTY_IMAGE``; the scene is as it was.
    """
    import_engine()
    from mimir_engine.fusion import FusedVolumes
    from mimir_engine.projection.fat_fraction_map import fat_fraction_map

    fraction = fat_fraction_map(FusedVolumes(water, fat))
    with Exchange(scene) as exchange:
        label = exchange.begin(key, subject)
        nodes = (
            _grey(exchange, key, WATER, label, water, origin),
            _grey(exchange, key, FAT, label, fat, origin),
            _fraction(exchange, key, label, fraction),
        )
        exchange.commit()
        return nodes


def find_results(scene: Any, key: str) -> Optional[StudyNodes]:
    """MIMIR's nodes of a study; None where there is not one. Users' clones are not among them."""
    nodes = StudyNodes(
        water=owned(scene, key, WATER),
        fat=owned(scene, key, FAT),
        fraction=owned(scene, key, FRACTION),
        projection=owned(scene, key, PROJECTION),
        table=owned(scene, key, MEASUREMENTS),
        chart=owned(scene, key, CHART),
    )
    return None if nodes == StudyNodes() else replace(nodes, label=label_of(scene, key))


def find_cohort(scene: Any) -> Optional[Any]:
    """MIMIR's table of the last cohort, if it is there."""
    return owned(scene, COHORT_KEY, COHORT)


def _study(exchange: Exchange, details: Any, subject: Subject, volumes: bool) -> NodesInTurn:
    key = details.result.name
    label = exchange.begin(key, subject)
    if details.result.measurements:
        table = measurement_table(details.result, node_name(MEASUREMENTS, label))
        yield exchange.add(table, key, MEASUREMENTS)
    if any(m.kind != "class" for m in details.result.measurements):
        yield _chart(exchange, key, label, details)
    projection = details.projection()
    name = node_name(PROJECTION, label)
    node = exchange.add(projection_node(projection, details.projection_name, name), key, PROJECTION)
    show_in_grey(exchange.scene, node, WHITE)
    yield node
    if volumes and details.has_volumes:
        yield _grey(exchange, key, WATER, label, details.water(), details.origin)
        yield _grey(exchange, key, FAT, label, details.fat(), details.origin)
        yield _fraction(exchange, key, label, details.fat_fraction())


def _grey(
    exchange: Exchange, key: str, role: str, label: str, volume: Any, origin: Mapping[str, Any]
) -> Any:
    node = volume_node(volume, node_name(role, label))
    sign_origin(node, origin, volume)
    exchange.add(node, key, role)
    show_in_grey(exchange.scene, node)
    return node


def _fraction(exchange: Exchange, key: str, label: str, fraction: Any) -> Any:
    colours = fraction_colours(exchange)
    made = fraction_node(fraction, node_name(FRACTION, label))
    node = exchange.add(made, key, FRACTION)
    show_in_colours(exchange.scene, node, colours, 0.0, 100.0)
    return node


def _chart(exchange: Exchange, key: str, label: str, details: Any) -> Any:
    made = study_chart(details.result.measurements, label)
    exchange.add(made.data, key, CHART_DATA, in_tree=False)
    for series in made.series:
        exchange.add(series, key, SERIES, in_tree=False)
    exchange.add(made.chart, key, CHART)
    made.connect()
    return made.chart


def _cohort(exchange: Exchange, results: Sequence[Any]) -> Any:
    return exchange.add(cohort_table(results, "MIMIR cohort"), COHORT_KEY, COHORT)
