"""What a worker keeps of a job between its chunks: loading networks takes longer than a study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable

from mimir_engine.cohort.cluster.chunk import Chunk
from mimir_engine.cohort.study_loop import StudyWork
from mimir_engine.readers.readers import Readers


@dataclass(frozen=True)
class StartedJob:
    """A job on one machine.

    Attributes:
        readers: Read its studies; to be closed when the job ends.
        work: Returns the work on the studies of a chunk.
    """

    readers: Readers
    work: Callable[[Chunk], StudyWork[Any]]
