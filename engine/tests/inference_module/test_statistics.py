from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mimir_engine.errors import MimirError
from mimir_engine.inference_module.statistics import (
    LEVELS,
    SexStatistics,
    describe_predictions,
    read_statistics,
    write_statistics,
)

GENERATOR = np.random.default_rng(0)
SEXES = ["female"] * 3000 + ["male"] * 2000
MEANS = np.where(np.array(SEXES) == "male", 178.0, 165.0)[:, None] + GENERATOR.normal(
    0, 7, (5000, 1)
)
STATISTICS = describe_predictions(["height"], MEANS, SEXES, "5,000 made-up people")


def of_men(*quantiles: float) -> dict[str, SexStatistics]:
    return {"male": SexStatistics(9, {"height": quantiles})}


def test_a_percentile_is_the_share_of_the_same_sexs_predictions_below() -> None:
    for sex in ("female", "male"):
        own = MEANS[np.array(SEXES) == sex, 0]
        for value in (160.0, 166.0, 174.0, 180.0):
            expected = 100 * (own < value).mean()
            assert STATISTICS.percentile("height", sex, value) == pytest.approx(expected, abs=1)


def test_beyond_the_outermost_quantile_the_percentile_is_its_level() -> None:
    assert STATISTICS.percentile("height", "male", 90.0) == pytest.approx(100 * LEVELS[0])
    assert STATISTICS.percentile("height", "male", 290.0) == pytest.approx(100 * LEVELS[-1])


def test_without_quantiles_the_percentile_is_none() -> None:
    assert STATISTICS.percentile("weight", "male", 80.0) is None
    women = describe_predictions(["height"], MEANS[:100], SEXES[:100], "100 women")
    assert women.percentile("height", "male", 170.0) is None


def test_statistics_are_read_back_unchanged(tmp_path: Path) -> None:
    write_statistics(tmp_path / "statistics.json", STATISTICS)
    assert read_statistics(tmp_path / "statistics.json") == STATISTICS


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"levels": (0.5, 0.5)}, "must increase"),
        ({"levels": (0.5,)}, "must increase"),
        ({"levels": (0.5, 1.0)}, "must increase"),
        ({"by_sex": {"other": SexStatistics(9, {})}}, "unknown sex"),
        ({"by_sex": of_men(1.0, 2.0)}, "one quantile per level"),
        ({"by_sex": of_men(*[2.0] * 24, 1.0)}, "must not decrease"),
        ({"by_sex": of_men(*[float("nan")] * 25)}, "must not decrease"),
    ],
)
def test_invalid_quantiles_are_refused(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(MimirError, match=f"STATISTICS_INVALID.*{reason}"):
        replace(STATISTICS, **changes)


def test_a_file_of_another_schema_or_with_unknown_keys_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "statistics.json"
    write_statistics(path, STATISTICS)
    record = json.loads(path.read_text("utf-8"))
    for key, value in (("schema_version", 3), ("surprise", 1), ("levels", "all")):
        other = tmp_path / f"{key}.json"
        other.write_text(json.dumps({**record, key: value}), "utf-8")
        with pytest.raises(MimirError, match="STATISTICS_INVALID"):
            read_statistics(other)
    with pytest.raises(MimirError, match="STATISTICS_INVALID"):
        read_statistics(tmp_path / "none.json")
