from __future__ import annotations

from pathlib import Path

from cohort_builder import module_with_statistics

from mimir_engine.demo.truth_table import truth_table
from mimir_engine.measuring.measurement import measure

MEAN, VARIANCE = (1.45, 178.2, 0.97), (0.04, 9.0, 0.0001)


def test_the_table_puts_estimates_beside_the_truth(tmp_path: Path) -> None:
    module = module_with_statistics(tmp_path / "trial", column_prefix="t_")
    truth = {"liverVolume": 1.5, "height": 190.0, "sex": 1.0}
    lines = truth_table(measure(module, MEAN, VARIANCE), truth).splitlines()
    assert lines[0].split() == [
        "measurement", "unit", "true", "estimate", "95", "%", "interval", "percentile",
    ]  # fmt: skip
    assert lines[2].split()[:4] == ["liverVolume", "L", "1.5", "1.4"]
    assert "truth outside" not in lines[2]
    assert lines[3].endswith("truth outside")
    assert "male (0.97)" in lines[4]
