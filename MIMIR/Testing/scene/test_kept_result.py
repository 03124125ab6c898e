import base64
import json
import zlib
from pathlib import Path

import pytest

pytest.importorskip("slicer")

import slicer
from scene_study import saved_and_loaded, study_details

from MIMIRLib.scene.kept_result import RESULT_MARK, kept_result
from MIMIRLib.scene.results import find_results, show_studies
from MIMIRLib.scene.subject import Subject
from MIMIRLib.scene.subject_hierarchy import hierarchy_of


def test_the_scene_keeps_all_of_a_result_also_in_a_file(tmp_path: Path) -> None:
    scene = slicer.vtkMRMLScene()
    hierarchy_of(scene)
    folder = study_details(tmp_path / "details")
    list(show_studies(scene, [(folder, Subject("1.2.3"))], volumes=False))
    for place in (scene, saved_and_loaded(scene, tmp_path / "saved")):
        kept = kept_result(find_results(place, "1.2.3").table)
        assert kept.result == folder.result
        assert kept.made_with == folder.made_with
        assert kept.scanner == 'S "&" <Co>; 5% 1.5 T'


def packed(value: object) -> str:
    return base64.b64encode(zlib.compress(json.dumps(value).encode())).decode()


@pytest.mark.parametrize(
    "content",
    ["", "not base64 ä", "AAAA", packed([]), packed({}), packed({"result": {"name": 1}})],
)
def test_a_damaged_result_is_none(content: str) -> None:
    node = slicer.vtkMRMLTableNode()
    node.SetAttribute(RESULT_MARK, content)
    assert kept_result(node) is None


def test_a_table_of_an_earlier_version_has_none() -> None:
    assert kept_result(slicer.vtkMRMLTableNode()) is None
    assert kept_result(None) is None


def test_an_endless_result_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("MIMIRLib.scene.kept_result.MAX_BYTES", 100)
    node = slicer.vtkMRMLTableNode()
    node.SetAttribute(RESULT_MARK, packed({"result": "x" * 1000}))
    assert kept_result(node) is None
