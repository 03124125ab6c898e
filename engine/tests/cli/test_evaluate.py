from __future__ import annotations

import csv
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mimir_engine.cli import DONE, SOME_FAILED, WRONG_USE, main
from mimir_engine.evaluation.agreement import agreement
from mimir_engine.evaluation.evaluate import METRICS, evaluate
from mimir_engine.evaluation.predictions import Predictions, write_predictions
from mimir_engine.evaluation.subgroups import choose_groups
from mimir_engine.evaluation.tables import markdown, write_metrics
from mimir_engine.files.folder_lock import folder_lock

Capture = pytest.CaptureFixture[str]


def made(studies: int = 120) -> Predictions:
    """Fat with gaps, age, sex without SDs, and a target without references."""
    rng = np.random.default_rng(1)
    reference = np.stack(
        [
            rng.normal(5, 2, studies),
            rng.uniform(45, 80, studies),
            np.arange(studies) % 2.0,
            np.full(studies, np.nan),
        ],
        axis=1,
    )
    sd = np.exp(rng.normal(-1, 0.3, reference.shape))
    mean = np.nan_to_num(reference) + sd * rng.normal(size=reference.shape)
    reference[::7, 0], sd[:, 2] = np.nan, np.nan
    return Predictions(
        names=("fat$|", "age", "sex", "nobodys"),
        units=("L", "years", "", "kg"),
        studies=tuple(f"s{i}" for i in range(studies)),
        reference=reference,
        mean=mean,
        sd=sd,
        groups={
            "fold": tuple(str(i % 3 + 9) for i in range(studies)),
            "person": tuple(f"p{i // 2}" for i in range(studies)),
        },
    )


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "out_of_fold.csv"
    write_predictions(path, made())
    return path


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_tables_and_figures_are_written(table: Path, tmp_path: Path, capsys: Capture) -> None:
    pytest.importorskip("matplotlib")
    output = tmp_path / "out"
    command = ["evaluate", str(table), "--bootstrap", "20", "--output", str(output)]
    assert main(command) == SOME_FAILED  # one target has no reference
    captured = capsys.readouterr()
    assert captured.out.strip() == str(output / "metrics.md")
    assert "nobodys" in captured.err
    figures = {str(p.relative_to(output / "figures")) for p in output.rglob("*.png")}
    sheets = {
        f"{name}-1.png" for name in ("agreement", "bland-altman", "calibration", "sparsification")
    }
    pages = {
        os.path.join("targets", n) for n in ("01-fat__-39ae55f8.png", "02-age.png", "03-sex.png")
    }
    assert figures == sheets | pages
    assert (output / "metrics.md").read_text(encoding="utf-8").startswith("# Evaluation")


