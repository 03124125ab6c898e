"""One column of a table of results: its names and what it holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional, Union

#: Most digits of a number that fits into 64 bits with certainty.
MAX_DIGITS = 18
_NUMBER = re.compile(rf"0|[1-9][0-9]{{0,{MAX_DIGITS - 1}}}")

Cell = Union[str, float, None]


@dataclass(frozen=True)
class Measured:
    """Describe a measurement to which columns belong; all empty for other columns.

    Attributes:
        name: Its long name: the module's column prefix and the target's name, or ``direct_…``.
        short_name: Its short name.
        title: Its name in plain words.
        unit: Its unit; empty for a class or a bare number.
        ukb_field: UK Biobank's field of the target; empty if it has none.
        module: Name of the inference module; empty without a network.
        module_version: Its version.
    """

    name: str = ""
    short_name: str = ""
    title: str = ""
    unit: str = ""
    ukb_field: str = ""
    module: str = ""
    module_version: str = ""


@dataclass(frozen=True)
class Column:
    """Describe one column of a table of results.

    Attributes:
        what: What it holds: one of the constants of this file.
        label: What it holds in plain words.
        names: Its name in each style of table that has it.
        unit: Its unit; empty without one.
        level: Level of the interval of a bound; else None.
        measured: The measurement that it belongs to.
    """

    what: str
    label: str
    names: Mapping[str, str]
    unit: str = ""
    level: Optional[float] = None
    measured: Measured = Measured()


def id_number(text: str) -> Optional[int]:
    """Return an id of UK Biobank as a number; None for any other text.

    Text with leading zeros is no such id: as a number it would be another's.

    Examples:
        >>> id_number("1000001"), id_number("0012345"), id_number("")
        (1000001, None, None)
    """
    return int(text) if _NUMBER.fullmatch(text) else None
