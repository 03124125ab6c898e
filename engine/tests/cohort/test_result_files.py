from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from cohort_builder import module_with_statistics
from random_modules import TARGETS, module_spec, write_without_network

from mimir_engine.cohort.cohort import Cohort
from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.result_files import write_cohort
from mimir_engine.direct.direct_measurement import (
    QUANTITIES,
    DirectMeasurement,
    direct_column,
)
from mimir_engine.errors import MimirError, printable
from mimir_engine.files.atomic import atomic_file
from mimir_engine.files.optional_packages import EXTRAS, require
from mimir_engine.inference_module import load_module
from mimir_engine.inference_module.description import describe
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.inference_module.interval import IntervalBin, Intervals
from mimir_engine.inference_module.target import Target
from mimir_engine.measuring.flags import OUTSIDE_VALIDATION
from mimir_engine.measuring.measurement import measure
from mimir_engine.measuring.study_result import StudyResult
from mimir_engine.study.finding import Finding

DIRECT_COLUMNS = tuple(map(direct_column, QUANTITIES))
MEAN, VARIANCE = (1.45, 178.2, 0.97), (0.04, 9.0, 0.0001)


def measured(
    mean: Sequence[float] = MEAN, finding: str = "", validated: bool = True
) -> dict[str, Any]:
    """A study that was done, as ``cohort`` takes it."""
    return {"mean": mean, "finding": finding, "flags": () if validated else (OUTSIDE_VALIDATION,)}


def cohort(
    folder: Path,
    studies: dict[str, dict[str, Any]],
    modules: Sequence[InferenceModule] = (module_spec(),),
    level: float = 0.95,
) -> Cohort:
    """A cohort whose ledger knows these studies, measured at 95 %, or their failures."""
    with Ledger(folder, {"mimir": "0.1.0"}) as ledger:
        for name, study in studies.items():
            ledger.add(name, study if "code" in study else entry(name, study, modules))
        return Cohort(ledger, modules, level, {"mimir": "0.1.0", "level": level})