def test_numbers_in_the_table_are_those_of_the_metrics(table: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    done = main(
        ["evaluate", str(table), "--bootstrap", "50", "--figures", "none", "--output", str(output)]
    )
    assert done == SOME_FAILED
    assert not (output / "figures").exists()
    p = made()
    female = np.isfinite(p.reference[:, 0]) & (p.reference[:, 2] == 0)
    expected = agreement(p.reference[female, 0], p.mean[female, 0])["icc"]
    (row,) = [
        r
        for r in rows(output)
        if (r["target"], r["group"], r["member"], r["metric"]) == ("fat$|", "sex", "female", "icc")
    ]
    assert float(row["value"]) == pytest.approx(float(expected), rel=1e-12)
    assert int(row["n"]) == female.sum()
    assert float(row["lower95"]) < float(row["value"]) < float(row["upper95"])
    sizes = {"size_by_estimate", "size_by_reference"}
    assert {r["group"] for r in rows(output)} == {"all", "fold", "age", "sex", *sizes}


def test_only_the_chosen_groups_are_evaluated(table: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    options = ["--groups", "age", "--bootstrap", "0", "--figures", "none", "--output", str(output)]
    main(["evaluate", str(table), *options])
    sizes = {"size_by_estimate", "size_by_reference"}
    assert {r["group"] for r in rows(output)} == {"all", "age", *sizes}
    bands = {r["member"] for r in rows(output) if r["group"] == "age"}
    assert bands == {"40 to 49", "50 to 59", "60 to 69", "70 to 79"}
    assert {r["lower95"] for r in rows(output)} == {""}


def test_the_exit_status_is_0_if_all_targets_are_evaluated(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("study,target,reference,mean\na,x,1,2\nb,x,2,3\nc,x,3,3\n")
    options = ["--each-its-own-person", "--figures", "none", "--output", str(tmp_path / "out")]
    assert main(["evaluate", str(tmp_path / "p.csv"), *options]) == DONE


def status_of(arguments: list[str]) -> object:
    """Return the exit status of a command line, which argparse may refuse itself."""
    try:
        return main(arguments)
    except SystemExit as exit_:
        return exit_.code


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--level", "nan"], "LEVEL_INVALID"),
        (["--level", "inf"], "LEVEL_INVALID"),
        (["--seed", "9" * 5000], "WRONG_USE"),
        (["--level", "0.2"], "LEVEL_INVALID"),
        (["--bootstrap", "-1"], "WRONG_USE"),
        (["--bootstrap", "1000000000"], "WRONG_USE"),
        (["--seed", "-1"], "WRONG_USE"),
        (["--groups", "shoes"], "WRONG_USE"),
        (["--groups", "person"], "WRONG_USE"),
        (["--reference", "gone.csv"], "PREDICTIONS_INVALID"),
    ],
)
def test_wrong_use_gives_one_line(
    table: Path, tmp_path: Path, capsys: Capture, options: list[str], code: str
) -> None:
    given = ["evaluate", str(table), "--figures", "none", "--output", str(tmp_path / "out")]
    assert status_of([*given, *options]) == WRONG_USE
    captured = capsys.readouterr().err
    assert captured.startswith(f"{code}: ")
    assert captured.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_level_other_than_that_of_the_table_is_refused(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "p.csv"
    path.write_text("study,target,reference,mean,lower90,upper90\na,x,1,2,0,3\n")
    options = ["--level", "0.95", "--figures", "none", "--output", str(tmp_path)]
    assert main(["evaluate", str(path), *options]) == WRONG_USE
    assert "0.9, not 0.95" in capsys.readouterr().err


def test_vector_figures_are_the_same_each_time(table: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    written = []
    for name in ("one", "two"):
        options = ["--bootstrap", "0", "--figures", "pdf", "--output", str(tmp_path / name)]
        main(["evaluate", str(table), *options])
        written.append((tmp_path / name / "figures" / "calibration-1.pdf").read_bytes())
    assert written[0] == written[1]


# --- the evaluation itself ---


def test_the_same_seed_gives_the_same_intervals_and_another_does_not() -> None:
    one, two, other = (evaluate(made(), resamples=30, seed=seed) for seed in (5, 5, 6))
    # But for rounding: the order of sums in matrix products varies.
    np.testing.assert_allclose(one.lower, two.lower, rtol=1e-9, atol=1e-12)
    assert not np.allclose(one.lower, other.lower, rtol=1e-6, equal_nan=True)
    np.testing.assert_allclose(one.values, other.values, rtol=1e-9, atol=1e-12)


def test_blocks_of_resamples_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = evaluate(made(), resamples=30)
    monkeypatch.setattr("mimir_engine.evaluation.evaluate.BLOCK_BYTES", 8 * 120 * 7)
    parts = evaluate(made(), resamples=30)
    np.testing.assert_allclose(at_once.upper, parts.upper, rtol=1e-10)


def test_given_intervals_are_evaluated() -> None:
    p = made()
    never = Predictions(
        p.names, p.units, p.studies, p.reference, p.mean, p.sd, p.mean + 50, p.mean + 51, 0.9
    )
    evaluation = evaluate(never, resamples=0)
    assert evaluation.given
    assert evaluation.level == 0.9
    assert evaluation.value("age", "picp") == 0
    assert evaluation.value("age", "width") == pytest.approx(1)
    gaussian = evaluate(p, resamples=0)
    assert gaussian.value("age", "picp") > 0.8
    assert gaussian.value("age", "auce") == pytest.approx(evaluation.value("age", "auce"))


def test_coverage_is_reported_for_small_and_for_large_values(tmp_path: Path) -> None:
    """95 % on average, of which the top tenth has 50 %."""
    rng = np.random.default_rng(0)
    mean = np.arange(1_000.0)[:, None]
    half = np.where(mean < 900, 200.0, 0.6745)
    p = Predictions(
        names=("fat",), units=("L",), studies=tuple(map(str, range(1_000))),
        reference=mean + rng.normal(size=mean.shape), mean=mean, sd=np.ones_like(mean),
        lower=mean - half, upper=mean + half, level=0.95,
    )  # fmt: skip
    e = evaluate(p, resamples=0)
    assert e.value("fat", "picp") == pytest.approx(0.95, abs=0.01)
    by_estimate = e.by_size["fat"]["estimate"]
    assert by_estimate["low_third"] == 1.0
    assert by_estimate["top_5_percent"] == pytest.approx(0.5, abs=0.15)
    write_metrics(tmp_path, e)
    (row,) = [
        r
        for r in rows(tmp_path)
        if (r["group"], r["member"]) == ("size_by_estimate", "top_5_percent")
    ]
    assert (float(row["value"]), row["n"]) == (pytest.approx(by_estimate["top_5_percent"]), "50")
    text = (tmp_path / "metrics.md").read_text("utf-8")
    assert f"{100 * float(by_estimate['top_5_percent']):.1f} |" in text


def test_without_sds_only_agreement_is_evaluated() -> None:
    evaluation = evaluate(made(), resamples=10)
    assert np.isfinite(evaluation.value("sex", "icc"))
    assert np.isnan(evaluation.value("sex", "auce"))
    assert evaluation.unevaluated == ("nobodys",)


def test_for_age_both_gaps_are_reported_but_no_r2_of_the_corrected_one() -> None:
    evaluation = evaluate(made(), choose_groups(made()), resamples=10)
    assert np.isfinite(evaluation.value("age", "corrected_gap_mae"))
    assert np.isnan(evaluation.value("fat$|", "raw_gap_mae"))
    gap_metrics = {name for name in METRICS if "gap" in name}
    assert not any("r2" in name for name in gap_metrics)
    text = markdown(evaluation)
    assert "## Age gap" in text
    assert "fat$\\|" in text


def test_members_are_in_order_of_size() -> None:
    evaluation = evaluate(made(), choose_groups(made()), resamples=0)
    assert [m for g, m in evaluation.subgroups if g == "fold"] == ["9", "10", "11"]


def test_two_evaluations_do_not_share_a_folder(
    table: Path, tmp_path: Path, capsys: Capture
) -> None:
    options = ["--bootstrap", "0", "--figures", "none", "--output", f"{tmp_path}/out"]
    with folder_lock(tmp_path / "out"):
        status = main(["evaluate", str(table), *options])
    assert status == WRONG_USE
    assert "OUTPUT_IN_USE" in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []


def test_people_are_left_out_and_persons_are_required(tmp_path: Path, capsys: Capture) -> None:
    predictions = made()
    nameless = {"fold": predictions.groups["fold"]}
    write_predictions(tmp_path / "t.csv", replace(predictions, groups=nameless))
    (tmp_path / "gone.txt").write_text("s3\ns4\ns3,\n")
    command = ["evaluate", str(tmp_path / "t.csv"), "--bootstrap", "0", "--figures", "none"]
    command += ["--exclude", str(tmp_path / "gone.txt"), "--output", str(tmp_path / "e")]
    assert main(command) == WRONG_USE
    assert capsys.readouterr().err.startswith("PERSONS_UNKNOWN: the person of 120 of 120 studies")
    assert main([*command, "--each-its-own-person"]) == SOME_FAILED
    text = (tmp_path / "e" / "metrics.md").read_text("utf-8")
    assert "118 studies of 118 persons" in text
    assert "known by the declaration that each study is its own person" in text
    assert "--exclude: matched 2 of 2 ids" in text
    assert main([*command, "--person-pattern", "^(s..?)"]) == SOME_FAILED
    assert "118 studies of 98 persons" in (tmp_path / "e" / "metrics.md").read_text("utf-8")


def test_codes_for_missing_answers_are_no_references(tmp_path: Path, capsys: Capture) -> None:
    whole = made()
    reference = whole.reference.copy()
    reference[1:4, 0], reference[5, 1] = -1.0, -3.0  # fat in L, age in years
    reference[:, 3] = np.arange(len(whole)) - 60.0
    coded = replace(whole, reference=reference, units=("L", "years", "", "change"))
    write_predictions(tmp_path / "coded.csv", coded)
    command = ["evaluate", str(tmp_path / "coded.csv"), "--figures=none", "--bootstrap=20"]
    assert main([*command, "--output", str(tmp_path / "out")]) == DONE
    said = capsys.readouterr().err
    assert "fat$|: left out as codes of UK Biobank for missing answers: 3" in said
    assert "nobodys: " not in said, "values of an unknown unit may be negative"
    whole_group = [row for row in rows(tmp_path / "out") if row["group"] == "all"]
    found = {row["target"]: int(row["n"]) for row in whole_group}
    known = np.isfinite(whole.reference).sum(axis=0)
    assert (found["fat$|"], found["age"], found["nobodys"]) == (known[0] - 3, known[1] - 1, 120)
