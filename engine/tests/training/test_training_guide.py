"""Run the commands of docs/training.md with fewer phantoms and steps."""

from __future__ import annotations

import csv
import json
import math
import re
import shlex
from pathlib import Path

import pytest

pytest.importorskip("torch")

from one_thread import one_thread

from mimir_engine.cli import DONE, main

DOCS = Path(__file__).resolve().parents[3] / "docs"
#: Scans of the second part: so few that both sexes are still in every fold.
SCANS = 5
#: Counts of the guide, and the counts in this test.
SMALLER = {"4000": "16", "2": str(SCANS)}
QUICK_TRAINING = ("--steps", "1", "--architecture", "resnet18", "--device", "cpu")
MORE = {
    "train": QUICK_TRAINING,
    "crossvalidate": QUICK_TRAINING,
    "evaluate": ("--bootstrap", "20", "--figures", "none"),
    "package": ("--keep-worthless",),  # one step teaches nothing
}
TARGETS = ("sex", "height", "liverFat")


def commands() -> list[list[str]]:
    """Return each line of the guide that begins with `mimir`, with smaller numbers."""
    guide = (DOCS / "training.md").read_text("utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", guide, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("mimir ")]
    return [_small(shlex.split(line)[1:]) for line in lines]


def _small(words: list[str]) -> list[str]:
    for option, smaller in (("--count", SMALLER), ("--folds", {"5": "2", "10": "2"})):
        if option in words:
            place = words.index(option) + 1
            words[place] = smaller[words[place]]
    if words[0] in ("train", "crossvalidate") and "--recipe" not in words:
        words += ["--recipe", "short"]  # the published one needs ImageNet's weights
    if "--exclude" in words:
        words.append("--allow-unmatched")  # nobody withdrew
    return [*words, *MORE.get(words[0], ())]


def write_tables_and_identity() -> None:
    """Write the tables of the guide's second part, as if the phantoms were people."""
    truths = sorted(Path("scans").glob("*.truth.json"))
    with Path("targets.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("study", "target", "value"))
        for path in truths:
            truth = json.loads(path.read_text())["truth"]
            study = path.name.split(".")[0]
            writer.writerows((study, name, truth[name]) for name in TARGETS)
    Path("withdrawn.txt").write_text("9999999\n")
    (identity,) = re.findall(r"```json\n(.*?)```", (DOCS / "modules.md").read_text("utf-8"), re.S)
    Path("identity.json").write_text(identity, encoding="utf-8")


@pytest.mark.slow
def test_all_commands_of_the_guide_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user"))
    monkeypatch.delenv("MIMIR_WEIGHTS", raising=False)
    done = []
    with one_thread():
        for words in commands():
            if words[0] == "project":
                write_tables_and_identity()
            assert main(words) == DONE, words
            done.append(words[0])
    assert set(done) == {
        "phantom", "train", "crossvalidate", "evaluate", "package", "modules", "infer", "project",
            "measure",
    }  # fmt: skip
    for folder, column in (("results", "phantom_liverFat"), ("measured", "liverFat")):
        with Path(folder, "predictions.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == SCANS
        for row in rows:
            assert math.isfinite(float(row[f"{column}_mean_in_%"]))
            assert float(row[f"{column}_sd_in_%"]) > 0
            # So few persons allow no interval.
            assert (row[f"{column}_lower95"], row[f"{column}_upper95"]) == ("", "")
            assert "NO_INTERVAL" in row["flags"].split(";")
    assert Path("user", "mimir", "modules", "livers", "module.json").is_file()
