"""The codebook explains each column and each code of the table beside it."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from random_modules import TARGETS, module_spec

from mimir_engine.cohort.cohort import Cohort
from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.result_files import write_cohort, write_parquet
from mimir_engine.cohort.tables.codebook import CODEBOOK_FILES
from mimir_engine.cohort.tables.columns import table_columns
from mimir_engine.cohort.tables.styles import LONG, PUBLISHED, SHORT, STYLES
from mimir_engine.errors import MimirError
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.inference_module.target import Target
from mimir_engine.measuring.flags import FLAG_SENTENCES
from mimir_engine.measuring.measurement import measure
from mimir_engine.measuring.study_result import StudyResult

DOCS = Path(__file__).resolve().parents[4] / "docs"
VAT = Target("AtlasVatVolume", "22407", "L", 1000, 4400, 2200, non_negative=True)
TRIAL = module_spec(targets=(VAT, *TARGETS[1:]), column_prefix="my_")
RUN = {"mimir": "0.8.0"}


def write(
    folder: Path,
    style: str,
    modules: tuple[InferenceModule, ...] = (TRIAL,),
    ids: tuple[str, str] = ("1000001", "2"),
) -> Cohort:
    """Write the table of one study, measured by these modules."""
    measured = [m for module in modules for m in measure(module, (4.5, 170.0, 0.9), (0.25, 9, 0.1))]
    with Ledger(folder, RUN) as ledger:
        ledger.add("a", asdict(StudyResult("a", *ids, tuple(measured), ())))
        cohort = Cohort(ledger, modules, 0.95, RUN)
    write_cohort(folder, cohort, ["mimir"], style)
    return cohort


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def header(folder: Path) -> list[str]:
    return (folder / "predictions.csv").read_text("utf-8").splitlines()[0].split(",")


def codebook(folder: Path) -> dict[str, dict[str, str]]:
    """The rows that explain columns, by the column's name in the table."""
    return {row["column"]: row for row in rows(folder / "codebook.csv") if not row["code"]}


@pytest.mark.parametrize("style", STYLES)
def test_the_codebook_explains_the_columns_of_its_table_in_their_order(
    tmp_path: Path, style: str
) -> None:
    write(tmp_path, style)
    assert [*codebook(tmp_path)] == header(tmp_path)
    record = json.loads((tmp_path / "codebook.json").read_text("ascii"))
    assert [column["column"] for column in record["columns"]] == header(tmp_path)
    assert (record["table"], record["columns_named"]) == ("predictions.csv", style)
    assert json.loads((tmp_path / "run.json").read_text("ascii"))["columns"] == style


def test_a_column_is_described_by_measurement_unit_field_module_and_level(tmp_path: Path) -> None:
    write(tmp_path, SHORT)
    assert codebook(tmp_path)["my__vat_lo95"] == {
        "column": "my__vat_lo95",
        "what": "lower bound",
        "code": "",
        "label": "Visceral adipose tissue (VAT) volume: lower bound of the 95 % interval",
        "unit": "L",
        "level": "0.95",
        "measurement": "my_AtlasVatVolume",
        "ukb_field": "22407",
        "module": "trial",
        "module_version": "1.0",
        "long_name": "my_AtlasVatVolume_lower95",
        "short_name": "my__vat_lo95",
        "published_name": "",
    }
    what = {name: row["what"] for name, row in codebook(tmp_path).items()}
    assert what["eid"] == what["instance"] == "id"
    assert what["my__vat"] == "estimate"
    assert what["my__vat_sd"] == "standard deviation"
    assert what["my__sex_score"] == "score"
    assert what["direct_waist"] == "direct measurement"
    assert what["flags"] == "flags"


def test_a_published_variance_has_its_unit_squared(tmp_path: Path) -> None:
    write(tmp_path, PUBLISHED)
    row = codebook(tmp_path)["my_AtlasVatVolume_variance_in_L"]
    assert (row["what"], row["unit"], row["long_name"]) == ("variance", "(L)^2", "")


def test_csv_and_json_say_the_same(tmp_path: Path) -> None:
    write(tmp_path, LONG)
    record = json.loads((tmp_path / "codebook.json").read_text("ascii"))
    for column, row in zip(record["columns"], codebook(tmp_path).values()):
        level = column.pop("level")
        assert row["level"] == ("" if level is None else str(level))
        assert column.items() <= row.items()
    sentences = {r["code"]: r["label"] for r in rows(tmp_path / "codebook.csv") if r["code"]}
    assert record["flags"] == sentences


