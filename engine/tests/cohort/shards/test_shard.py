from __future__ import annotations

import pytest

from mimir_engine.cohort.shards.shard import WHOLE, Shard
from mimir_engine.cohort.sources import NamedSource

NAMES = [f"{1_000_000 + number}_20201_2_0" for number in range(3000)]


def test_each_study_is_in_exactly_one_shard_and_shards_are_of_one_size() -> None:
    sources = [NamedSource(name, name) for name in NAMES]
    parts = [Shard(number, 3).of(sources) for number in (1, 2, 3)]
    assert sorted(source.name for part in parts for source in part) == NAMES
    assert all(900 < len(part) < 1100 for part in parts)
    assert WHOLE.of(sources) == sources


def test_studies_that_are_added_move_none() -> None:
    sources = [NamedSource(name, name) for name in NAMES]
    before, after = Shard(2, 7).of(sources[::2]), Shard(2, 7).of(sources)
    assert set(before) < set(after)


def test_any_name_has_a_shard() -> None:
    for name in ("", "Zoë 頭", "a\nb", "\udcff"):
        assert sum(Shard(number, 5).has(name) for number in range(1, 6)) == 1


@pytest.mark.parametrize(("number", "count"), [(0, 3), (4, 3), (1, 0)])
def test_there_are_no_other_shards(number: int, count: int) -> None:
    with pytest.raises(ValueError, match="there is no shard"):
        Shard(number, count)
