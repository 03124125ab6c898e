from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable

import pytest
from random_modules import module_spec, write_without_network

from mimir_engine.errors import MimirError
from mimir_engine.inference_module import load_module
from mimir_engine.inference_module.acceptance import Accepts
from mimir_engine.inference_module.format import InferenceModule, ModuleFile, WeightsFile
from mimir_engine.inference_module.interval import IntervalBin, Intervals
from mimir_engine.inference_module.target import Target


def changed(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    path = folder / "module.json"
    record = json.loads(path.read_text("utf-8"))
    change(record)
    path.write_text(json.dumps(record), "utf-8")
    return folder


def test_a_module_is_read_back_unchanged(tmp_path: Path) -> None:
    target = Target(
        "VatVolume",
        "22407",
        "L",
        1000,
        3900,
        2300,
        1.7,
        "quantity",
        True,
        1.02,
        -0.01,
        {0.5: 0.7, 0.95: 2.1},
        {"female": {0.975: 2.3}, "male": {0.95: 2.2}},
        Intervals(
            700,
            {
                "all": (
                    IntervalBin(300, (0.5, 0.95), (-0.7, -2.0), (0.8, 2.3), upto=1.5),
                    IntervalBin(400, (0.95,), (-1.9,), (2.6,)),
                )
            },
            "log",
            0.25,
        ),
        (0.5, 12.0),
    )
    accepts = Accepts(("SIEMENS", "Philips"), ("Aera",), (1.5, 3.0), (5, 6), (900.0, 1300.5))
    changes = {
        "targets": (target,),
        "accepts": accepts,
        "column_prefix": "a_",
        "demonstration": True,
        "provenance": {"seed": 7, "note": "größer"},
        "bfloat16_error_sd": 0.004,
        "features_file": ModuleFile("features.safetensors", "1" * 64),
    }
    folder = write_without_network(tmp_path / "trial", **changes)
    module = load_module(folder)
    assert module == module_spec(weights=module.weights, folder=folder, **changes)
    assert module.measurement_names == ("a_VatVolume",)


def test_a_key_of_earlier_versions_is_still_accepted(tmp_path: Path) -> None:
    folder = write_without_network(tmp_path / "trial")
    record = json.loads((folder / "module.json").read_text("utf-8"))
    (folder / "module.json").write_text(json.dumps({**record, "bfloat16_error_sd": 0.01}), "utf-8")
    assert load_module(folder).name == "trial"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda r: r.pop("name"), "has no 'name'"),
        (lambda r: r.update(name=3), "'name' must be text"),
        (lambda r: r.update(name="../evil"), "the module name '../evil'"),
        (lambda r: r.update(schema_version=4), "schema version 4; this engine reads 1 and 2 and 3"),
        (lambda r: r.update(schema_version=True), "'schema_version' must be an integer"),
        (lambda r: r.update(surprise=1), "unknown key 'surprise'"),
        (lambda r: r.update(demonstration="no"), "'demonstration' must be true or false"),
        (lambda r: r.update(column_prefix="a,b"), "the column prefix"),
        (lambda r: r.update(targets=[]), "has no targets"),
        (lambda r: r.update(targets=7), "'targets' must be a list"),
        (lambda r: r.update(targets=[7]), "targets 1 must be a JSON object"),
        (lambda r: r["targets"].append(r["targets"][0]), "the target liverVolume occurs twice"),
        (lambda r: r["targets"][0].update(name="liver volume"), "the target name 'liver volume'"),
        (lambda r: r["targets"][0].update(name="1st"), "the target name '1st'"),
        (lambda r: r["targets"][0].update(name="léber"), "the target name"),
        (lambda r: r["targets"][0].update(ukb_field="a"), "the UK Biobank field"),
        (lambda r: r["targets"][0].update(unit="L\n"), "the unit of liverVolume"),
        (lambda r: r["targets"][0].update(unit="L,mL"), "the unit of liverVolume"),
        (lambda r: r["targets"][0].update(sd=0), "the sd of liverVolume must be above 0"),
        (lambda r: r["targets"][0].update(sd="wide"), "targets 1: 'sd' must be a finite number"),
        (lambda r: r["targets"][0].update(divisor=-1), "the divisor of liverVolume"),
        (lambda r: r["targets"][0].update(mean=float("nan")), "'mean' must be a finite number"),
        (lambda r: r["targets"][0].update(mean=10**400), "'mean' must be a finite number"),
        (lambda r: r["targets"][0].update(mean=True), "'mean' must be a finite number"),
        (lambda r: r["targets"][0].update(variance_factor=0), "the variance_factor"),
        (lambda r: r["targets"][0].update(kind="guess"), "the kind of liverVolume"),
        (lambda r: r["targets"][0].update(conformal_quantiles={"1": 2}), "is out of range"),
        (
            lambda r: r["targets"][0].update(conformal_quantiles={"a": 2}),
            "has the key 'a', not a number",
        ),
        (
            lambda r: r["targets"][0].update(conformal_quantiles={"0.9": 2, "0.95": 1.9}),
            "the conformal quantiles of liverVolume must not decrease",
        ),
        (
            lambda r: r["targets"][0].update(conformal_quantiles_by_sex={"man": {"0.9": 2}}),
            "intervals for an unknown sex 'man'",
        ),
        (
            lambda r: r["targets"][0].update(conformal_quantiles_by_sex={"male": {"0.9": 0}}),
            "is out of range",
        ),
        (
            lambda r: r["targets"][0].update(conformal_quantiles_by_sex={"male": 2}),
            "must be a JSON object",
        ),
        (
            lambda r: r["targets"][0].update(intervals={"persons": 9, "bins": {"male": []}}),
            "intervals need bins of all persons",
        ),
        (
            lambda r: r["targets"][0].update(label_range=[2, 1]),
            "the label_range of liverVolume must increase",
        ),
        (lambda r: r.update(features={"file": "features.json", "sha256": "0" * 64}), "the file"),
        (lambda r: r["accepts"].update(head_foot_mm=[1]), "'head_foot_mm' must be a list of 2"),
        (lambda r: r["accepts"].update(head_foot_mm=[2, 1]), "the smallest and the largest"),
        (lambda r: r["accepts"].update(stations=[5.5]), "'stations 1' must be an integer"),
        (lambda r: r["accepts"].update(vendors=[5]), "'vendors 1' must be text"),
        (lambda r: r["accepts"].update(colour="blue"), "accepts has an unknown key 'colour'"),
        (lambda r: r.update(provenance=[]), "'provenance' must be a JSON object"),
        (lambda r: r.update(weights=[]), "lists no weights"),
        (lambda r: r["weights"].append(r["weights"][0]), "occurs twice"),
        (lambda r: r["weights"][0].update(sha256="ab"), "the SHA-256 of weights.safetensors"),
        (lambda r: r["weights"][0].update(storage="int4"), "the storage of weights.safetensors"),
    ],
)
def test_an_invalid_module_file_is_refused_in_one_line(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    folder = changed(write_without_network(tmp_path / "trial"), change)
    with pytest.raises(MimirError) as caught:
        load_module(folder)
    assert caught.value.code == "MODULE_INVALID"
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "../weights.safetensors",
        "/etc/weights.safetensors",
        "a/b.safetensors",
        "a\\b.safetensors",
        "C:b.safetensors",
        ".hidden.safetensors",
        "weights.pth",
        "module.json",
        "weights.safetensors\n",
    ],
)
def test_a_file_name_cannot_leave_the_folder(name: str) -> None:
    with pytest.raises(MimirError, match="MODULE_INVALID: the file"):
        module_spec(weights=(WeightsFile(name, "0" * 64),))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"name": "a", "name": "b"}',
        b'{"schema_version": NaN}',
        b"[" * 100_000,
        b" " * (5 << 20),
    ],
    ids=["empty", "list", "cut", "no UTF-8", "twice", "NaN", "deep", "large"],
)
def test_a_file_with_other_json_is_refused(tmp_path: Path, content: bytes) -> None:
    folder = write_without_network(tmp_path / "trial")
    (folder / "module.json").write_bytes(content)
    with pytest.raises(MimirError, match="MODULE_INVALID"):
        load_module(folder)


