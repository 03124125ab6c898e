"""Targets are fitted to the direct measurements of the same studies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from mimir_engine.direct.direct_measurement import QUANTITIES, direct_column
from mimir_engine.errors import MimirError
from mimir_engine.evaluation.predictions import Predictions
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.training.direct_references import fit_direct_references

STUDIES = tuple(f"study{row}" for row in range(80))
RNG = np.random.default_rng(0)
FAT = RNG.uniform(10, 40, len(STUDIES))
#: A fat mass that goes with the fat volume in view, and something that goes with nothing.
TARGETS = {"fatMass": 1.1 * FAT - 2 + RNG.normal(0, 0.5, len(STUDIES)), "luck": RNG.random(80)}


def predictions(targets: Mapping[str, np.ndarray] = TARGETS) -> Predictions:
    reference = np.stack([*targets.values()], axis=1)
    return Predictions(
        names=tuple(targets),
        units=("kg",) * len(targets),
        studies=STUDIES,
        reference=reference,
        mean=reference,
        sd=np.ones_like(reference),
    )


def table(folder: Path, studies: tuple[str, ...] = STUDIES, gap: str = "waist") -> Path:
    """Direct measurements: fat as it is, others at random, and one that is never known."""
    columns = {q: RNG.uniform(1, 2, len(studies)) for q in QUANTITIES}
    columns["fat_volume"] = FAT[: len(studies)]
    columns[gap] = np.full(len(studies), np.nan)
    header = ["name", *map(direct_column, QUANTITIES), "flags"]
    cells = np.stack([columns[q] for q in QUANTITIES], axis=1).tolist()
    rows = [[study, *row, ""] for study, row in zip(studies, cells)]
    write_csv(folder / "measurements.csv", header, rows)
    return folder / "measurements.csv"


def test_a_target_has_the_line_of_the_quantity_that_explains_it(tmp_path: Path) -> None:
    (name, line), *others = fit_direct_references(predictions(), table(tmp_path)).items()
    assert others == []  # luck goes with nothing
    assert (name, line.quantity, line.studies) == ("fatMass", "fat_volume", 80)
    assert line.slope == pytest.approx(1.1, abs=0.02)
    assert line.intercept == pytest.approx(-2, abs=0.5)
    assert line.sd == pytest.approx(0.5, abs=0.1)
    assert (line.low, line.high) == (pytest.approx(FAT.min()), pytest.approx(FAT.max()))


def test_too_few_studies_make_no_reference(tmp_path: Path) -> None:
    assert fit_direct_references(predictions(), table(tmp_path, STUDIES[:30])) == {}


def test_a_table_of_other_studies_is_refused(tmp_path: Path) -> None:
    other = table(tmp_path, tuple(f"scan{row}" for row in range(80)))
    with pytest.raises(MimirError, match="CALIBRATION_MISMATCH"):
        fit_direct_references(predictions(), other)


def test_a_table_without_direct_measurements_is_refused(tmp_path: Path) -> None:
    write_csv(tmp_path / "other.csv", ["name", "flags"], [["study0", ""]])
    with pytest.raises(MimirError, match=r"PREDICTIONS_INVALID: .* 'direct_body_volume_in_L'"):
        fit_direct_references(predictions(), tmp_path / "other.csv")
