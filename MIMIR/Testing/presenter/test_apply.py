"""Test measuring studies, with the engine itself."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Callable

import pytest

pytest.importorskip("slicer")

from panel_in_use import Panel
from scene_study import state_of, study_details

from mimir_engine import MimirError
from MIMIRLib.analysis.request import AnalysisRequest
from MIMIRLib.analysis.run_folder import RunFolder
from MIMIRLib.presenter.result_browser import COHORT_KEY


def test_apply_without_a_tick_does_nothing(panel: Panel) -> None:
    panel.presenter.apply()

    assert panel.rest.requests == []
    assert not panel.shown.state.is_busy


def test_apply_without_packages_explains_what_to_do(panel: Panel) -> None:
    panel.rest.missing = MimirError("INSTALLATION_DECLINED", "torch is missing")
    panel.presenter.tick_study("1.1", True)

    panel.presenter.apply()
    panel.presenter.step()

    assert panel.shown.state.status == "INSTALLATION_DECLINED: torch is missing."
    assert panel.shown.state.can_apply
    assert panel.rest.requests == []


def test_apply_installs_what_is_missing_and_then_measures(panel: Panel) -> None:
    panel.rest.missing = "onnxruntime"
    panel.choices.runtime = "onnx"
    panel.presenter.tick_study("1.1", True)

    panel.presenter.apply()

    assert panel.rest.requests == [], "not yet"
    panel.presenter.step()
    (request,) = panel.rest.requests
    assert request.runtime == "onnx"
    assert panel.shown.state.is_busy
    panel.presenter.cancel()


def test_a_cancelled_installation_measures_nothing(panel: Panel) -> None:
    panel.rest.missing = "onnxruntime"
    panel.presenter.tick_study("1.1", True)

    panel.presenter.apply()
    panel.presenter.cancel()

    assert panel.rest.requests == []
    assert not panel.shown.state.is_busy


@pytest.mark.skipif(find_spec("onnxruntime") is None, reason="needs ONNX Runtime")
def test_ticked_studies_are_measured_and_shown_with_the_reason_for_those_that_failed(
    panel: Panel, wait_until: Callable
) -> None:
    panel.presenter.tick_shown_studies()
    panel.presenter.tick_study("1.3", True)

    panel.presenter.apply()

    assert panel.shown.state.is_busy
    wait_until(lambda: panel.presenter.step() or not panel.shown.state.is_busy)
    assert panel.shown.state.status == (
        "2 studies measured; 1 could not be measured. The reasons are listed below."
    )
    assert panel.shown.failures == ["Poe, Ed, 2022-01-01: FILES_GONE: the files are gone."]
    keys = [key for key, _ in panel.shown.results.titles]
    assert (sorted(keys[:-1]), keys[-1]) == (["1.1", "1.2"], COHORT_KEY)
    assert panel.shown.results.selected in ("1.1", "1.2"), "the one that was done first"
    assert {row.key for row in panel.shown.results.measurements} >= {"phantom_height"}
    assert panel.shown.results.nodes[-1].table is not None
    assert any("1.3: FILES_GONE" in line for line in panel.shown.log)


def test_without_an_inference_module_studies_are_measured_directly(
    panel: Panel, wait_until: Callable
) -> None:
    panel.rest.missing = MimirError("INSTALLATION_DECLINED", "torch is missing")
    panel.presenter.tick_module("phantom", False)
    panel.presenter.tick_study("1.1", True)

    panel.presenter.apply()
    wait_until(lambda: panel.presenter.step() or not panel.shown.state.is_busy)

    assert panel.shown.state.status == "1 study measured."
    assert panel.shown.results.nodes[-1].chart is None
    rows = {row.key: [cell.text for cell in row.cells] for row in panel.shown.results.measurements}
    label, value, interval, *_ = rows["direct_fat_volume_in_L"]
    assert (label, interval) == ("Fat volume (direct)", "–")
    assert value.endswith(" L")

    panel.presenter.results.show_profile()
    assert panel.shown.results.profiles[0].profile is not None


@pytest.mark.skipif(find_spec("onnxruntime") is None, reason="needs ONNX Runtime")
def test_cancel_ends_it_at_once_and_leaves_the_scene_alone(panel: Panel) -> None:
    before = state_of(panel.scene)
    panel.presenter.tick_study("1.1", True)
    panel.presenter.apply()
    panel.presenter.step()

    panel.presenter.cancel()

    assert panel.shown.state.status == "Cancelled. The scene is unchanged."
    assert panel.shown.state.can_apply
    assert state_of(panel.scene) == before


@pytest.mark.skipif(find_spec("onnxruntime") is None, reason="needs ONNX Runtime")
def test_the_first_result_is_shown_at_once_and_later_ones_leave_the_choice_alone(
    panel: Panel, wait_until: Callable
) -> None:
    panel.presenter.tick_shown_studies()
    panel.presenter.apply()

    wait_until(lambda: panel.presenter.step() or panel.shown.results.titles)
    assert panel.shown.state.is_busy
    assert len(panel.shown.results.titles) == 1
    (first,) = (key for key, _ in panel.shown.results.titles)
    assert panel.shown.results.selected == first
    assert panel.shown.results.nodes[-1].key == first
    views = len(panel.shown.results.nodes)

    wait_until(lambda: panel.presenter.step() or not panel.shown.state.is_busy)
    assert {key for key, _ in panel.shown.results.titles} == {"1.1", "1.2", COHORT_KEY}
    assert panel.shown.results.selected == first
    assert len(panel.shown.results.nodes) == views


def test_apply_with_nothing_left_says_so_and_once_more_measures_again(
    panel: Panel, wait_until: Callable
) -> None:
    panel.presenter.tick_module("phantom", False)
    panel.presenter.tick_study("1.1", True)
    again = "1 study is measured with these choices; Apply measures it again."
    shown = []
    for _press in range(4):
        panel.presenter.apply()
        wait_until(lambda: panel.presenter.step() or not panel.shown.state.is_busy)
        shown.append(panel.shown.state.status)

    assert shown == ["1 study measured.", again, "1 study measured.", again]
    panel.presenter.set_option("level", 0.9)
    panel.presenter.apply()
    assert not panel.rest.requests[-1].repeat, "the choices are others"


def test_an_interrupted_run_is_offered_and_goes_on_or_is_discarded(
    panel: Panel, wait_until: Callable
) -> None:
    for name in ("first", "second"):
        interrupt(panel, name)
        panel.presenter.refresh_studies()
        assert panel.shown.state.resume_text == "A run of 2 studies was interrupted after 1."
        if name == "first":
            panel.presenter.discard()
            assert panel.shown.state.resume_text == ""
            panel.presenter.refresh_studies()
            assert panel.shown.state.resume_text == ""

    panel.presenter.resume()
    assert panel.shown.state.resume_text == ""
    wait_until(lambda: panel.presenter.step() or not panel.shown.state.is_busy)

    assert panel.shown.state.status == "2 studies measured."
    assert {key for key, _ in panel.shown.results.titles} == {"1.1", "1.2", COHORT_KEY}
    assert (panel.rest.requests[-1].level, panel.rest.requests[-1].modules) == (0.9, ())


def interrupt(panel: Panel, name: str) -> None:
    """Leave the folder of a run of two studies that was interrupted after the first."""
    request = AnalysisRequest((), (), level=0.9, volumes=False, repeat=False)
    run = RunFolder(panel.rest.runs_folder() / name, request, {"1.1": "x", "1.2": "y"})
    run.path.mkdir(parents=True)
    run._write()
    study_details(run.study("1.1"), "1.1", volumes=False)


def test_one_thing_at_a_time(panel: Panel, tmp_path: Path) -> None:
    panel.presenter.tick_study("1.1", True)
    panel.presenter.import_studies([str(tmp_path)])
    panel.presenter.step()

    panel.presenter.apply()
    panel.presenter.add_module(str(tmp_path))

    assert panel.rest.requests == []
    assert panel.shown.state.status == "Unpacking"


def test_an_unexpected_error_is_shown_as_a_sentence(panel: Panel) -> None:
    panel.rest.database = None  # type: ignore[assignment]

    panel.presenter.refresh_studies()

    assert panel.shown.state.empty_sentence.startswith("INTERNAL_ERROR: MIMIR failed (")


def test_without_a_scene_nothing_can_be_started(panel: Panel) -> None:
    panel.presenter.tick_study("1.1", True)
    panel.presenter.use(None)

    panel.presenter.apply()

    assert panel.rest.requests == []
