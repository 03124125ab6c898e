from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from cohort_builder import ANYTHING, module_with_statistics, write_trial_module
from dicom_builder import File, all_files, complete_study, write_zip
from pydicom.dataset import Dataset
from random_modules import module_spec

from mimir_engine.errors import MimirError
from mimir_engine.fusion.fused_folder import FusedFolder, describe_study, write_fused
from mimir_engine.headers.patient_traits import PatientTraits
from mimir_engine.inference_module.acceptance import Accepts
from mimir_engine.measuring.one_study import check_accepted, measure_study, prepare, read_and_fuse
from mimir_engine.measuring.study_result import StudyResult
from mimir_engine.study.finding import Finding

MEAN, VARIANCE = np.array([1.45, 178.2, 0.97]), np.array([0.04, 9.0, 0.0001])


def test_a_prepared_study_keeps_its_image_and_drops_its_volumes(
    study_zip: Path,
) -> None:
    prepared = prepare(study_zip)
    assert prepared.study.name == study_zip.stem
    assert prepared.projection.image.shape == (3, 256, 256)
    assert prepared.extent_mm == pytest.approx(120, abs=6)  # three stations less the ends
    assert len(prepared.study.contrasts) == 3


def test_findings_of_reading_and_of_the_checks_are_the_study_s(
    study_files: tuple[File, ...], tmp_path: Path
) -> None:
    twice = [*study_files, study_files[7]._replace(name="again.dcm")]
    study, fused = read_and_fuse(write_zip(tmp_path / "study.zip", twice))
    assert [f.code for f in study.findings] == ["SLICE_REPEATED", "EXTENT_SHORT"]
    write_fused(tmp_path / "fused", describe_study(study), fused.water, fused.fat)
    again, _ = read_and_fuse(FusedFolder(tmp_path / "fused"))
    assert again.findings == study.findings


def test_a_study_that_a_check_refuses_is_not_measured(tmp_path: Path) -> None:
    def without_signal(dataset: Dataset, k: int) -> None:
        dataset.PixelData = bytes(len(dataset.PixelData))

    first, *others = complete_study()
    files = [*first.files(change=without_signal), *all_files(others)]
    with pytest.raises(MimirError, match=r"EMPTY_IMAGE: .* station 1 "):
        prepare(write_zip(tmp_path / "study.zip", files))


def test_each_module_accepts_or_refuses_a_study_by_itself(study_zip: Path) -> None:
    prepared = prepare(study_zip)
    anything, few = module_spec(accepts=ANYTHING), module_spec(accepts=Accepts(stations=(6,)))
    assert check_accepted(prepared, [anything, few], allow_unvalidated=True) == (True, False)
    with pytest.raises(MimirError, match=r"OUTSIDE_VALIDATION: .* 3 stations, not 6"):
        check_accepted(prepared, [anything, few], allow_unvalidated=False)


def test_a_module_of_another_projection_is_always_refused(study_zip: Path) -> None:
    prepared = prepare(study_zip)
    other = module_spec(accepts=ANYTHING, projection="another-one")
    with pytest.raises(MimirError, match="PROJECTION_MISMATCH"):
        check_accepted(prepared, [other], allow_unvalidated=True)


def test_a_header_that_disagrees_with_the_estimates_is_a_finding_of_the_result(
    study_zip: Path,
) -> None:
    prepared = prepare(study_zip)
    tall = replace(prepared, study=replace(prepared.study, traits=PatientTraits(height=199.0)))
    for study, codes in ((prepared, []), (tall, ["HEADER_DISAGREES"])):
        result = measure_study(study, [module_spec()], [(MEAN, VARIANCE)], [True], 0.95)
        added = [f.code for f in result.findings if f not in study.study.findings]
        assert added == codes