def entry(name: str, study: dict[str, Any], modules: Sequence[InferenceModule]) -> dict[str, Any]:
    """The ledger's entry of a study."""
    measurements = [
        measurement
        for module in modules
        for measurement in measure(module, study["mean"], VARIANCE, flags=study["flags"])
    ]
    findings = (Finding(study["finding"], "..."),) if study["finding"] else ()
    return asdict(StudyResult(name, "1000001", "2", tuple(measurements), findings))


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def written(folder: Path, *arguments: Any, **options: Any) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the ``predictions.csv`` of such a cohort."""
    write_cohort(folder, cohort(folder, *arguments, **options), ["mimir", "infer"])
    header, *lines = rows(folder / "predictions.csv")
    return header, lines


def test_the_columns_are_those_of_the_contract_and_the_rows_are_sorted(tmp_path: Path) -> None:
    header, lines = written(tmp_path, {"b": measured(), "a": measured(finding="SLICE_REPEATED")})
    assert header == [
        "name", "eid", "instance",
        "liverVolume_mean_in_L", "liverVolume_sd_in_L",
        "liverVolume_lower95", "liverVolume_upper95",
        "height_mean_in_cm", "height_sd_in_cm",
        "height_lower95", "height_upper95",
        "sex_male_score", *DIRECT_COLUMNS, "flags",
    ]  # fmt: skip
    assert [line[0] for line in lines] == ["a", "b"]
    assert lines[0][1:5] == ["1000001", "2", "1.45", "0.2"]
    assert [line[-1] for line in lines] == ["SLICE_REPEATED", ""]


@pytest.mark.parametrize(("level", "ending"), [(0.9, "90"), (0.975, "97.5"), (0.683, "68.3")])
def test_the_level_is_in_the_names_of_the_bounds(tmp_path: Path, level: float, ending: str) -> None:
    header, _ = written(tmp_path, {}, level=level)
    assert header[5:7] == [f"liverVolume_lower{ending}", f"liverVolume_upper{ending}"]


def test_numbers_are_written_in_full_precision(tmp_path: Path) -> None:
    mean = (0.1 + 0.2, 1e-17, -1 / 3)
    _, (line,) = written(tmp_path, {"a": measured(mean=mean)})
    assert (float(line[3]), float(line[7]), float(line[11])) == mean
    assert float(line[5]) == measure(module_spec(), mean, VARIANCE)[0].lower


def test_a_bound_below_zero_stays_raw(tmp_path: Path) -> None:
    _, (line,) = written(tmp_path, {"a": measured(mean=(0.1, 170.0, 0.0))})
    assert float(line[5]) < 0


def test_a_study_is_in_exactly_one_of_the_two_files(tmp_path: Path) -> None:
    failure = {"code": "NO_DICOM", "reason": "nothing, to read."}
    _, lines = written(tmp_path, {"b": failure, "a": measured(), "c": failure})
    assert [line[0] for line in lines] == ["a"]
    header, *failures = rows(tmp_path / "failures.csv")
    assert header == ["name", "code", "reason"]
    assert failures == [[name, "NO_DICOM", "nothing, to read."] for name in "bc"]


def test_without_studies_both_files_have_their_header(tmp_path: Path) -> None:
    header, lines = written(tmp_path, {})
    assert len(header) == 13 + len(DIRECT_COLUMNS)
    assert lines == []
    assert rows(tmp_path / "failures.csv") == [["name", "code", "reason"]]


def test_two_modules_stand_side_by_side(tmp_path: Path) -> None:
    modules = (module_spec(), module_spec(name="other", column_prefix="other_"))
    header, (line,) = written(tmp_path, {"a": measured()}, modules)
    assert header[12] == "other_liverVolume_mean_in_L"
    assert line[12:21] == line[3:12]


def test_only_the_sex_has_a_male_score(tmp_path: Path) -> None:
    targets = (
        Target("diabetes", "", "", 1, 0.05, 0.2, kind="class"),
        Target("gender", "31", "", 1, 0.5, 0.5, kind="class"),
        Target("bmi", "", "", 1, 27, 5),
    )
    header, _ = written(tmp_path, {}, [module_spec(targets=targets)])
    assert header[3:7] == ["diabetes_score", "gender_male_score", "bmi_mean", "bmi_sd"]


def test_published_columns_have_the_variance_in_the_unit_squared(tmp_path: Path) -> None:
    studies = cohort(tmp_path, {"a": measured()})
    write_cohort(tmp_path, studies, ["mimir"], columns="published")
    header, line = rows(tmp_path / "predictions.csv")
    assert header[3:5] == ["liverVolume_mean_in_L", "liverVolume_variance_in_L"]
    assert header[7:] == ["sex_mean", "sex_variance", "flags"]
    assert float(line[4]) == pytest.approx(0.04)


def test_direct_measurements_stand_before_the_flags_with_empty_cells_where_unknown(
    tmp_path: Path,
) -> None:
    direct = (
        DirectMeasurement("fat_volume", "L", 0.1 + 0.2),
        DirectMeasurement("waist", "cm", reason="the shoulders are not in view"),
    )
    with Ledger(tmp_path, {"mimir": "0.1.0"}) as ledger:
        ledger.add("a", asdict(StudyResult("a", "", "", (), (), direct)))
        cohort = Cohort(ledger, (), 0.95, {})
        write_cohort(tmp_path, cohort, ["mimir", "measure"])
    header, row = rows(tmp_path / "measurements.csv")
    assert header == ["name", "eid", "instance", *DIRECT_COLUMNS, "flags"]
    cells = dict(zip(header, row))
    assert float(cells.pop("direct_fat_volume_in_L")) == 0.1 + 0.2
    assert cells.pop("name") == "a"
    assert set(cells.values()) == {""}


def test_names_cannot_be_formulas_and_any_alphabet_is_kept(tmp_path: Path) -> None:
    names = ["=1+1", "+1", "-1", "@x", "\uff1d1", "Zoë, 頭", 'a"b']
    _, lines = written(tmp_path, {name: measured() for name in names})
    assert {line[0] for line in lines} == {
        "'=1+1", "'+1", "'-1", "'@x", "'\uff1d1", "Zoë, 頭", 'a"b',
    }  # fmt: skip


def test_the_run_is_described(tmp_path: Path) -> None:
    write_cohort(tmp_path, cohort(tmp_path, {"a": measured()}), ["mimir", "infer", "Zoë"])
    content = (tmp_path / "run.json").read_bytes()
    assert content.isascii()
    assert json.loads(content) == {
        "mimir": "0.1.0", "level": 0.95, "done": 1, "failed": 0, "columns": "long",
        "interval_methods": {"liverVolume": ["gaussian"], "height": ["gaussian"], "sex": ["none"]},
        "command": ["mimir", "infer", "Zoë"],
    }  # fmt: skip


def test_a_failed_write_leaves_the_old_file_and_no_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    with pytest.raises(TypeError), atomic_file(path) as file:
        file.writelines([b"half", "no bytes"])  # type: ignore[list-item]
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]
    assert path.read_text() == "old"
    (tmp_path / "folder").mkdir()
    with pytest.raises(MimirError, match="OUTPUT_UNWRITABLE"), atomic_file(tmp_path / "folder"):
        pass


def test_text_from_outside_fits_one_line_of_any_terminal() -> None:
    assert printable("a\r\nb\x1b[2J\u202e\u2028\x00c\udcff ë頭") == "a  b [2J   c  ë頭"


def test_a_module_is_described_with_its_measurements_and_validated_range(tmp_path: Path) -> None:
    text = describe(load_module(write_without_network(tmp_path / "trial")))
    assert text.startswith("trial 1.0: A trial\n")
    assert "scanners by SIEMENS, 1.5 T, 6 stations, 1000 to 1250 mm from head to foot" in text
    assert "liverVolume" in text
    assert "Gaussian, from the predicted SD; not conformal" in text
    assert "none: a class has a score" in text
    assert "published MAE" not in text, "only the published networks have the published accuracy"


def test_a_module_s_description_says_what_its_intervals_rest_on(tmp_path: Path) -> None:
    part = IntervalBin(300, (0.5, 0.95), (-0.7, -1.8), (0.8, 2.6))
    made = (
        (Intervals(300, {"all": (part,)}), "up to level 0.95; Gaussian beyond; 300 persons"),
        (Intervals(20), "none: calibrated on 20 persons, too few"),
    )
    for number, (intervals, words) in enumerate(made):
        targets = (replace(TARGETS[0], intervals=intervals),)
        module = load_module(write_without_network(tmp_path / str(number), targets=targets))
        assert words in describe(module)


def test_a_published_module_shows_its_calibration_on_the_later_test(tmp_path: Path) -> None:
    """Its intervals cover much less than in cross-validation: the AUCE is 0.12, not 0.007."""
    thigh = Target("AtlasTotalThighMuscleVolume", "22409", "L", 1000, 10_000, 2_000)
    vat = Target("vat", "22407", "L", 1000, 4_000, 2_000)
    changes = {"targets": (thigh, vat), "provenance": {"layout": "published"}}
    text = describe(load_module(write_without_network(tmp_path / "bodycomp", **changes)))
    assert (
        "n = 14,718: MAE 0.231, calibration error (AUCE) 0.120, in cross-validation 0.007" in text
    )
    assert "(AUCE) 0.030" in text, "found by its field"
    own = describe(load_module(write_without_network(tmp_path / "own", targets=(thigh,))))
    assert "AUCE" not in own


# --- extras ---


def test_parquet_holds_one_row_per_study_and_measurement(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    from mimir_engine.cohort.result_files import write_parquet

    module = module_with_statistics(tmp_path / "trial", demonstration=True)
    outcomes = {"b": measured(validated=False), "a": measured(finding="SLICE_REPEATED")}
    studies = cohort(tmp_path, outcomes, [module], level=0.9)
    write_parquet(tmp_path, studies)
    table = parquet.read_table(tmp_path / "predictions.parquet")
    assert table.column_names == [
        "study", "eid", "instance", "measurement", "short_name", "unit", "interval_method", "sex",
        "sex_source", "value", "sd", "lower", "upper", "level", "coverage_low", "coverage_high",
        "z", "percentile", "flags",
    ]  # fmt: skip
    first, *_, last = table.to_pylist()
    expected = measure(module, MEAN, VARIANCE, 0.9)
    assert first == {
        "study": "a", "eid": 1000001, "instance": 2,
        "measurement": "liverVolume", "short_name": "liver_vol", "unit": "L",
        "value": 1.45, "sd": 0.2,
        "lower": expected[0].lower, "upper": expected[0].upper, "level": 0.9,
        "interval_method": "gaussian", "coverage_low": None, "coverage_high": None,
        "sex": "male", "sex_source": "estimated",
        "z": expected[0].z_score, "percentile": expected[0].percentile,
        "flags": "SLICE_REPEATED;DEMONSTRATION",
    }  # fmt: skip
    assert first["percentile"] is not None
    assert (last["study"], last["measurement"], last["z"], last["flags"]) == (
        "b", "sex", None, "OUTSIDE_VALIDATION;DEMONSTRATION",
    )  # fmt: skip
    assert table.num_rows == 6
    assert json.loads(table.schema.metadata[b"mimir"])["level"] == 0.9


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_missing_extra_is_named_with_its_pip_command(
    extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in EXTRAS[extra][1]:
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MimirError, match=rf"EXTRA_MISSING: .*'mimir-engine\[{extra}\]'"):
        require(extra)
