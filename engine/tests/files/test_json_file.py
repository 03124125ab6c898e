from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import pytest

from mimir_engine.errors import MimirError
from mimir_engine.files.json_file import (
    NOT_STORED,
    REQUIRED,
    from_json,
    read_json,
    to_json,
    write_json,
)


@dataclass(frozen=True)
class Part:
    name: str
    size: tuple[float, float] = (1.0, 2.0)

    def __post_init__(self) -> None:
        if self.size[0] > self.size[1]:
            raise ValueError("'size' must not decrease")


@dataclass(frozen=True)
class Thing:
    count: int
    parts: tuple[Part, ...]
    best: Optional[Part] = None
    good: bool = field(default=False, metadata=REQUIRED)
    by_level: Mapping[float, float] = field(default_factory=dict, metadata={"key": "levels"})
    anything: Mapping[str, Any] = field(default_factory=dict)
    place: Path = field(default=Path(), metadata=NOT_STORED)


@dataclass(frozen=True)
class Number:
    value: Optional[float]


THING = Thing(
    3, (Part("a"), Part("b", (0.5, 0.75))), Part("c"), True, {0.95: 2.0, 0.5: 1.0}, {"x": [1, None]}
)


def read(path: Path, values: object) -> Thing:
    path.write_text(json.dumps(values), "utf-8")
    return read_json(path, Thing, "BAD", 1 << 20)


def test_a_dataclass_is_read_back_unchanged(tmp_path: Path) -> None:
    write_json(tmp_path / "t.json", THING)
    assert read_json(tmp_path / "t.json", Thing, "BAD", 1000) == THING
    assert "place" not in to_json(THING)


def test_null_means_the_same_as_no_key(tmp_path: Path) -> None:
    values = {"count": 3, "parts": [], "good": False, "levels": None, "best": None}
    assert read(tmp_path / "t.json", values) == Thing(3, ())


def test_an_optional_field_without_a_default_may_be_null_but_not_missing() -> None:
    assert from_json({"value": None}, Number) == Number(None)
    with pytest.raises(ValueError, match="no 'value'"):
        from_json({}, Number)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"count": None}, "t.json of {} has no 'count'"),
        ({"good": None}, "t.json of {} has no 'good'"),
        ({"count": 1.5}, "t.json of {}: 'count' must be an integer"),
        ({"count": True}, "t.json of {}: 'count' must be an integer"),
        ({"good": 1}, "t.json of {}: 'good' must be true or false"),
        ({"colour": 1}, "t.json of {} has an unknown key 'colour'"),
        ({"place": "/"}, "t.json of {} has an unknown key 'place'"),
        ({"parts": {}}, "t.json of {}: 'parts' must be a list"),
        ({"parts": [1]}, "t.json of {}, parts 1 must be a JSON object"),
        ({"parts": [{"name": 1}]}, "t.json of {}, parts 1: 'name' must be text"),
        ({"parts": [{"name": "x" * 10_001}]}, "parts 1: 'name' must be text of at most 10,000"),
        ({"best": {"name": "a", "size": [1]}}, "t.json of {}, best: 'size' must be a list of 2"),
        ({"best": {"name": "a", "size": [1, "b"]}}, "best: 'size 2' must be a finite number"),
        ({"best": {"name": "a", "size": [2, 1]}}, "t.json of {}, best: 'size' must not decrease"),
        ({"levels": {"x": 1}}, "t.json of {}: 'levels' has the key 'x', not a number"),
        ({"levels": {"1": "x"}}, "t.json of {}: 'levels, 1' must be a finite number"),
        ({"levels": {"1": 10**400}}, "t.json of {}: 'levels, 1' must be a finite number"),
        ({"anything": [1]}, "t.json of {}: 'anything' must be a JSON object"),
    ],
)
def test_a_wrong_value_is_refused_with_its_key(
    tmp_path: Path, changes: dict[str, object], sentence: str
) -> None:
    with pytest.raises(MimirError) as caught:
        read(tmp_path / "t.json", {**to_json(THING), **changes})
    assert caught.value.code == "BAD"
    assert sentence.format(tmp_path.name) in caught.value.what


@pytest.mark.parametrize(
    ("version", "sentence"),
    [(3, "has schema version 3; this engine reads 1 and 2"), (None, "must be an integer")],
)
def test_another_version_is_refused(tmp_path: Path, version: object, sentence: str) -> None:
    path = tmp_path / "t.json"
    write_json(path, {"schema_version": version, **to_json(THING)})
    with pytest.raises(MimirError, match=f"BAD: .*{sentence}"):
        read_json(path, Thing, "BAD", 1000, versions=(1, 2))


@pytest.mark.parametrize("value", [float("nan"), [1.0, {"y": float("inf")}]])
def test_numbers_are_finite_where_anything_is_allowed(tmp_path: Path, value: object) -> None:
    with pytest.raises(MimirError, match=r"BAD: .*'anything, x' must have finite numbers only"):
        read(tmp_path / "t.json", {**to_json(THING), "anything": {"x": value}})


def test_a_large_or_missing_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_bytes(b" " * 1001)
    with pytest.raises(MimirError, match=r"BAD: .*is larger than"):
        read_json(tmp_path / "t.json", Thing, "BAD", 1000)
    with pytest.raises(MimirError, match=r"BAD: .*cannot be read"):
        read_json(tmp_path / "none.json", Thing, "BAD", 1000)
