"""Divide the studies of a cohort among runs that know nothing of each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mimir_engine.cohort.sources import NamedSource

#: Number of shards; arrays of Slurm have 1,001 tasks unless it was told otherwise.
MAX_SHARDS = 10_000


@dataclass(frozen=True)
class Shard:
    """One of several parts of a cohort: which, is decided by a hash of each study's name.

    So studies that are added later move none of the others.

    Attributes:
        number: From 1 to `count`.
        count: Number of shards.
    """

    number: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count <= MAX_SHARDS:
            raise ValueError(f"there is no shard {self}")

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read a shard as ``str`` writes it, like ``2/10``.

        Raises:
            ValueError: There is no such shard.
        """
        found = re.fullmatch("([1-9][0-9]{0,9})/([1-9][0-9]{0,9})", text)
        return cls(*map(int, found.groups())) if found else cls(0, 0)

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def has(self, name: str) -> bool:
        """Return whether a study is in this shard.

        >>> [Shard(number, 3).has("1000000_20201_2_0") for number in (1, 2, 3)]
        [True, False, False]
        """
        digest = sha256(name.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest, "big") % self.count == self.number - 1

    def of(self, sources: Sequence[NamedSource]) -> list[NamedSource]:
        """Return the studies of this shard; there may be none."""
        return [source for source in sources if self.has(source.name)]


#: All studies.
WHOLE = Shard()
