from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cohort_builder import module_with_statistics

from mimir_engine.measuring.measurement import measure
from mimir_engine.measuring.study_result import StudyResult
from mimir_engine.projection.project import Projection
from mimir_engine.study.finding import Finding

VARIANCE = (0.04, 9.0, 0.0001)


def text_of(figure: Any) -> str:
    """Return all text of a figure."""
    from matplotlib.text import Text

    return "\n".join(text.get_text() for text in figure.findobj(Text))


@pytest.mark.parametrize("demonstration", [True, False])
def test_the_picture_shows_flags_reference_and_warning(
    demonstration: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    from mimir_engine.demo.study_figure import draw_study

    drawn: list[Any] = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda f, *a, **k: (drawn.append(f), save(f, *a, **k)))
    module = module_with_statistics(tmp_path / "trial", demonstration=demonstration)
    measurements = measure(module, (1.45, 230.0, 0.97), VARIANCE)
    findings = (Finding("SLICE_REPEATED", "Slice 7"),)
    result = StudyResult("1000001_20201_2_0", "1000001", "2", tuple(measurements), findings)
    image = np.zeros((3, 256, 256), np.uint8)
    draw_study(tmp_path / "a.png", Projection(image), result, module, {"height": 226.0})
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    text = text_of(drawn[0])
    assert ("says nothing about people" in text) == demonstration
    assert "Research use only" in text
    assert "Liver volume" in text
    assert "male members of 200 made-up people" in text
    assert "Flags: SLICE_REPEATED, OUTSIDE_TRAINING_RANGE" in text
    assert "226" in text
