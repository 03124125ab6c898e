"""From an empty panel to a first result."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Callable

import pytest

pytest.importorskip("slicer")

from panel_in_use import PHANTOM, Panel

from mimir_engine import MimirError
from MIMIRLib.scene.results import find_results

needs_onnx = pytest.mark.skipif(find_spec("onnxruntime") is None, reason="needs ONNX Runtime")


@pytest.fixture
def empty(panel: Panel) -> Panel:
    """A panel in a Slicer without a DICOM database."""
    panel.rest.database.unlink()
    panel.presenter.refresh_studies()
    return panel


def run(panel: Panel, wait_until: Callable) -> None:
    wait_until(lambda: panel.presenter.step() or not panel.shown.state.is_busy)


def test_without_a_database_the_panel_offers_one_and_says_where(empty: Panel) -> None:
    state = empty.shown.state
    assert state.offers_database
    assert str(empty.rest.database.parent) in state.empty_sentence
    assert state.database_error == ""

    empty.presenter.create_database()

    state = empty.shown.state
    assert not state.offers_database
    assert state.offers_trial
    assert "no neck-to-knee Dixon study" in state.empty_sentence


def test_a_panel_with_studies_offers_neither(panel: Panel) -> None:
    assert not panel.shown.state.offers_database
    assert not panel.shown.state.offers_trial


@needs_onnx
def test_one_button_leads_from_no_database_to_results(empty: Panel, wait_until: Callable) -> None:
    empty.presenter.try_it()
    assert empty.shown.state.is_busy
    run(empty, wait_until)

    assert empty.shown.state.status == "1 study measured."
    assert find_results(empty.scene, PHANTOM.uid).table is not None
    assert empty.shown.ticked == [PHANTOM.uid]
    assert empty.rest.requests[0].modules == ("phantom",)
    assert empty.shown.results.nodes


def test_a_database_that_the_user_declines_is_said_once(empty: Panel) -> None:
    empty.rest.agrees = False

    empty.presenter.try_it()
    assert empty.shown.state.status.startswith("DATABASE_DECLINED: ")
    assert not empty.shown.state.is_busy

    empty.presenter.import_studies([str(empty.rest.database.parent)] * 3)
    assert empty.shown.state.status.count("DATABASE_DECLINED") == 1
    assert not empty.shown.state.is_busy


def test_an_import_makes_the_database_that_is_missing(empty: Panel, wait_until: Callable) -> None:
    empty.presenter.import_studies([str(empty.rest.database.parent)])
    run(empty, wait_until)
    assert empty.shown.state.status == "1 new study is in the database."
    assert empty.rest.database.exists()


def test_packages_that_are_not_installed_end_it_before_anything_is_made(
    empty: Panel, wait_until: Callable
) -> None:
    empty.rest.missing = MimirError("INSTALLATION_DECLINED", "they are missing", "Install them.")
    empty.presenter.try_it()
    run(empty, wait_until)
    assert empty.shown.state.status.startswith("INSTALLATION_DECLINED: ")
    assert empty.shown.state.studies == 0
    assert empty.shown.state.offers_trial


@needs_onnx
@pytest.mark.parametrize("percent", [0, 46, 70])
def test_cancelled_at_any_stage_the_scene_has_no_results(
    empty: Panel, wait_until: Callable, percent: int
) -> None:
    empty.presenter.try_it()
    wait_until(lambda: empty.presenter.step() or (empty.shown.state.percent or 0) >= percent)
    assert empty.shown.state.is_busy
    empty.presenter.cancel()
    assert not empty.shown.state.is_busy
    assert "ancelled" in empty.shown.state.status
    assert find_results(empty.scene, PHANTOM.uid) is None
    empty.presenter.try_it()
    run(empty, wait_until)
    assert empty.shown.state.status == "1 study measured."


def test_studies_chosen_in_another_module_are_ticked_alone(panel: Panel) -> None:
    panel.presenter.tick_study("1.2", True)
    panel.presenter.tick_only(["1.1", "1.3"])
    assert panel.shown.ticked == ["1.1", "1.3"]
    assert panel.choices.study_uids == ["1.1", "1.3"]
    assert panel.shown.state.status == ""


def test_a_study_that_is_not_listed_is_said_and_ticks_stay(panel: Panel) -> None:
    panel.presenter.tick_study("1.2", True)
    panel.presenter.tick_only(["9.9"])
    assert panel.shown.ticked == ["1.2"]
    assert "no neck-to-knee Dixon scan" in panel.shown.state.status

    panel.presenter.tick_only(["9.9", "1.1"])
    assert panel.shown.ticked == ["1.1"]
    assert panel.shown.state.status.startswith("1 of 2 studies ")
