"""What travels to a worker, as JSON, for each part of its work: the studies of a chunk.

Paths and names travel, never pixels.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Optional

from mimir_engine.cohort.inclusion.recorded_sex import RecordedSex
from mimir_engine.cohort.outcomes import Begun
from mimir_engine.cohort.sources import NamedSource, file_names, source_fields, source_from_fields
from mimir_engine.errors import MimirError
from mimir_engine.files.json_file import from_json, to_json
from mimir_engine.fusion.image_source import paths_of


@dataclass(frozen=True)
class ChunkStudy:
    """A study of a chunk.

    Attributes:
        fields: Its name and paths, as in a list of studies.
        hidden: Names that no message may show.
        is_there: The client sees its files.
        begun: How often earlier runs have begun it.
    """

    fields: Any
    hidden: tuple[str, ...]
    is_there: bool
    begun: Optional[Begun] = None

    @property
    def source(self) -> NamedSource:
        """The study."""
        named = source_from_fields(dict(self.fields))
        if named is None:
            raise MimirError("SOURCE_MISSING", "the study has no files", "Check the path.")
        return replace(named, hidden=self.hidden)


@dataclass(frozen=True)
class Chunk:
    """Studies that a worker measures together, and the recorded sex of each that has one."""

    studies: tuple[ChunkStudy, ...]
    sex: RecordedSex

    @classmethod
    def of(
        cls, sources: Sequence[NamedSource], begun: Mapping[str, Begun], sex: RecordedSex
    ) -> Chunk:
        """Describe studies for a worker."""
        studies = (
            ChunkStudy(source_fields(s), s.hidden, is_there(s), begun.get(s.name)) for s in sources
        )
        names = (name for source in sources for name in (source.name, *file_names(source)))
        return cls(tuple(studies), sex.among(names))

    def to_text(self) -> str:
        """Return the chunk as JSON."""
        return json.dumps(to_json(self))

    @classmethod
    def from_text(cls, text: str) -> Chunk:
        """Read what `to_text` wrote."""
        return from_json(json.loads(text), cls)


def is_there(source: NamedSource) -> bool:
    """Return whether this machine sees a study's files; of many, the first is looked for."""
    places = [paths_of(source.source)[0], *([source.labels] if source.labels else [])]
    return all(map(os.path.exists, places))
