"""A scene saved and loaded again has all results and choices."""

from __future__ import annotations

import tempfile
from pathlib import Path

import slicer

from MIMIRLib.presenter.result_browser import ResultBrowser
from MIMIRLib.scene.kept_result import kept_result
from MIMIRLib.scene.results import find_results
from MIMIRLib.scene.tables import column_values
from MIMIRLib.slicer_tests.phantom_database import PHANTOM, SceneTest, phantom_entry


class SceneFileTest(SceneTest):
    """Save and load all results of a run."""

    def test_results_and_choices_survive_saving_and_loading(self) -> None:
        """Numbers keep their last digit, and loaded volumes can be measured again."""
        from MIMIR import MIMIRLogic

        logic = MIMIRLogic()
        key = phantom_entry().study_uid
        result = logic.analyzeStudy(key, **PHANTOM)
        values = [m.value for m in result.measurements]
        direct = [q.value for q in result.direct]
        parameters = logic.getParameterNode()
        parameters.level, parameters.study_uids = 0.8, [key]

        with tempfile.TemporaryDirectory() as folder:
            path = (Path(folder) / "scene.mrb").as_posix()
            assert slicer.util.saveScene(path)
            slicer.mrmlScene.Clear(False)
            assert find_results(slicer.mrmlScene, key) is None
            slicer.util.loadScene(path)

        nodes = find_results(slicer.mrmlScene, key)
        assert nodes is not None
        for name in ("table", "chart", "projection", "water", "fat", "fraction", "profile"):
            assert getattr(nodes, name) is not None, name
        assert nodes.regions.GetSegmentation().GetNthSegment(0).GetName() == "trunk"
        kept = kept_result(nodes.table).result
        assert [m.value for m in kept.measurements] == values
        assert [q.value for q in kept.direct] == direct
        texts = column_values(nodes.table, "value")
        known = {repr(value) for value in (*values, *direct) if value is not None}
        assert {text for text in texts if text} < known  # all but the score of the sex
        parameters = logic.getParameterNode()
        assert (parameters.level, list(parameters.study_uids)) == (0.8, [key])
        browser = ResultBrowser(slicer.mrmlScene)
        browser.refresh()
        assert len(browser.rows) == len(values + direct)
        again = logic.analyzeVolumes(nodes.water, nodes.fat, **PHANTOM)
        for one, value in zip(again.measurements, values):
            assert abs(one.value - value) < one.sd / 50
