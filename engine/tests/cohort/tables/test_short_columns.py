"""Short names are valid in R and Stata, all different, and independent of other modules."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable

import pytest
from random_modules import module_spec

from mimir_engine.cohort.tables.columns import table_columns
from mimir_engine.cohort.tables.styles import SHORT
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.inference_module.published_targets import catalogue
from mimir_engine.inference_module.target import Target
from mimir_engine.measuring.interval_level import MAX_LEVEL, MIN_LEVEL
from mimir_engine.measuring.measurement_group import known_names
from mimir_engine.measuring.short_names import MAX_COLUMN, RESERVED, short_name

#: No prefix, one that is kept, and one that is too long to be kept.
PREFIXES = ("", "phantom_", "bodycomposition-2024_")
#: Names that differ little, look like suffixes or known names, are reserved, or are long.
AWKWARD = (
    *("spleenSize", "SpleenSize", "spleensize", "SPLEENSIZE", "BMI", "bmi", "Bmi", "bMI"),
    *("vat", "VAT", "vatSd", "vatLo95", "vatHi97", "vatScore", "liver", "fat", "liverFat2", "sd"),
    *("name", "eid", "Flags", "in", "if", "function", "str8", "strl", "byte", "Break", "NULL"),
    *("directWaist", "x", "x1", "X1", "fat123abc", "fatA1B2C3", "aB"),
    *("a" * length for length in (13, 14, 400)),
    "bmiC16431",  # as the hash of BMI
    *("leftVentricularEndDiastolicVolume", "leftVentricularEndSystolicVolume"),
)


def module(name: str, prefix: str, targets: Iterable[str]) -> InferenceModule:
    """A module of quantities with percent and a slash in their units."""
    made = tuple(Target(target, "", "%/L", 1, 10.0, 2.0) for target in targets)
    return module_spec(name=name, column_prefix=prefix, targets=made)


def published_modules() -> list[InferenceModule]:
    """All published targets under each prefix."""
    return [module(f"m{n}", prefix, catalogue()) for n, prefix in enumerate(PREFIXES)]


def all_columns(modules: list[InferenceModule], level: float = 0.95) -> list[str]:
    return [column.names[SHORT] for column in table_columns(modules, level, SHORT)]


def is_valid_in_stata(name: str) -> bool:
    """Stata's rule, without names that begin with an underscore, which it also takes."""
    words = "byte double float if in int long strL using with"
    is_reserved = name in words.split() or re.fullmatch(r"str\d+|strl", name)
    return not is_reserved and re.fullmatch("[A-Za-z][A-Za-z0-9_]{,31}", name) is not None


@pytest.mark.parametrize("level", [MIN_LEVEL, 0.683, 0.95, 0.975, 0.987654, MAX_LEVEL])
def test_all_columns_of_all_published_targets_are_valid_and_different(level: float) -> None:
    columns = all_columns(published_modules(), level)
    assert len(columns) > 3 * len(catalogue()) * 4 - 6
    assert all(map(is_valid_in_stata, columns)), max(columns, key=len)
    assert len({column.lower() for column in columns}) == len(columns)
    assert MAX_COLUMN == 32


def test_awkward_names_are_valid_and_different_beside_the_published_ones() -> None:
    others = [
        module(f"o{n}", prefix, AWKWARD)
        for n, prefix in enumerate(("x", "PHANTOM_", "letters_", "bodycomp_", "BIG-2024_"))
    ]
    longest = 0.987654  # of the suffixes
    columns = all_columns([*published_modules(), module("o", "", AWKWARD), *others], longest)
    assert all(map(is_valid_in_stata, columns)), max(columns, key=len)
    assert len({column.lower() for column in columns}) == len(columns)


@pytest.mark.parametrize(
    "prefixes", [("a_", "a"), ("a_", "A_"), ("a_b_", "a_"), ("aa00000_", "aa_"), ("a-", "a_")]
)
def test_prefixes_that_differ_little_stay_different(prefixes: tuple[str, str]) -> None:
    modules = [module(f"m{n}", prefix, AWKWARD) for n, prefix in enumerate(prefixes)]
    columns = all_columns([*modules, module("m", "", AWKWARD)])
    assert len({column.lower() for column in columns}) == len(columns)


def test_a_prefix_like_the_hash_of_another_stays_different() -> None:
    hashed = short_name("vat", "Big-").split("__")[0]
    modules = [module("m0", "Big-", AWKWARD), module("m1", f"{hashed}_", AWKWARD)]
    columns = all_columns(modules)
    assert len({column.lower() for column in columns}) == len(columns)


def test_adding_a_module_changes_no_short_name() -> None:
    alone = all_columns([module("own", "", AWKWARD)])
    together = all_columns([*published_modules()[1:], module("own", "", AWKWARD)])
    assert set(alone) < set(together)


def test_known_measurements_have_the_field_s_abbreviations() -> None:
    named = {
        "AtlasVatVolume": "vat",
        "AtlasAsatVolume": "asat",
        "AtlasTotalThighMuscleVolume": "ttm",
        "AtlasMuscleFat": "mfi",
        "direct_lean_fat_fraction": "direct_lean_sff",
    }
    assert {name: short_name(name) for name in named} == named
    assert not [n for n in known_names().values() if "pdff" in n.short_name]


def test_no_known_short_name_is_reserved() -> None:
    names = {naming.short_name for naming in known_names().values()}
    assert len(names) == len(known_names())
    assert not names & RESERVED


def test_a_name_that_is_not_known_is_readable_where_it_can_be() -> None:
    assert short_name("spleenSize") == "spleen_size"
    assert short_name("heartMass", "own_") == "own__heart_mass"
    assert short_name("leftVentricularEndDiastolicVolume").startswith("leftve_")


def test_r_takes_all_short_names_as_they_are() -> None:
    program = shutil.which("Rscript")
    if program is None:
        pytest.skip("R is not installed: short names were NOT tried in it")
    columns = all_columns([*published_modules(), module("own", "", AWKWARD)])
    code = 'x <- readLines(file("stdin")); cat(x[make.names(x, unique = TRUE) != x], length(x))'
    done = subprocess.run(
        [program, "--vanilla", "-e", code],
        input="\n".join(columns) + "\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.split() == [str(len(columns))], done.stderr
