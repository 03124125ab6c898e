"""A scene saved and loaded again has all results and choices."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import slicer

from MIMIRLib.presenter.result_browser import ResultBrowser
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
        shown = column_values(nodes.table, "value")
        assert [None if math.isnan(value) else value for value in shown] == [*values, *direct]
        parameters = logic.getParameterNode()
        assert (parameters.level, list(parameters.study_uids)) == (0.8, [key])
        browser = ResultBrowser(slicer.mrmlScene)
        browser.refresh()
        assert len(browser.rows) == len(values + direct)
        again = logic.analyzeVolumes(nodes.water, nodes.fat, **PHANTOM)
        for one, value in zip(again.measurements, values):
            assert abs(one.value - value) < one.sd / 50
