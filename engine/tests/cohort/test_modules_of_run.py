from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("onnxruntime")

from cohort_builder import write_trial_module, write_variant

from mimir_engine.cohort.measure_studies import describe_run
from mimir_engine.cohort.modules_of_run import modules_of_run
from mimir_engine.errors import MimirError
from mimir_engine.inference_module import InferenceModule, find_modules
from mimir_engine.measuring.runtime import choose_runtime


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> InferenceModule:
    """A small module; not to be changed."""
    return write_trial_module(tmp_path_factory.mktemp("modules") / "trial")


def run_line(*names: str) -> dict[str, Any]:
    """Return what the ledger says of a run with these modules."""
    run = describe_run(find_modules(names), choose_runtime("onnx", "cpu"))
    return dict(json.loads(json.dumps(run)))


def test_the_modules_of_a_run_are_found_by_name_with_prefix_and_order(
    trial: InferenceModule, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = trial.folder.parent
    shutil.copytree(trial.folder, tmp_path / "trial")
    monkeypatch.setenv("MIMIR_WEIGHTS", str(tmp_path))
    run = run_line("trial=t_", "phantom")
    found = modules_of_run(run)
    assert [(m.name, m.column_prefix) for m in found] == [
        (trial.name, "t_"),
        ("phantom", "phantom_"),
    ]
    given = modules_of_run(run, ["phantom", str(place / "trial")])
    assert [(m.name, m.column_prefix) for m in given] == [(m.name, m.column_prefix) for m in found]


def test_a_run_without_networks_has_no_modules() -> None:
    assert modules_of_run({"modules": []}) == []


def test_another_version_of_a_module_is_refused(trial: InferenceModule, tmp_path: Path) -> None:
    run = run_line(str(trial.folder))
    write_variant(tmp_path / "trial", trial, version="9")
    with pytest.raises(MimirError, match=r"MODULES_OF_RUN.*'trial'"):
        modules_of_run(run, [str(tmp_path / "trial")])


def test_another_scan_profile_is_refused() -> None:
    run = run_line("phantom")
    run["modules"][0]["profile_sha256"] = "0" * 64
    with pytest.raises(MimirError, match=r"MODULES_OF_RUN.*scan profile"):
        modules_of_run(run)


@pytest.mark.parametrize("run", [{}, {"modules": 1}, {"modules": ["a"]}, {"modules": [{}]}])
def test_a_ledger_that_does_not_name_modules_is_refused(run: dict[str, Any]) -> None:
    with pytest.raises(MimirError, match="MODULES_OF_RUN"):
        modules_of_run(run)
