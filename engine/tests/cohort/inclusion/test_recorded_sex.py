"""Read the sex that a user recorded, and measure with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cohort_builder import run_infer, write_studies, write_trial_module

from mimir_engine.cli import WRONG_USE, main
from mimir_engine.cohort.inclusion.recorded_sex import RecordedSex, read_recorded_sex
from mimir_engine.errors import MimirError
from mimir_engine.headers.patient_traits import PatientTraits
from mimir_engine.study.study_facts import StudyFacts

STUDY = StudyFacts("1234567_20201_2_0", (), eid="1234567", traits=PatientTraits(sex="female"))


def table(folder: Path, *rows: str) -> str:
    """Write a table of sexes."""
    path = folder / "sexes.csv"
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("text", "sex"), [("", ""), ("male", "male"), ("female", "female"), ("header", "female")]
)
def test_one_sex_serves_all_studies_or_each_header_its_own(text: str, sex: str) -> None:
    recorded = read_recorded_sex(text)
    assert recorded.of(STUDY) == sex
    assert recorded.of(replace(STUDY, traits=PatientTraits())) == ("" if text == "header" else sex)


@pytest.mark.parametrize("column", ["study", "name", "eid", "person"])
@pytest.mark.parametrize("spelling", ["male", "M", "1", "1.0"])
def test_a_table_names_studies_or_participants(column: str, spelling: str, tmp_path: Path) -> None:
    name = STUDY.name if column in ("study", "name") else STUDY.eid
    recorded = read_recorded_sex(table(tmp_path, f"{column},age,sex", f"{name},60,{spelling}"))
    assert recorded.of(STUDY) == "male"
    assert recorded.knows(STUDY.name)
    assert recorded.of(replace(STUDY, name="other", eid="")) == ""


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (["study", "a"], "has no column 'sex'"),
        (["sex", "male"], "has no column 'study'"),
        (["study,sex", "a,2"], "must be female or male"),
        (["study,sex", "a,male", "a,f"], "differs from another row"),
    ],
)
def test_a_table_that_is_not_clear_is_refused(rows: list[str], reason: str, tmp_path: Path) -> None:
    with pytest.raises(MimirError, match=f"SEX_TABLE_INVALID: .*{reason}"):
        read_recorded_sex(table(tmp_path, *rows))


def test_a_gap_in_a_table_is_an_unknown_sex(tmp_path: Path) -> None:
    recorded = read_recorded_sex(table(tmp_path, "study,sex", f"{STUDY.name},", "b,male"))
    assert recorded.of(STUDY) == ""


def test_studies_are_measured_with_the_recorded_sex_and_again_if_it_changes(
    tmp_path: Path,
) -> None:
    pytest.importorskip("onnxruntime")
    modules = [write_trial_module(tmp_path / "trial")]
    paths = write_studies(tmp_path / "in", ["a", "b"])

    def measured(**sexes: str) -> tuple[Any, dict[str, Any]]:
        recorded = RecordedSex("table", sexes)
        run = run_infer(paths, modules, tmp_path / "out", sex=recorded)
        found = {
            r.name: {(m.sex, m.sex_source) for m in r.measurements} for r in run.cohort.results
        }
        return run, found

    run, found = measured(a="male")
    assert found["a"] == {("male", "recorded")}
    assert ("male", "recorded") not in found["b"]
    assert {"event": "recorded_sex", "known": 1, "studies": 2} in run.events
    run, found = measured(a="male", b="female")
    assert (set(run.studies), found["b"]) == ({"b"}, {("female", "recorded")})
    with pytest.raises(MimirError, match=r"SEX_TABLE_INVALID: .* none of these studies"):
        measured(c="male")


def test_a_table_that_is_missing_ends_the_command_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime")
    (source,) = write_studies(tmp_path / "in", ["a"])
    command = ["infer", str(source), "--modules", "phantom", "--output", str(tmp_path / "out")]
    assert main([*command, "--sex", str(tmp_path / "sexes.csv")]) == WRONG_USE
    assert capsys.readouterr().err.startswith("SEX_TABLE_INVALID: 'sexes.csv' cannot be read")
