"""Name measurements so shortly that R and Stata take the names of all their columns.

``measurement_names.csv`` has the short names of known measurements. The others follow from the name
alone, so that no module changes the names of another's columns:

- A target's name is written with underscores: ``spleenSize`` as ``spleen_size``. If that is too
  long, begins with a capital letter or means something else, its first letters stand before six
  digits of the name's SHA-256.
- A prefix of up to seven small letters and digits is kept; any other is written as two letters and
  five digits of its hash. Two underscores end it: ``phantom_liverFat`` is ``phantom__liver_fat``.

A suffix such as ``_lo95`` follows for the column of a bound, and is at most ten characters long.
"""

from __future__ import annotations

import hashlib
import re

from mimir_engine.measuring.measurement_group import known_names

#: Longest name of a column in Stata (limits of Stata, "name of a variable").
MAX_COLUMN = 32
#: Longest suffix of a column: that of a bound whose level has six digits, as in ``_lo98_7654``.
MAX_SUFFIX = 10
#: Longest prefix and longest target in a short name, with two underscores between them.
MAX_PREFIX, MAX_TARGET = 7, 13

#: Names of columns that all tables have, and words that R or Stata keep for themselves
#: (``?Reserved`` in R; "reserved words" in Stata's manual on names).
RESERVED = frozenset(
    (
        *("name", "eid", "instance", "flags"),
        *("if", "else", "repeat", "while", "function", "for", "next", "break", "in"),
        *("byte", "double", "float", "int", "long", "using", "with"),
    )
)
#: Last words that would look like a suffix, hashes, and what else has a meaning.
_TAKEN = re.compile(r"(.*_)?(sd|score|(lo|hi)\d.*|[0-9a-f]{6})|str(l|\d+)|direct_.*")
_PREFIX = re.compile(rf"([a-z][a-z0-9]{{0,{MAX_PREFIX - 1}}})_")
_HASHED_PREFIX = re.compile(r"[a-z]{2}[0-9a-f]{5}")


def short_name(target: str, prefix: str = "") -> str:
    """Return the short name of a measurement: of its estimate's column, before any suffix.

    Args:
        target: Name of the target; of a direct measurement, ``direct_`` and its name.
        prefix: Column prefix of the inference module.

    Examples:
        >>> short_name("AtlasVatVolume"), short_name("liverFat", "phantom_")
        ('vat', 'phantom__liver_fat')
        >>> short_name("spleenSize"), short_name("BMI")
        ('spleen_size', 'bmi_c16431')
    """
    known = known_names().get(target)
    name = known.short_name if known else _unknown_target(target)
    return f"{_short_prefix(prefix)}__{name}" if prefix else name


def _unknown_target(target: str) -> str:
    """Return a target's name with underscores, or its first letters and a hash."""
    name = re.sub(r"(?=[A-Z])", "_", target).lower()
    known = {naming.short_name for naming in known_names().values()}
    is_free = not _TAKEN.fullmatch(name) and name not in known | RESERVED
    if name[0] != "_" and len(name) <= MAX_TARGET and is_free:
        return name
    return f"{target.lower()[:6]}_{_digits(target, 6)}"


def _short_prefix(prefix: str) -> str:
    match = _PREFIX.fullmatch(prefix)
    if match and not _HASHED_PREFIX.fullmatch(match[1]):
        return match[1]
    letters = "".join(re.findall("[a-z]", prefix.lower()))
    return f"{letters:x<2}"[:2] + _digits(prefix, 5)


def _digits(text: str, count: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:count]
