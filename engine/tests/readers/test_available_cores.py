from __future__ import annotations

import pytest

from mimir_engine.readers import available_cores as file
from mimir_engine.readers.available_cores import available_cores, default_jobs


def test_there_is_a_core_and_a_reader() -> None:
    assert available_cores() >= 1
    assert 1 <= default_jobs() <= available_cores()


@pytest.mark.parametrize(
    ("cores", "memory_bytes", "jobs"),
    [(8, 64 * 10**9, 8), (64, 16 * 10**9, 16), (4, 10**8, 1)],
)
def test_there_are_no_more_readers_than_cores_and_memory_allow(
    monkeypatch: pytest.MonkeyPatch, cores: int, memory_bytes: int, jobs: int
) -> None:
    monkeypatch.setattr(file, "available_cores", lambda: cores)
    monkeypatch.setattr(file, "_memory_bytes", lambda: memory_bytes)
    assert default_jobs() == jobs