def test_one_module_s_sex_serves_the_percentiles_of_another(
    tmp_path: Path, study_zip: Path
) -> None:
    study = prepare(study_zip)
    knows_sex = module_with_statistics(tmp_path / "trial")
    sexless = replace(knows_sex, name="sexless", targets=knows_sex.targets[:2], column_prefix="b_")
    without_sex = (MEAN[:2], VARIANCE[:2])
    alone = measure_study(study, [sexless], [without_sex], [True], 0.95)
    assert [m.percentile for m in alone.measurements] == [None, None]
    predictions = [without_sex, (MEAN, VARIANCE)]
    result = measure_study(study, [sexless, knows_sex], predictions, [True, False], 0.9)
    both = result.measurements
    assert [m.name for m in both[:3]] == ["b_liverVolume", "b_height", "liverVolume"]
    assert both[0].percentile == both[2].percentile is not None
    assert "male members" in both[0].percentile_reference
    assert [("OUTSIDE_VALIDATION" in m.flags) for m in both] == [False] * 2 + [True] * 3
    assert (result.name, result.eid, result.instance) == (study.study.name, "1234567", "2")


def test_each_module_s_own_sex_decides_its_percentiles(tmp_path: Path, study_zip: Path) -> None:
    """A score of 268 was male, and moved the height of a woman from percentile 5.6 to 0.5."""
    study = prepare(study_zip)
    module = module_with_statistics(tmp_path / "trial")
    wild = replace(module, name="wild", column_prefix="w_")
    scores = [(np.array([1.45, 155.0, score]), VARIANCE) for score in (268.0, 0.02)]
    result = measure_study(study, [wild, module], scores, [True, True], 0.95)
    alone = measure_study(study, [module], scores[1:], [True], 0.95)
    assert result.measurements[3:] == alone.measurements
    assert [m.sex for m in result.measurements] == ["female"] * 6
    assert result.measurements[0].sex_source == "estimated by another module"
    assert "SEX_CONTRADICTED" not in result.flags


def test_modules_that_contradict_each_other_keep_their_own_sex_and_say_so(
    tmp_path: Path, study_zip: Path
) -> None:
    study = prepare(study_zip)
    module = module_with_statistics(tmp_path / "trial")
    sexless = replace(module, name="sexless", targets=module.targets[:2], column_prefix="s_")
    modules = [replace(module, column_prefix="a_"), module, sexless]
    woman, man = (np.array([1.45, 170.0, score]) for score in (0.02, 0.98))
    predictions = [(woman, VARIANCE), (man, VARIANCE), (MEAN[:2], VARIANCE[:2])]
    result = measure_study(study, modules, predictions, [True] * 3, 0.95)
    assert [m.sex for m in result.measurements] == ["female"] * 3 + ["male"] * 3 + [None] * 2
    assert [m.percentile for m in result.measurements[6:]] == [None, None]
    assert "SEX_CONTRADICTED" in result.flags
    recorded = measure_study(study, modules[1:], predictions[1:], [True] * 2, 0.95, "male")
    assert {(m.sex, m.sex_source) for m in recorded.measurements} == {("male", "recorded")}
    assert "SEX_CONTRADICTED" not in recorded.flags


def test_a_result_survives_json_and_a_change_of_level(tmp_path: Path, study_zip: Path) -> None:
    prepared = prepare(study_zip)
    found = Finding("SLICE_REPEATED", "Slice 7", station=2, value=7.0, threshold=5.5, unit="mm")
    study = replace(prepared, study=replace(prepared.study, findings=(found,)))
    module = module_with_statistics(tmp_path / "trial", demonstration=True)
    at_90, at_95 = (
        measure_study(study, [module], [(MEAN, VARIANCE)], [True], level) for level in (0.9, 0.95)
    )
    assert StudyResult.from_json(json.loads(json.dumps(asdict(at_90)))) == at_90
    assert at_90.at_level([module], 0.95) == at_95
    # A liver of 1.45 L is larger than all lean tissue of this small study.
    assert at_95.flags == ("SLICE_REPEATED", "DEMONSTRATION", "DISAGREES_WITH_IMAGE")


def test_one_line_of_python_measures_a_study(study_zip: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    import mimir_engine
    from mimir_engine.measuring.network import Predictor

    module = write_trial_module(tmp_path / "trial")
    measurements = mimir_engine.analyze(study_zip, [str(module.folder)], device="cpu")
    image = prepare(study_zip).projection.image
    expected = Predictor(module, "cpu").predict(image[np.newaxis])
    assert [m.value for m in measurements] == expected.mean[0].tolist()
