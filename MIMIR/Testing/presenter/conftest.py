"""The panel that tests of the presenter use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def panel(tmp_path: Path, phantom_zip: Path) -> Iterator[Any]:
    """A panel in use; see ``panel_in_use``."""
    from panel_in_use import opened_panel  # needs Slicer's MRML core

    with opened_panel(tmp_path, phantom_zip) as opened:
        yield opened
