"""Say what was found in a measured study: by the checks, by its networks, and between the two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from MIMIRLib.scene.kept_result import kept_result
from MIMIRLib.scene.measurement_table import findings_of
from MIMIRLib.translate import tr as _


def result_findings(table: Any) -> list[Mapping[str, Any]]:
    """Return the findings of a study, each with the fields of the engine's ``Finding``.

    Args:
        table: Its table of measurements. One of an earlier version has what checks found only.
    """
    kept, found = kept_result(table), findings_of(table)
    if kept is None:
        return found
    from mimir_engine.measuring.flags import UNUSUAL_SCAN

    return [
        *(finding for finding in found if finding["code"] != UNUSUAL_SCAN),
        *map(_scan_finding, kept.result.comparisons),
        *_contradicted(kept.result),
    ]


def _scan_finding(comparison: Any) -> Mapping[str, Any]:
    """Return whether an inference module knows such scans, and what differs most if not."""
    from mimir_engine.measuring.flags import UNUSUAL_SCAN

    if comparison.ratio is None:
        text = _("It is not known whether this scan is like those that {module} was made for")
        remedy = _("The inference module does not describe its scans.")
    elif comparison.is_unusual:
        text = _("The scan is unlike the {reference}")
        differences = [f"- {each.words}" for each in comparison.contributions]
        advice = _("Look at the images. Do not rely on the values of {module}.")
        remedy = "\n".join(
            (_("It differs most in:"), *differences, advice.format(module=comparison.module))
        )
    else:
        text, remedy = _("The scan is like the {reference}"), ""
    return {
        "code": UNUSUAL_SCAN if comparison.is_unusual else f"SCAN_{comparison.verdict}",
        "severity": "warning" if comparison.is_unusual else "note",
        "sentence": text.format(module=comparison.module, reference=comparison.reference),
        "remedy": remedy,
    }


def _contradicted(result: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the estimates that do not go with what was measured directly in the images."""
    from mimir_engine.measuring.display_text import number
    from mimir_engine.measuring.flags import DISAGREES_WITH_IMAGE
    from mimir_engine.measuring.image_agreement import BOUNDS
    from mimir_engine.measuring.measurement_group import naming_of

    direct = {quantity.name: quantity for quantity in result.direct if quantity.value is not None}
    sentence = _("{measurement}, {value} {unit}, does not go with what the images show")
    beside = _("Measured directly: {quantities}.")
    for measurement in result.measurements:
        if DISAGREES_WITH_IMAGE not in measurement.flags:
            continue
        bounds = BOUNDS.get((measurement.target, measurement.unit))
        names = bounds.quantities if bounds is not None else ()
        lines = [_("Look at the images, and do not rely on this value.")]
        shown = [_direct_text(direct[name]) for name in names if name in direct]
        if shown:
            lines.insert(0, beside.format(quantities=", ".join(shown)))
        yield {
            "code": DISAGREES_WITH_IMAGE,
            "severity": "warning",
            "sentence": sentence.format(
                measurement=naming_of(measurement.target).label,
                value=number(measurement.value, measurement.sd),
                unit=measurement.unit,
            ),
            "remedy": "\n".join(lines),
        }


def _direct_text(quantity: Any) -> str:
    from mimir_engine.measuring.measurement_group import naming_of

    name = naming_of(f"direct_{quantity.name}").short_label
    return f"{name} {quantity.value:.4g} {quantity.unit}"
