"""Say in words, pictures and tables what was found in one study."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Optional

import numpy as np

from mimir_engine.direct.direct_measurement import DirectMeasurement, direct_column
from mimir_engine.inference_module.module_card import ModuleCard
from mimir_engine.labels.label_measurement import LabelMeasurement
from mimir_engine.measuring.display_text import percentile_text
from mimir_engine.measuring.flags import DEMONSTRATION, flag_sentence
from mimir_engine.measuring.measurement import Measurement
from mimir_engine.measuring.measurement_group import (
    display_order,
    group_of,
    naming_of,
    short_label,
)
from mimir_engine.measuring.same_quantity import Road, remarks, same_quantities
from mimir_engine.measuring.study_result import StudyResult
from mimir_engine.report.blocks import (
    PLAIN,
    QUIET,
    WARNING,
    Block,
    Chart,
    Heading,
    Paragraph,
    Picture,
    Pictures,
    Report,
    Table,
)
from mimir_engine.report.interval_chart import chart_labels, estimate_in_words, shared_flags
from mimir_engine.report.measured_study import MeasuredStudy
from mimir_engine.report.projection_pictures import projection_pictures
from mimir_engine.study.finding import NOTE, Finding

RESEARCH_ONLY = "Research use only, not for diagnosis."
LABELS_IN_WORDS = (
    "Fat fractions are means of the signal fat fraction, which is not a PDFF. Inner voxels are left"
    " after one voxel was eroded; they hold least of the tissue around. At the edge: share of the"
    " label where the view ends."
)
#: Digits of a hash that are shown.
HASH_DIGITS = 16


def study_report(
    study: MeasuredStudy,
    projection: Optional[np.ndarray] = None,
    picture: Optional[np.ndarray] = None,
    title: str = "",
) -> Report:
    """Write the report of a study.

    Args:
        study: The study.
        projection: uint8 ``(3, 256, 256)``; None leaves the images out.
        picture: uint8 ``(height, width, 3)``, as ``checks.finding_picture`` draws it; None leaves
            it out.
        title: The study's name for people; by default its file name or UID.
    """
    blocks: list[Block] = [
        *_facts(study, title),
        Heading("Checks of the scan"),
        *check_paragraphs(study.result),
        *_place_of_findings(picture),
        *_images(projection),
        *_estimates(study.result.measurements),
        *_direct(study.result.direct),
        *_labels(study.result.labels),
        *_same_quantities(study.result),
        *_modules(study.made_with.modules),
        *_origin(study),
    ]
    return Report(title or study.result.name, tuple(blocks))


def _facts(study: MeasuredStudy, title: str) -> Iterator[Block]:
    result = study.result
    facts = {
        "Study": result.name if title else "",
        "Participant": result.eid,
        "Visit": result.instance,
        "Scanned": result.month,
        "Scanner": study.scanner,
        "Stations": f"{study.stations or ''}",
    }
    known = [f"{name}: {value}" for name, value in facts.items() if value]
    if known:
        yield Paragraph(". ".join(known) + ".", QUIET)
    yield Paragraph(RESEARCH_ONLY, WARNING)
    if DEMONSTRATION in result.flags:
        yield Paragraph(flag_sentence(DEMONSTRATION), WARNING)
    for card in study.made_with.modules:
        yield Paragraph(f"The inference module {card.name} was validated on: {card.valid_for}.")


def check_paragraphs(result: StudyResult) -> Iterator[Paragraph]:
    """Yield what was found in the scan, then how it compares with usual ones, then flags."""
    if not result.findings:
        yield Paragraph("The checks of headers and images found nothing unusual.")
    yield from map(_finding, result.findings)
    for comparison in result.comparisons:
        yield Paragraph(comparison.sentence, WARNING if comparison.is_unusual else PLAIN)
    flagged = {flag: [m for m in result.measurements if flag in m.flags] for flag in result.flags}
    for flag, measurements in flagged.items():
        if measurements and flag != DEMONSTRATION:
            whose = ", ".join(_whose(measurements, result.measurements))
            yield Paragraph(f"{whose[:1].upper()}{whose[1:]}: {flag_sentence(flag)}", WARNING)


def _whose(flagged: Sequence[Measurement], measurements: Sequence[Measurement]) -> Iterator[str]:
    """Yield the names of flagged measurements; once for all those of a module."""
    for module in dict.fromkeys(m.module for m in flagged):
        named = [m for m in flagged if m.module == module]
        if len(named) > 1 and len(named) == sum(m.module == module for m in measurements):
            yield f"all measurements of {module}"
        else:
            yield from (short_label(m.target) for m in named)


def _finding(finding: Finding) -> Paragraph:
    word = "Note" if finding.severity == NOTE else "Warning"
    text = f"{word}: {finding.sentence}. {finding.remedy}".strip()
    return Paragraph(text, PLAIN if finding.severity == NOTE else WARNING)


def _place_of_findings(picture: Optional[np.ndarray]) -> Iterator[Block]:
    if picture is not None:
        title = "Where: coronal plane through the middle of the body"
        aspect = picture.shape[0] / picture.shape[1]
        yield Pictures((Picture(picture, title, ("water", "fat fraction"), 0.5, aspect),))


def _images(projection: Optional[np.ndarray]) -> Iterator[Block]:
    if projection is not None:
        yield Heading("Images")
        yield projection_pictures(projection)


def _estimates(measurements: Sequence[Measurement]) -> Iterator[Block]:
    if not measurements:
        return
    yield Heading("Estimates and their intervals")
    yield Chart(tuple(measurements))
    yield Heading("All measurements")
    ordered = sorted(measurements, key=lambda m: display_order(m.target))
    labels = dict(zip((m.name for m in ordered), chart_labels(ordered)))
    shared = shared_flags(measurements)
    rows: list[tuple[str, ...]] = []
    for group, members in groupby(ordered, key=lambda m: group_of(m.target)):
        rows += [(group,), *(_row(m, labels[m.name], shared) for m in members)]
    level = next((f"{100 * m.level:g} %" for m in measurements), "")
    head = ("measurement", "value", f"{level} interval", "percentile", "z", "flags", "module")
    yield Table(head, tuple(rows), (0.24, 0.13, 0.16, 0.11, 0.07, 0.16, 0.13))
    yield from _references(measurements)


def _row(m: Measurement, label: str, shared: Sequence[str]) -> tuple[str, ...]:
    return (
        label,
        estimate_in_words(m),
        m.interval_text,
        percentile_text(m.percentile),
        "" if m.z_score is None else f"{m.z_score:+.1f}",
        ", ".join(flag.lower().replace("_", " ") for flag in m.flags if flag not in shared),
        f"{m.module} {m.module_version}",
    )


def _references(measurements: Sequence[Measurement]) -> Iterator[Paragraph]:
    quantities = [m for m in measurements if m.kind != "class"]
    for word, names in (
        ("Percentiles are places among", [m.percentile_reference for m in quantities]),
        ("z-scores are relative to", [m.z_reference for m in quantities]),
    ):
        known = "; ".join(dict.fromkeys(filter(None, names)))
        if known:
            yield Paragraph(f"{word}: {known}.", QUIET)
    sexes = {f"{m.sex} ({m.sex_source})" for m in measurements if m.sex}
    if sexes:
        yield Paragraph(f"Sex used for them: {', '.join(sorted(sexes))}.", QUIET)


def _direct(quantities: Sequence[DirectMeasurement]) -> Iterator[Block]:
    if not quantities:
        return
    yield Heading("Measured directly in the images, without a network")
    rows = tuple(
        (
            naming_of(direct_column(quantity.name)).short_label,
            "" if quantity.value is None else f"{quantity.value:.3g} {quantity.unit}",
            f"cannot be measured: {quantity.reason}" if quantity.value is None else "",
        )
        for quantity in quantities
    )
    yield Table(("quantity", "value", "note"), rows, (0.35, 0.2, 0.45))


def _labels(labels: Sequence[LabelMeasurement]) -> Iterator[Block]:
    if not labels:
        return
    yield Heading("Labels of the segmentation")
    head = ("label", "volume", "fat fraction", "in its inner voxels", "at the edge", "note")
    yield Table(head, tuple(map(_label_row, labels)), (0.28, 0.12, 0.13, 0.15, 0.12, 0.2))
    yield Paragraph(LABELS_IN_WORDS, QUIET)


def _label_row(label: LabelMeasurement) -> tuple[str, ...]:
    fractions = (label.fat_fraction_percent, label.core_fat_fraction_percent)
    return (
        label.title,
        f"{label.volume_l:.3g} L",
        *("" if percent is None else f"{percent:.1f} %" for percent in fractions),
        f"{100 * label.edge_share:.1f} %" if label.edge_share else "",
        label.reason,
    )


def _same_quantities(result: StudyResult) -> Iterator[Block]:
    """Yield what several ways of measuring give, and how each defines the quantity."""
    quantities = same_quantities(result)
    if not quantities:
        return
    yield Heading("Several ways to the same quantity")
    rows: list[tuple[str, ...]] = []
    for quantity in quantities:
        rows += [(quantity.label,), *(_road_row(road, quantity.unit) for road in quantity.roads)]
    head = ("from", "what", "value", "interval", "definition")
    yield Table(head, tuple(rows), (0.11, 0.27, 0.11, 0.15, 0.36))
    yield from (Paragraph(note, QUIET) for note in remarks(quantities))


def _road_row(road: Road, unit: str) -> tuple[str, ...]:
    value = f"{road.value_text} {unit}"
    return (road.kind, road.label, value, road.interval_text, road.note)


def _modules(cards: Sequence[ModuleCard]) -> Iterator[Block]:
    if cards:
        yield Heading("Inference modules")
    for card in cards:
        yield Paragraph(f"{card.name} {card.version}: {card.title}. {card.description}")
        facts = (
            f"Validated on: {card.valid_for}",
            f"Networks: {card.networks}",
            f"Licence: {card.licence}",
            f"SHA-256 of module.json: {card.sha256[:HASH_DIGITS]}",
        )
        yield Paragraph(". ".join(facts) + ".", QUIET)


def _origin(study: MeasuredStudy) -> Iterator[Block]:
    if study.made_with.run:
        yield Heading("How the numbers were made")
        known = (f"{name} {value}" for name, value in study.made_with.run.items() if value)
        yield Paragraph(", ".join(known).replace("_", " ") + ".", QUIET)
