from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mimir_engine.files.png import write_png


def test_a_library_for_pictures_reads_the_same_colours(tmp_path: Path) -> None:
    image = pytest.importorskip("matplotlib.image")
    picture = (np.arange(5 * 7 * 3) * 11 % 256).astype(np.uint8).reshape(5, 7, 3)
    write_png(tmp_path / "a.png", picture)
    assert np.array_equal(np.rint(255 * image.imread(tmp_path / "a.png")), picture)
