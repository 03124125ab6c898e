"""Folders of measurements are told from folders of other commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.measured_outcomes import read_measured_outcomes
from mimir_engine.errors import MimirError


def test_a_folder_of_stitched_volumes_has_no_measurements(tmp_path: Path) -> None:
    with Ledger(tmp_path, {"mimir": "1", "volumes": {"arrangement": "plain"}}) as ledger:
        ledger.begin(1, 1)
        ledger.add("scan", {"flags": [], "body": {"volumes": ["water"]}})
    with pytest.raises(MimirError, match="holds no measurements") as caught:
        read_measured_outcomes(tmp_path)
    assert caught.value.code == "RESULTS_MISSING"


def test_a_folder_of_measurements_is_read(tmp_path: Path) -> None:
    with Ledger(tmp_path, {"mimir": "1", "ledger_format": 7}) as ledger:
        ledger.begin(0, 0)
    assert len(read_measured_outcomes(tmp_path)) == 0