def test_the_flags_are_those_of_the_page_of_codes_in_the_sentences_of_slicer(
    tmp_path: Path,
) -> None:
    write(tmp_path, LONG)
    sections = (DOCS / "errors.md").read_text("utf-8").split("\n## ")
    explained, of_volumes = (
        set(re.findall(r"^\| `([A-Z_]+)`", section, re.M))
        for title in ("Flags", "Volume files")
        for section in sections
        if section.startswith(f"{title}\n")
    )
    flags = json.loads((tmp_path / "codebook.json").read_text("ascii"))["flags"]
    of_labels = set(flags) & of_volumes  # a label map that cannot be used is a flag of its study
    assert set(flags) - of_labels == explained - {"BATCH_DRIFTED"}
    assert flags.items() <= FLAG_SENTENCES.items()


@pytest.mark.parametrize(
    ("eid", "cell"),
    [
        ("1000001", "1000001"),
        ("6123456789", "6123456789"),
        ("", ""),
        *((text, "") for text in ("0012345", "12a", "-5", "+5", "1.0", " 7", "1" * 19)),
        ("\u0661\u0662\u0663\u0664\u0665\u0666\u0667", ""),
    ],
)
def test_an_eid_is_a_number_or_empty(tmp_path: Path, eid: str, cell: str) -> None:
    write(tmp_path, LONG, ids=(eid, "2"))
    (row,) = rows(tmp_path / "predictions.csv")
    assert (row["eid"], row["instance"]) == (cell, "2")


def test_a_measurement_that_a_study_lacks_is_an_empty_cell(tmp_path: Path) -> None:
    write(tmp_path, SHORT)
    with Ledger(tmp_path, RUN) as ledger:
        ledger.add("b", asdict(StudyResult("b", "", "", (), ())))
        cohort = Cohort(ledger, (TRIAL,), 0.95, RUN)
    write_cohort(tmp_path, cohort, ["mimir"], SHORT)
    first, second = rows(tmp_path / "predictions.csv")
    assert float(first["my__vat"]) == 4.5
    assert {*second.values()} == {"b", ""}


def test_modules_whose_short_names_would_be_the_same_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mimir_engine.measuring.short_names._digits", lambda text, count: "0")
    others = [replace(TRIAL, name=f"m{n}", column_prefix=f"a{n}") for n in (1, 2)]
    with pytest.raises(MimirError, match=r"COLUMN_CONFLICT: .* same short name.*m2=PREFIX"):
        table_columns(others, 0.95, SHORT)
    assert table_columns(others, 0.95, LONG)


def test_an_unknown_style_is_refused() -> None:
    with pytest.raises(MimirError, match=r"WRONG_USE: .*Use long, short, published"):
        table_columns((TRIAL,), 0.95, "medium")


def test_a_run_removes_an_old_codebook_and_overwrites_no_other(tmp_path: Path) -> None:
    write(tmp_path / "run", LONG)
    with Ledger(tmp_path / "run", RUN, overwrite=True):
        pass
    assert not [name for name in CODEBOOK_FILES if (tmp_path / "run" / name).exists()]
    for name in CODEBOOK_FILES:
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text("somebody's")
        with pytest.raises(MimirError, match="OUTPUT_IN_USE"):
            Ledger(tmp_path / name, RUN)


def test_parquet_has_ids_as_integers_and_a_codebook_of_measurements(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    import pyarrow as pa
    from pyarrow import parquet

    for name, ids in (("biobank", ("1000001", "2")), ("other", ("", ""))):
        write_parquet(tmp_path, write(tmp_path / name, LONG, ids=ids))
        table = parquet.read_table(tmp_path / "predictions.parquet")
        assert {table.schema.field(name).type for name in ("eid", "instance")} == {pa.int64()}
        first: dict[str, Any] = table.to_pylist()[0]
        expected = (1000001, 2) if name == "biobank" else (None, None)
        assert (first["eid"], first["instance"]) == expected
        assert (first["measurement"], first["short_name"]) == ("my_AtlasVatVolume", "my__vat")
    described = json.loads(table.schema.metadata[b"codebook"])
    assert described["measurements"][0] == {
        "name": "my_AtlasVatVolume",
        "short_name": "my__vat",
        "title": "Visceral adipose tissue (VAT) volume",
        "unit": "L",
        "ukb_field": "22407",
        "module": "trial",
        "module_version": "1.0",
    }
    assert [*described["columns"]] == table.column_names
    assert set(table.column("measurement").to_pylist()) <= {
        one["name"] for one in described["measurements"]
    }
    assert described["flags"]["NO_INTERVAL"] == FLAG_SENTENCES["NO_INTERVAL"]
