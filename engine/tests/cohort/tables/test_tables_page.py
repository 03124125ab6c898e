"""Run the examples of docs/tables.md on a real table of the pipeline and a made-up export."""

from __future__ import annotations

import csv
import math
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime")

from cohort_builder import ANYTHING, write_studies
from random_modules import TARGETS, module_spec, random_state_dict

from mimir_engine.cli import DONE, main
from mimir_engine.inference_module import write_module

PAGE = Path(__file__).resolve().parents[4] / "docs" / "tables.md"
#: Two visits of one participant, one of another, one who is not in the export, and one study of
#: another origin.
STUDIES = (
    *("1000001_20201_2_0", "1000001_20201_3_0", "1000002_20201_2_0", "1000004_20201_2_0"),
    "scan_of_a_hospital",
)
EXPORT = """\
eid,p31,p22407_i2,p22407_i3,p22408_i2
1000003,0,2.5,,7.5
1000001,1,4.25,4.5,5.5
1000002,0,,3.75,6.5
"""
#: What both tables have: participant, visit, field 22407.
COMMON = [(1000001, 2, 4.25), (1000001, 3, 4.5)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the page supposes it: results with short names, and an export."""
    folder = tmp_path_factory.mktemp("tables")
    vat = replace(TARGETS[0], name="AtlasVatVolume", ukb_field="22407", mean=4400, sd=2200)
    spec = module_spec(accepts=ANYTHING, targets=(vat, *TARGETS[1:]))
    write_module(folder / "trial", spec, [random_state_dict()], eight_bit=True)
    write_studies(folder / "scans", STUDIES)
    assert infer(folder, "--columns", "short") == DONE
    (folder / "ukb_export.csv").write_text(EXPORT, "utf-8")
    return folder


def infer(folder: Path, *options: str) -> int:
    places = ["--modules", str(folder / "trial"), "--output", str(folder / "results")]
    return main(["infer", str(folder / "scans"), *places, "--device", "cpu", *options])


def block(language: str) -> str:
    """The page's only code in a language."""
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return code


def run(command: Sequence[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def check_joined(folder: Path, file: str, said: str) -> None:
    """Compare a joined table with the tables that it was made from."""
    found = rows(folder / file)
    assert [(int(r["eid"]), int(r["instance"]), float(r["vat_ukb"])) for r in found] == COMMON
    predictions = {(r["eid"], r["instance"]): r for r in rows(folder / "results/predictions.csv")}
    for row in found:
        of_study = predictions[row["eid"], row["instance"]]
        assert row["name"] == of_study["name"]
        estimate, field = float(of_study["vat"]), float(row["vat_ukb"])
        assert float(row["vat"]) == pytest.approx(estimate, rel=1e-12)
        assert float(row["difference"]) == pytest.approx(estimate - field, rel=1e-9)
        low, high = float(of_study["vat_lo95"]), float(of_study["vat_hi95"])
        assert row["inside"].upper() == str(low <= field <= high).upper()
    mean = math.fsum(float(row["difference"]) for row in found) / len(found)
    count, told = re.findall(r"^(\d+) scans; mean difference (\S+) L", said)[0]
    assert (int(count), float(told)) == (len(COMMON), pytest.approx(mean, abs=6e-4))


def test_the_example_in_r_joins_by_participant_and_visit(folder: Path) -> None:
    program = shutil.which("Rscript")
    if program is None:
        pytest.skip("R is not installed: the example in R was NOT run")
    (folder / "example.R").write_text(block("r"), "utf-8")
    said = run([program, "--vanilla", "example.R"], folder)
    check_joined(folder, "joined_in_r.csv", said)


def test_r_reads_the_table_without_changing_a_name(folder: Path) -> None:
    program = shutil.which("Rscript")
    if program is None:
        pytest.skip("R is not installed: the table was NOT read by it")
    code = 'x <- read.csv("results/predictions.csv"); cat(names(x), class(x$eid))'
    *names, kind = run([program, "--vanilla", "-e", code], folder).split()
    assert names == [*rows(folder / "results/predictions.csv")[0]]
    assert kind == "integer"


def test_the_example_in_python_joins_by_participant_and_visit(folder: Path) -> None:
    if find_spec("pandas") is None:
        pytest.skip("pandas is not installed: the example in Python was NOT run")
    (folder / "example.py").write_text(block("python"), "utf-8")
    said = run([sys.executable, "-W", "error", "example.py"], folder)
    check_joined(folder, "joined_in_python.csv", said)


def test_ids_are_digits_without_quotes_and_empty_for_other_studies(folder: Path) -> None:
    _, *lines = (folder / "results/predictions.csv").read_text("utf-8").splitlines()
    starts = [",".join(line.split(",")[:3]) for line in lines]
    assert starts == [
        *("1000001_20201_2_0,1000001,2", "1000001_20201_3_0,1000001,3"),
        *("1000002_20201_2_0,1000002,2", "1000004_20201_2_0,1000004,2", "scan_of_a_hospital,,"),
    ]


def test_the_same_command_with_other_names_measures_nothing_again(folder: Path) -> None:
    output = folder / "results"
    short, ledger = rows(output / "predictions.csv"), (output / "ledger.jsonl").read_bytes()
    assert infer(folder) == DONE
    long = rows(output / "predictions.csv")
    codebook = rows(output / "codebook.csv")
    assert infer(folder, "--columns", "short") == DONE
    assert rows(output / "predictions.csv") == short
    assert (output / "ledger.jsonl").read_bytes() == ledger
    assert [list(row.values()) for row in long] == [list(row.values()) for row in short]
    assert [*long[0]] == [row["column"] for row in codebook if not row["code"]]
    assert [*short[0]] == [row["short_name"] for row in codebook if not row["code"]]
