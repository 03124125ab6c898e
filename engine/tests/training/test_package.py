"""Package training runs, with real ResNet18s of random weights."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from nearly import nearly

pytest.importorskip("torch")

from finished_runs import (
    dataset,
    out_of_fold,
    write_images,
)
from image_folder_builder import write_image_folder
from one_thread import one_thread
from usual_images import usual_images

from mimir_engine.cli import main
from mimir_engine.cohort.images.image_folder import study_id
from mimir_engine.direct.direct_measurement import QUANTITIES, direct_column
from mimir_engine.errors import MimirError
from mimir_engine.evaluation.predictions import write_predictions
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.files.file_sha256 import file_sha256
from mimir_engine.inference_module import load_module, verify_module
from mimir_engine.inference_module.coverage import coverage_range
from mimir_engine.measuring.measurement import interval, measure
from mimir_engine.measuring.network import Predictor
from mimir_engine.measuring.scan_comparison import compare_scan
from mimir_engine.training.checkpoint import load_checkpoint
from mimir_engine.training.identity import PHANTOM
from mimir_engine.training.model_card import model_card
from mimir_engine.training.package import package, recalibrate


def test_a_run_becomes_a_module_whose_intervals_fit_the_held_out_data(
    work: Path, tmp_path: Path
) -> None:
    held_out = dataset(4, seed=5)
    with one_thread():
        module = package(
            [work / "run1"],
            [work / "held-out"],
            tmp_path / "phantom",
            PHANTOM,
            eight_bit=True,
            keep_worthless=True,
        )
        prediction = Predictor(module).predict(np.asarray(held_out.images))
    verify_module(module)
    error = held_out.targets / [1, 1000] - prediction.mean
    assert (error**2 / prediction.variance).mean(axis=0) == pytest.approx(1.0)
    sex, liver = module.targets
    assert (sex.kind, sex.non_negative) == ("class", False)
    assert (liver.unit, liver.divisor, liver.ukb_field) == ("L", 1000.0, "21080")
    assert 1000 < liver.mean < 2000
    assert (module.demonstration, module.column_prefix) == (True, "phantom_")
    assert [run["data"] for run in module.provenance["training"]] == [{"first_seed": 1}]
    assert module.provenance["calibration"]["data"]["first_seed"] == 5
    assert module.provenance["calibration"]["persons"] == 4
    assert "kept as asked" in module.provenance["notes"][0]
    assert set(module.provenance["calibration"]["targets"]) == {"sex", "liverVolume"}
    statistics = module.statistics()
    assert statistics is not None
    assert {s: g.count for s, g in statistics.by_sex.items()} == {"female": 2, "male": 2}
    assert statistics.reference == "4 held-out synthetic phantoms"


def test_networks_of_an_ensemble_share_one_scale(work: Path, ensemble: Path) -> None:
    module = load_module(ensemble)
    assert [w.file for w in module.weights] == ["weights1.safetensors", "weights2.safetensors"]
    images = np.asarray(dataset(3, seed=8).images)
    standardisations = [load_checkpoint(work / f"run{n}").standardisation for n in (1, 2)]
    assert abs(standardisations[0].mean[1] - standardisations[1].mean[1]) > 10
    singles = []
    for number in (1, 2):
        run, folder = work / f"run{number}", work / f"single{number}"
        single = package([run], [work / "cv"], folder, PHANTOM)
        raw = tuple(
            replace(t, variance_factor=1.0, mean_slope=1.0, mean_offset=0.0) for t in single.targets
        )
        singles.append(Predictor(replace(single, targets=raw)).predict(images))
    raw = tuple(
        replace(t, variance_factor=1.0, mean_slope=1.0, mean_offset=0.0) for t in module.targets
    )
    mixed = Predictor(replace(module, targets=raw)).predict(images)
    means = np.stack([single.mean for single in singles])
    variances = np.stack([single.variance for single in singles])
    assert mixed.mean == pytest.approx(means.mean(axis=0), rel=1e-4)
    assert mixed.variance == pytest.approx(variances.mean(axis=0) + means.var(axis=0), rel=1e-3)


def test_calibration_on_a_cross_validation_reaches_the_module(ensemble: Path) -> None:
    module = load_module(ensemble)
    sex, liver = module.targets
    assert liver.mean_slope == pytest.approx(1.2, abs=0.15)
    assert 3 < liver.variance_factor < 9
    assert liver.intervals is not None
    assert set(liver.intervals.bins) == {"all", "female", "male"}
    assert (sex.intervals, sex.mean_slope) == (None, 1.0)
    calibration = module.provenance["calibration"]
    assert calibration["crossvalidation"]["folds"] == 5
    assert calibration["crossvalidation"]["recipe"]["name"] == "short"
    assert calibration["targets"]["liverVolume"]["coverage95"] == pytest.approx(0.95, abs=0.02)
    statistics = module.statistics()
    assert statistics is not None
    assert statistics.reference == "600 invented people"
    assert sum(group.count for group in statistics.by_sex.values()) == 600
    measured = measure(module, [0.05, 1.6], [0.01, 0.01])[1]
    expected = interval(liver, 1.6, 0.1, 0.95, "female")
    assert (measured.lower, measured.upper) == (expected.lower, expected.upper)
    assert measured.interval_method == "conformal"
    assert calibration["persons"] == 600
    assert "for female members of 600 invented people" in measured.z_reference


def test_several_folders_of_images_calibrate_together(work: Path, tmp_path: Path) -> None:
    more = dataset(4, seed=6)
    names = [study_id(f"{3_000_000 + row}_20201_2_0") for row in range(len(more))]
    write_image_folder(tmp_path / "more", replace(more, studies=tuple(names)))
    both = [work / "held-out", tmp_path / "more"]
    with one_thread():
        module = package([work / "run1"], both, tmp_path / "both", PHANTOM, keep_worthless=True)
    assert module.provenance["calibration"]["studies"] == 8
    with pytest.raises(MimirError, match=r"CALIBRATION_UNREADABLE.*only folders of images"):
        package([work / "run1"], [work / "cv", *both], tmp_path / "none", PHANTOM)


def test_percentiles_of_an_ensemble_are_among_its_own_predictions(
    work: Path, tmp_path: Path
) -> None:
    runs = [work / "run1", work / "run2"]
    with one_thread():
        module = package(runs, [work / "held-out"], tmp_path / "both", PHANTOM, keep_worthless=True)
        predicted = Predictor(module).predict(np.asarray(dataset(4, seed=5).images))
    statistics = module.statistics()
    assert statistics is not None
    women = statistics.by_sex["female"].targets["liverVolume"]
    expected = np.quantile(predicted.mean[::2, 1], statistics.levels)
    assert women == pytest.approx(expected, rel=1e-4)


def test_the_card_agrees_with_the_module(ensemble: Path) -> None:
    card = (ensemble / "README.md").read_text("utf-8")
    for fact in (
        "# livers 2.1",
        "600 invented people \\| none of them real",
        "2 × resnet18",
        "600 studies",
        "5 networks, name short, steps 500",
        "It has never seen a liver.",
        "CC0-1.0",
        "SIEMENS",
        "| sex | score | 600 |",
    ):
        assert fact in card
    liver = next(line for line in card.splitlines() if line.startswith("| liverVolume | L | 600"))
    accuracy = load_module(ensemble).provenance["calibration"]["targets"]["liverVolume"]
    assert f"{accuracy['mae']:.3g}" in liver
    assert f"{100 * accuracy['coverage95']:.1f}" in liver
    top = f"{100 * accuracy['coverage95_top_5_percent_by_estimate']:.1f}"
    assert any(line.endswith(f"{top} |") for line in card.splitlines() if "liverVolume" in line)
    low, high = (f"{100 * share:.1f}" for share in coverage_range(200, 0.95))
    assert f"{low} to {high}" in card


@pytest.mark.parametrize(
    "odd",
    [
        {"training": 5},
        {"training": ["x"]},
        {"training": [{"data": "x"}]},
        {"training": {"recipe": 1}},
        {"limits": 5},
        {"limits": [{"a": 1}]},
        {"reference": 5},
    ],
)
def test_a_module_with_an_odd_provenance_is_not_recalibrated(
    odd: dict[str, object], ensemble: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = load_module(ensemble)
    changed = tmp_path / "changed"
    shutil.copytree(ensemble, changed)
    description = json.loads((changed / "module.json").read_text("utf-8"))
    description["provenance"] = {**module.provenance, **odd}
    (changed / "module.json").write_text(json.dumps(description), "utf-8")
    write_predictions(tmp_path / "site.csv", out_of_fold())
    command = ["package", "--recalibrate", str(changed), "--output", str(tmp_path / "again")]
    assert main([*command, "--calibration", str(tmp_path / "site.csv")]) == 2
    assert capsys.readouterr().err.startswith("MODULE_INVALID: ")


def test_texts_of_a_module_are_no_markdown_in_its_card(ensemble: Path) -> None:
    module = load_module(ensemble)
    text = "![x](http://example.org/x.png) <script>\n# Heading"
    limits = {**module.provenance, "limits": [text]}
    card = model_card(
        replace(module, title=text, description=text, licence=text, provenance=limits)
    )
    assert "![x]" not in card
    assert "<script>" not in card
    assert "\n# Heading" not in card


def test_recalibration_leaves_the_weights_unchanged(
    work: Path, ensemble: Path, tmp_path: Path
) -> None:
    before = load_module(ensemble)
    data = out_of_fold()
    write_predictions(tmp_path / "site.csv", replace(data, mean=np.add(data.mean, [0, 0.1])))
    command = ["package", "--recalibrate", str(ensemble), "--output", str(tmp_path / "again")]
    assert main([*command, "--calibration", str(tmp_path / "site.csv")]) == 0
    again = load_module(tmp_path / "again")
    verify_module(again)
    assert again.weights == before.weights
    for weights in again.weights:
        assert file_sha256(tmp_path / "again" / weights.file) == weights.sha256
    assert again.provenance["training"] == before.provenance["training"]
    assert again.targets[1].mean_offset < before.targets[1].mean_offset - 0.1
    assert "predictions of site.csv" in (tmp_path / "again" / "README.md").read_text("utf-8")
    in_place = recalibrate(tmp_path / "again", [work / "cv"], tmp_path / "again", overwrite=True)
    assert [asdict(t) for t in in_place.targets] == nearly([asdict(t) for t in before.targets])
    assert sorted(p.name for p in (tmp_path / "again").iterdir()) == sorted(
        p.name for p in ensemble.iterdir()
    )


def test_direct_measurements_reach_the_module_and_stay_when_it_is_recalibrated(
    work: Path, ensemble: Path, tmp_path: Path
) -> None:
    data = out_of_fold()
    header = ["name", *map(direct_column, QUANTITIES)]
    lean = (30 * data.reference[:, 1] + np.random.default_rng(0).normal(0, 1, 600)).tolist()
    rows = [
        [study, *(volume if quantity == "lean_volume" else 1.0 for quantity in QUANTITIES)]
        for study, volume in zip(data.studies, lean)
    ]
    write_csv(tmp_path / "measurements.csv", header, rows)
    command = ["package", "--recalibrate", str(ensemble), "--output", str(tmp_path / "checked")]
    command += ["--calibration", str(work / "cv")]
    assert main([*command, "--direct", str(tmp_path / "measurements.csv")]) == 0
    again = recalibrate(tmp_path / "checked", [work / "cv"], tmp_path / "again")
    for module in (load_module(tmp_path / "checked"), again):
        statistics = module.statistics()
        assert statistics is not None
        assert [*statistics.direct] == ["liverVolume"]
        assert statistics.direct["liverVolume"].quantity == "lean_volume"


def test_a_modules_own_results_calibrate_it_like_raw_predictions(
    ensemble: Path, tmp_path: Path
) -> None:
    module, data = load_module(ensemble), out_of_fold()
    liver = module.targets[1]
    centre, spread = liver.mean / 1000, liver.sd / 1000
    mean, sd = data.mean.copy(), data.sd.copy()
    standardised = (mean[:, 1] - centre) / spread
    mean[:, 1] = (standardised * liver.mean_slope + liver.mean_offset) * spread + centre
    sd *= np.sqrt([target.variance_factor for target in module.targets])
    write_predictions(tmp_path / "results.csv", replace(data, mean=mean, sd=sd))
    again = recalibrate(ensemble, [tmp_path / "results.csv"], tmp_path / "again", calibrated=True)
    assert again.targets[1].mean_slope == pytest.approx(liver.mean_slope)
    assert again.targets[1].mean_offset == pytest.approx(liver.mean_offset)
    assert again.targets[1].variance_factor == pytest.approx(liver.variance_factor)


def test_scans_of_another_kind_are_unusual(work: Path, tmp_path: Path) -> None:
    images = usual_images(tmp_path / "images", 104)
    module = package([work / "run1"], [work / "cv"], tmp_path / "module", PHANTOM, images=images)
    shown = np.concatenate([np.load(images / "images.npy")[:3], dataset(3, seed=9).images])
    predictor = Predictor(module)
    prediction, layers = predictor.predict_with_features(shown)
    assert np.array_equal(prediction.mean, predictor.predict(shown).mean)
    compared = [
        compare_scan(module, {"lean_to_fat": 0.8}, {name: f[row] for name, f in layers.items()})
        for row in range(6)
    ]
    assert [scan.verdict for scan in compared] == ["TYPICAL"] * 3 + ["UNUSUAL"] * 3
    dark = compare_scan(module, {"lean_to_fat": 0.5}, {name: f[0] for name, f in layers.items()})
    assert dark.contributions[0].words.startswith("lean to fat signal 0.5; ")
    assert module.profile_file is not None
    assert (module.folder / module.profile_file.file).stat().st_size < 1e6
    assert "The scan profile describes 104 scans" in (module.folder / "README.md").read_text()


def test_a_profile_without_numbers_or_of_too_few_scans_is_said(work: Path, tmp_path: Path) -> None:
    for count, said in ((104, "describes images only"), (20, "no scan profile: it needs 100")):
        images = usual_images(tmp_path / f"images{count}", count, numbers=False)
        folder = tmp_path / f"module{count}"
        module = package([work / "run1"], [work / "cv"], folder, PHANTOM, images=images)
        assert said in " ".join(module.provenance["notes"])
        assert (module.profile() is None) == (count == 20)


def test_people_who_withdrew_are_not_in_the_scan_profile(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(4)
    images = rng.integers(0, 256, (108, 3, 256, 256)).astype(np.uint8)
    names = write_images(tmp_path / "images", images)
    shutil.copytree(work / "run1", tmp_path / "run")
    left = [
        (names[0], "", "excluded"),
        ("KI-1_v1", "", "excluded"),
        *((name, name[:7], "used") for name in names[5:8]),
    ]
    write_csv(tmp_path / "run" / "studies.csv", ("study", "person", "state"), left)
    (tmp_path / "gone.txt").write_text("2000001,\n2000002.0\n2000006\n1000003\nKI-1_v1\n")
    command = ["package", str(tmp_path / "run"), "--calibration", str(work / "cv")]
    command += ["--images", str(tmp_path / "images"), "--exclude", str(tmp_path / "gone.txt")]
    command += ["--identity", str(work / "identity.json"), "--output", str(tmp_path / "module")]
    assert main(command) == 0
    module, told = load_module(tmp_path / "module"), capsys.readouterr().err
    assert module.provenance["scan_profile"]["scans"] == 104
    assert module.provenance["calibration"]["studies"] == 599
    assert module.provenance["calibration"]["ids"]["exclude"]["matched"] == 5
    for sentence in ("matched 5 of 5 ids", "studies of the training that are excluded now: 1"):
        assert sentence in told
        assert sentence in (module.folder / "README.md").read_text("utf-8")
    assert not any(name[:7] in json.dumps(dict(module.provenance)) for name in names)


def test_a_target_that_was_not_learned_is_left_out_and_named(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, rng = out_of_fold(), np.random.default_rng(2)
    mean = np.stack([rng.normal(0.5, 0.5, len(data)), data.mean[:, 1]], axis=1)
    unlearned = {name: members for name, members in data.groups.items() if name != "sex"}
    write_predictions(tmp_path / "table.csv", replace(data, mean=mean, groups=unlearned))
    command = ["package", str(work / "run1"), "--calibration", str(tmp_path / "table.csv")]
    command += ["--identity", str(work / "identity.json"), "--output"]
    assert main([*command, str(tmp_path / "all"), "--keep-worthless"]) == 0
    assert main([*command, str(tmp_path / "module")]) == 0
    module, whole = load_module(tmp_path / "module"), load_module(tmp_path / "all")
    assert [target.name for target in module.targets] == ["liverVolume"]
    assert [target.name for target in whole.targets] == ["sex", "liverVolume"]
    assert "left out, since the estimates may be no better than the mean: sex (R²" in (
        capsys.readouterr().err
    )
    assert "sex (R²" in (module.folder / "README.md").read_text("utf-8")
    assert set(module.targets[0].used_intervals.bins) == {"all", "female", "male"}
    images = np.asarray(dataset(2, seed=8).images)
    estimates = Predictor(module).predict(images).mean
    assert estimates[:, 0] == pytest.approx(Predictor(whole).predict(images).mean[:, 1])
    noise = replace(data, mean=rng.normal(0.5, 0.5, data.mean.shape))
    write_predictions(tmp_path / "noise.csv", noise)
    with pytest.raises(MimirError, match="NOTHING_LEARNED"):
        package([work / "run1"], [tmp_path / "noise.csv"], tmp_path / "none", PHANTOM)


def test_too_few_images_for_a_scan_profile_are_told(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_images(tmp_path / "images", np.asarray(dataset(3, seed=4).images))
    command = ["package", str(work / "run1"), "--calibration", str(work / "cv"), "--identity"]
    command += [str(work / "identity.json"), "--output", str(tmp_path / "module"), "--images"]
    assert main([*command, str(tmp_path / "images")]) == 0
    card = (tmp_path / "module" / "README.md").read_text("utf-8")
    for text in (capsys.readouterr().err, card):
        assert (
            "no scan profile: it needs 100 scans that no check has flagged, and there are 3" in text
        )
