from __future__ import annotations

from pathlib import Path

import pytest

from mimir_engine.cohort.cluster.scheduler_address import address_in, full_address, notices
from mimir_engine.errors import MimirError


def test_the_address_is_read_from_the_file_of_the_scheduler(tmp_path: Path) -> None:
    file = tmp_path / "scheduler.json"
    file.write_text('{"type": "Scheduler", "address": "tls://10.0.0.1:8786"}')
    assert address_in(file) == "tls://10.0.0.1:8786"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"address": 1}', "[" * 100_000])
def test_a_file_without_an_address_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "scheduler.json"
    with pytest.raises(MimirError, match="SCHEDULER_FILE_INVALID"):
        address_in(file)
    file.write_text(text)
    with pytest.raises(MimirError, match="SCHEDULER_FILE_INVALID"):
        address_in(file)


@pytest.mark.parametrize(
    ("address", "is_open"),
    [
        ("127.0.0.1:8786", False),
        ("tcp://localhost:8786", False),
        ("tcp://[::1]:8786", False),
        ("tls://10.0.0.1:8786", False),
        ("tcp://10.0.0.1:8786", True),
        ("node7:8786", True),
        ("ws://node7:8786", True),
    ],
)
def test_a_scheduler_that_others_can_reach_gives_a_notice(address: str, is_open: bool) -> None:
    found = notices(full_address(address), workers=1)
    assert bool(found) == is_open
    assert not is_open or found[0].startswith("Anyone who reaches ")


def test_a_scheduler_without_workers_gives_a_notice() -> None:
    (notice,) = notices("tcp://127.0.0.1:8786", workers=0)
    assert "no workers yet" in notice
