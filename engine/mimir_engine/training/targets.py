"""Read tables of targets: one row per study and target.

CSV (UTF-8) or Parquet, with the columns ``study``, ``target`` and ``value``; ``person`` and
``unit`` if known; other columns are ignored. A study is identified by its name, by UK Biobank's
participant and visit (``1234567_2``), or by the participant alone. Unknown values are left out,
empty, or a code of UK Biobank where values cannot be negative.

A second table may define the targets: ``name``, ``unit``, ``ukb_field``, ``divisor``, ``kind``,
``non_negative``, all but the name optional.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Optional

import numpy as np

from mimir_engine.cohort.images.image_folder import StudyId, TargetDefinition
from mimir_engine.errors import MimirError
from mimir_engine.files.table_reader import Table, open_table, to_number, to_text
from mimir_engine.inference_module.missing_codes import coded_missing, only_codes_are_negative
from mimir_engine.inference_module.published_targets import (
    NON_NEGATIVE_UNITS,
    catalogue,
    find_published,
    implausible_mean,
)
from mimir_engine.inference_module.target import Target
from mimir_engine.training.mixed_units import find_mixed_units

INVALID = "TARGETS_INVALID"
#: Targets in which men exceed women.
SIZES = ("height", "weight")
#: Number of each sex, and excess of the women's median in SD, that show an exchange.
MIN_OF_A_SEX, MIN_EXCESS = 20, 0.5
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_DEFINITION = ("name", "unit", "ukb_field", "divisor", "kind", "non_negative")


@dataclass(frozen=True, eq=False)
class TargetTable:
    """Targets of some studies.

    Attributes:
        names: The targets, sorted.
        values: float64 ``(studies, targets)``, NaN = unknown.
        unknown: Names in the tables that belong to none of the studies, sorted.
        units: Unit of each target for which the tables name one.
        persons: Person of each row for which the tables name one.
    """

    names: tuple[str, ...]
    values: np.ndarray
    unknown: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    persons: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Labels:
    """Values that networks can learn, with their meaning.

    Attributes:
        definitions: One per column.
        values: float64 ``(studies, targets)``, NaN = unknown, without codes for missing answers.
        coded: Number of such codes by target.
        notes: What is odd about the values, in sentences.
    """

    definitions: tuple[TargetDefinition, ...]
    values: np.ndarray
    coded: Mapping[str, int]
    notes: tuple[str, ...] = ()


def read_targets(paths: Iterable[Path], studies: Sequence[StudyId]) -> TargetTable:
    """Read the targets of studies, in the studies' order.

    Raises:
        MimirError: ``TARGETS_INVALID`` for an invalid table, two values of one study, or a
            participant with several visits and no visit in the table.
    """
    rows_of = rows_by_key(studies)
    known: dict[str, dict[int, float]] = {}
    units: dict[str, str] = {}
    persons: dict[int, str] = {}
    unknown: set[str] = set()
    for path in paths:
        with open_table(path, INVALID) as table:
            for line, study, target, value, unit, person in _values(table):
                rows = rows_of.get(study) or rows_of.get(study.removesuffix(".0"), ())
                if unit and units.setdefault(target, unit) != unit:
                    raise table.error(f"{target} is given in {units[target]} and in {unit}", line)
                if len(rows) > 1 and not math.isnan(value):
                    raise table.error(f"'{study}' has several visits: add the visit", line)
                for row in rows if person else ():
                    if persons.setdefault(row, person) != person:
                        raise table.error(f"'{study}' has two different persons", line)
                if math.isnan(value):
                    continue
                labels = known.setdefault(target, {})
                if not rows:
                    unknown.add(study)
                elif labels.setdefault(rows[0], value) != value:
                    raise table.error(f"'{study}' has two different values of {target}", line)
    values = np.full((len(studies), len(known)), np.nan)
    for column, name in enumerate(sorted(known)):
        values[list(known[name].keys()), column] = list(known[name].values())
    return TargetTable(tuple(sorted(known)), values, tuple(sorted(unknown)), units, persons)


def rows_by_key(studies: Sequence[StudyId]) -> dict[str, tuple[int, ...]]:
    """Index the studies by participant, by participant and visit, and by name; names win."""
    rows: dict[str, tuple[int, ...]] = {}
    for row, study in enumerate(studies):
        for key in study.ids - {study.name}:
            rows[key] = (*rows.get(key, ()), row)
    rows.update((study.name, (row,)) for row, study in enumerate(studies))
    return rows


def read_labels(
    path: Optional[Path],
    table: TargetTable,
    only: Collection[str] = (),
    allow_odd_values: bool = False,
) -> Labels:
    """Define each target of the table, and check its values against the definition.

    Gaps in the definitions are filled as published. Everything that would keep the targets out of
    an inference module is found here, before hours of training.

    Args:
        path: Table of definitions, if there is one.
        table: The values.
        only: Targets that are to be learned, and so checked; empty for all.
        allow_odd_values: Note values that seem to have a wrong unit, instead of refusing them.

    Raises:
        MimirError: ``TARGETS_INVALID``, also if values contradict the definition;
            ``UNITS_DOUBTFUL``.
    """
    given = _definitions(path) if path else {}
    if absent := sorted(given.keys() - set(table.names)):
        raise _invalid(f"no table has a value of {', '.join(absent)}")
    definitions: list[TargetDefinition] = []
    values, coded, notes = table.values.copy(), dict[str, int](), list[str]()
    for column, name in enumerate(table.names):
        cells = {"unit": table.units.get(name, ""), **_without_gaps(given.get(name, {}))}
        if table.units.get(name, "") not in ("", cells["unit"]):
            what = f"{name} is defined in {cells['unit']}, but its values are in"
            raise _invalid(f"{what} {table.units[name]}")
        values[:, column], count = _without_codes(name, cells, values[:, column])
        definition = _definition(name, cells, values[:, column])
        if not only or name in only:
            check_definition(definition)
            notes.append(_doubt(definition, values[:, column]))
        definitions.append(definition)
        coded.update({name: count} if count else {})
    notes = [note for note in (*notes, _reversed_sex(table.names, values)) if note]
    if notes and not allow_odd_values:
        raise MimirError(
            "UNITS_DOUBTFUL",
            "; ".join(notes),
            "Correct the values or the divisor; nothing is converted by itself. If they are right,"
            " give --allow-odd-values.",
        )
    return Labels(tuple(definitions), values, coded, tuple(notes))


def check_definition(definition: TargetDefinition) -> None:
    """Refuse a target that an inference module could not hold.

    Raises:
        MimirError: ``TARGETS_INVALID``.
    """
    try:
        Target(**asdict(definition), mean=0.0, sd=1.0)
    except MimirError as error:
        remedy = "Names have letters and digits only, such as liverFat; see docs/training.md."
        raise MimirError(INVALID, error.what, remedy) from error


def _without_gaps(cells: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in cells.items() if text}


def _without_codes(
    name: str, cells: Mapping[str, str], values: np.ndarray
) -> tuple[np.ndarray, int]:
    """Remove UK Biobank's codes for missing answers where no value can be negative.

    Returns:
        The values, and the number of codes among them.
    """
    unit, stated = cells.get("unit", ""), _TRUTHS.get(cells.get("non_negative", "").lower())
    is_published = find_published(name, cells.get("ukb_field", "")) is not None
    is_positive = is_published or unit in NON_NEGATIVE_UNITS or cells.get("kind") == "class"
    if stated is False or not (values < 0).any():
        return values, 0
    if not (stated or is_positive):
        if not only_codes_are_negative(values):
            return values, 0
        if not cells.get("ukb_field"):
            raise _invalid(
                f"the only negative values of {name} are codes of UK Biobank for missing answers,"
                " like -1 and -3: state in a table of definitions whether it is non_negative"
            )
    coded = coded_missing(values)
    return np.where(coded, np.nan, values), int(coded.sum())


def _doubt(definition: TargetDefinition, values: np.ndarray) -> str:
    """Say why the unit of some or all values seems to be wrong; empty if nothing is odd."""
    if definition.kind == "class":
        return ""
    if mixed := find_mixed_units(values):
        return (
            f"{definition.name} seems to have two units: {mixed.smaller} values are about"
            f" {mixed.factor:,} times smaller than the other {mixed.larger}"
        )
    known = np.isfinite(values)
    mean = float(values[known].mean()) / definition.divisor if known.any() else math.nan
    published = implausible_mean(definition.name, definition.ukb_field, mean) if mean > 0 else None
    if published is None or published.unit != definition.unit:
        return ""
    factor = 10.0 ** round(math.log10(mean / published.typical_value))
    return (
        f"the mean {definition.name} is {mean:.4g} {definition.unit}, but about"
        f" {published.typical_value:.3g} {published.unit} is expected"
        + ("" if factor == 1 else f": a divisor of {definition.divisor * factor:g} would fit")
    )


def _reversed_sex(names: Sequence[str], values: np.ndarray) -> str:
    """Say if women are larger than men, as if the codes of sex were exchanged; else empty."""
    if "sex" not in names:
        return ""
    sex = values[:, names.index("sex")]
    for name in SIZES:
        size = values[:, names.index(name)] if name in names else np.full(len(values), np.nan)
        women, men = (size[(sex == code) & np.isfinite(size)] for code in (0, 1))
        if min(len(women), len(men)) >= MIN_OF_A_SEX:
            spread = float(np.std(np.concatenate([women, men])))
            if np.median(women) - np.median(men) > MIN_EXCESS * spread:
                return f"{name} is larger in women than in men: 0 is female, 1 is male"
    return ""


def _values(table: Table) -> Iterator[tuple[int, str, str, float, str, str]]:
    """Yield line, study, target, value, unit and person of all rows of a table."""
    at_value = table.index("value")
    texts = [table.index("study"), table.index("target")]
    texts += [table.columns.index(n) if n in table.columns else -1 for n in ("unit", "person")]
    for line, row in table.rows:
        study, target, unit, person = (to_text(row[at]).strip() if at >= 0 else "" for at in texts)
        yield line, study, target, table.number(row[at_value], line, "value"), unit, person


def _definitions(path: Path) -> dict[str, dict[str, str]]:
    with open_table(path, INVALID) as table:
        table.index("name")
        places = [(name, table.index(name)) for name in table.columns if name in _DEFINITION]
        rows = [{name: to_text(row[at]).strip() for name, at in places} for _, row in table.rows]
    return {row["name"]: row for row in rows}


def _definition(name: str, given: Mapping[str, str], values: np.ndarray) -> TargetDefinition:
    published = catalogue().get(name)
    negative = bool((values < 0).any())
    definition = TargetDefinition(
        name=name,
        unit=given.get("unit") or (published.unit if published else ""),
        ukb_field=given.get("ukb_field") or (published.ukb_field if published else ""),
        divisor=_divisor(name, given.get("divisor") or "1"),
        kind=given.get("kind") or ("class" if name == "sex" else "quantity"),
        non_negative=_TRUTHS.get(given.get("non_negative", "").lower(), not negative),
    )
    if definition.kind not in ("class", "quantity"):
        raise _invalid(f"the kind of {name} must be class or quantity, not '{definition.kind}'")
    if definition.kind == "class" and not np.isin(values[np.isfinite(values)], (0, 1)).all():
        raise _invalid(f"{name} is a class, but not all its values are 0 or 1 (sex: 1 is male)")
    if definition.non_negative and negative:
        raise _invalid(f"{name} is defined as non-negative, but some values are negative")
    return definition


def _divisor(name: str, text: str) -> float:
    with suppress(ValueError):
        if (value := to_number(text)) > 0:
            return value
    raise _invalid(f"the divisor of {name} must be a positive number, not '{text}'")


def _invalid(what: str) -> MimirError:
    return MimirError(INVALID, what, "Correct the table; docs/training.md describes it.")
