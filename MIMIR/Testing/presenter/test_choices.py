"""Test the choices of studies, modules and options."""

from __future__ import annotations

import pytest

pytest.importorskip("slicer")

from panel_in_use import Choices, Panel

from MIMIRLib.analysis.request import AnalysisRequest


def test_several_studies_are_ticked_at_once(panel: Panel) -> None:
    panel.presenter.tick_studies(("1.1", "1.2"), True)
    assert panel.choices.study_uids == ["1.1", "1.2"]
    panel.presenter.tick_studies(("1.1", "1.2"), False)
    assert panel.choices.study_uids == []


def test_it_lists_the_databases_studies_with_what_is_missing(panel: Panel) -> None:
    texts = [tuple(cell.text for cell in row.cells) for row in panel.shown.studies]

    assert texts[0] == ("Doe, Jane", "2020-02-29", "complete", "6", "Imaging visit")
    assert texts[2][2] == "incomplete: water images of 1 of 6 stations are missing"
    assert panel.shown.ticked == []


def test_the_only_inference_module_is_ticked_at_first(panel: Panel) -> None:
    assert [(row.key, row.ticked) for row in panel.shown.modules] == [("phantom", True)]


def test_choices_of_a_scene_are_shown(panel: Panel) -> None:
    panel.presenter.use(Choices(study_uids=["1.2", "not here"], level=0.9))

    assert panel.shown.ticked == ["1.2"]
    assert panel.shown.state.ticked_sentence == "1 study is ticked."


def test_ticks_are_kept_in_the_scene(panel: Panel) -> None:
    panel.presenter.tick_study("1.2", True)
    panel.presenter.tick_study("1.1", True)
    panel.presenter.tick_study("1.2", False)
    panel.presenter.tick_module("phantom", False)

    assert panel.choices.study_uids == ["1.1"]
    assert panel.choices.module_names == []
    assert panel.shown.state.warnings == [
        "No inference module is ticked: the studies are only measured directly."
    ]


def test_a_filter_finds_all_its_words_in_any_order_also_the_patients_id(panel: Panel) -> None:
    panel.presenter.filter_studies("2021 richard")
    assert panel.shown.state.empty_sentence == ""
    panel.presenter.filter_studies("p2 JANE")
    assert panel.shown.state.empty_sentence == "No study matches the filter."
    panel.presenter.filter_studies("[")
    assert panel.shown.state.empty_sentence == "No study matches the filter."


def test_all_complete_studies_that_the_filter_leaves_are_ticked_at_once(panel: Panel) -> None:
    panel.presenter.tick_shown_studies()
    assert panel.shown.ticked == ["1.1", "1.2"]

    panel.presenter.tick_no_study()
    panel.presenter.filter_studies("roe")
    panel.presenter.tick_shown_studies()
    assert panel.shown.ticked == ["1.2"]

    panel.presenter.filter_studies("jane")
    assert panel.shown.state.ticked_sentence == "1 study is ticked (hidden by the filter)."


def test_a_database_without_access_gives_an_error_instead_of_a_list(panel: Panel) -> None:
    panel.rest.database.write_bytes(b"no database, but text of some length")

    panel.presenter.refresh_studies()

    assert panel.shown.state.empty_sentence.startswith("DATABASE_UNREADABLE: ")
    assert list(panel.shown.studies) == []


def test_options_of_the_scene_go_into_the_request(panel: Panel) -> None:
    panel.presenter.use(
        Choices(["1.1"], ["phantom"], 0.9, "cpu", volumes=True, allow_unvalidated=True)
    )

    panel.presenter.apply()

    options = ("phantom",), 0.9, "cpu", True, True
    assert panel.rest.requests == [AnalysisRequest((), *options, repeat=False)]


def test_a_changed_option_changes_the_warnings(panel: Panel) -> None:
    before = panel.shown.state.warnings
    panel.presenter.set_option("allow_unvalidated", True)

    assert panel.choices.allow_unvalidated
    assert len(panel.shown.state.warnings) == len(before) + 1
