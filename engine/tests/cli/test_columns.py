"""``--columns`` names the columns of tables."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from cohort_builder import write_studies
from random_modules import write_without_network

from mimir_engine.cli import DONE, WRONG_USE, main

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a module that accepts the small studies."""
    pytest.importorskip("onnxruntime")
    from cohort_builder import write_trial_module

    return write_trial_module(tmp_path_factory.mktemp("modules") / "trial").folder


def header(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))


def test_the_earlier_option_for_published_columns_does_the_same(
    trial: Path, tmp_path: Path
) -> None:
    (study,) = write_studies(tmp_path, ["a"])
    tables = []
    for place, options in enumerate((["--columns", "published"], ["--published-columns"])):
        output = tmp_path / str(place)
        command = ["infer", str(study), "--modules", f"{trial}=t_", "--output", str(output)]
        assert main([*command, "--device", "cpu", *options]) == DONE
        tables.append((output / "predictions.csv").read_text("utf-8"))
        assert json.loads((output / "run.json").read_text("ascii"))["columns"] == "published"
    assert tables[0] == tables[1]
    assert header(tmp_path / "0" / "predictions.csv") == [
        "name", "eid", "instance", "t_liverVolume_mean_in_L", "t_liverVolume_variance_in_L",
        "t_height_mean_in_cm", "t_height_variance_in_cm", "t_sex_mean", "t_sex_variance", "flags",
    ]  # fmt: skip


def test_help_calls_the_earlier_option_deprecated(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["infer", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "--published-columns deprecated: use --columns published" in text


def test_direct_measurements_have_short_names(tmp_path: Path) -> None:
    (study,) = write_studies(tmp_path, ["a"])
    output = tmp_path / "out"
    assert main(["measure", str(study), "--output", str(output), "--columns", "short"]) == DONE
    columns = header(output / "measurements.csv")
    assert columns[:5] == ["name", "eid", "instance", "direct_body_vol", "direct_fat_vol"]
    assert "direct_lean_sff" in columns
    assert all(len(column) <= 32 and column.isidentifier() for column in columns)
    assert json.loads((output / "codebook.json").read_text("ascii"))["table"] == "measurements.csv"


def test_the_published_engine_has_no_direct_measurements_to_name(
    tmp_path: Path, capsys: Capture
) -> None:
    command = ["measure", str(tmp_path), "--output", str(tmp_path / "out")]
    with pytest.raises(SystemExit) as ended:
        main([*command, "--columns", "published"])
    assert ended.value.code == WRONG_USE
    assert "'published'" in capsys.readouterr().err


def test_short_names_that_clash_are_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr("mimir_engine.measuring.short_names._digits", lambda text, count: "0")
    modules = [write_without_network(tmp_path / name) for name in ("a", "b")]
    names = f"{modules[0]}=xy1,{modules[1]}=xy2"
    output = tmp_path / "out"
    command = ["infer", str(tmp_path), "--modules", names, "--output", str(output)]
    assert main([*command, "--columns", "short"]) == WRONG_USE
    assert capsys.readouterr().err.startswith("COLUMN_CONFLICT: ")
    assert not output.exists()