def test_a_file_of_version_1_is_read_with_the_same_content(tmp_path: Path) -> None:
    def as_version_1(record: dict[str, Any]) -> None:
        record["schema_version"] = 1
        del record["features"]
        for target in record["targets"]:
            for name in ("conformal_quantiles_by_sex", "intervals", "label_range"):
                del target[name]

    folder = changed(write_without_network(tmp_path / "trial"), as_version_1)
    module = load_module(folder)
    assert module == module_spec(weights=module.weights, folder=folder)
    assert module.profile() is None


def test_the_shipped_module_is_read() -> None:
    shipped = Path(__file__).resolve().parents[3] / "weights" / "phantom"
    module = load_module(shipped)
    assert len(module.targets) == 11
    assert {file.file for file in module.files} >= {"weights.safetensors", "statistics.json"}
    for target in module.targets:
        assert target.kind == "class" or (target.is_conformal and target.label_range is not None)


def test_only_an_imported_module_counts_as_published() -> None:
    assert not module_spec().published
    assert module_spec(provenance={"layout": "published"}).published


def test_an_invalid_module_is_refused_on_construction() -> None:
    module: InferenceModule = module_spec()
    with pytest.raises(MimirError, match="MODULE_INVALID"):
        replace(module, targets=(module.targets[0],) * 2)
