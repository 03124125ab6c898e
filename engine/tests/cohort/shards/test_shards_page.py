"""Run the commands of docs/shards.md on small studies."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cohort_builder import write_studies, write_trial_module

from mimir_engine.cli import DONE, main
from mimir_engine.cohort.outcomes import read_outcomes

pytest.importorskip("onnxruntime", reason="networks run by ONNX Runtime")
PAGE = Path(__file__).resolve().parents[4] / "docs" / "shards.md"


def test_the_commands_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not PAGE.exists():
        pytest.skip("the documentation is not beside the engine")
    (block, *_) = re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    scans = tmp_path / "scans"
    write_studies(scans, [*"abcd"])
    write_trial_module(tmp_path / "weights" / "bodycomp")
    monkeypatch.setenv("MIMIR_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.chdir(tmp_path)
    module = str(tmp_path / "weights" / "bodycomp")
    commands = [line.partition("#")[0].split() for line in block.splitlines()]
    assert [words[1] for words in commands] == ["infer"] * 3 + ["status", "merge"]
    for words in commands:
        words = [{"/data/scans": str(scans), "bodycomp": module}.get(word, word) for word in words]
        if words[1] == "merge":
            words += ["--modules", module]  # its name is that of another folder
        assert main(words[1:]) == DONE
    assert read_outcomes(Path("results")).names() == [*"abcd"]
