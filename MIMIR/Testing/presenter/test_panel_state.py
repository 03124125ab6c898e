"""Every state and sentence of the panel."""

from __future__ import annotations

from dataclasses import replace

import pytest

from MIMIRLib.presenter.panel_state import Facts, panel_state

READY = Facts(studies=3, shown=3, ticked=1, modules=1, modules_ticked=1)


def test_with_a_study_and_an_inference_module_ticked_apply_can_be_pressed() -> None:
    state = panel_state(READY)

    assert state.can_apply
    assert state.can_edit
    assert not state.can_cancel
    assert state.apply_hint == "Measures 1 study."
    assert state.empty_sentence == ""
    assert state.percent is None
    assert state.warnings == ()


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"modules": 0}, "No inference module was found. Add one first."),
        ({"ticked": 0}, "Tick at least one study."),
        ({"modules_ticked": 0}, "Tick at least one inference module."),
    ],
)
def test_apply_says_what_is_missing(change: dict[str, int], hint: str) -> None:
    state = panel_state(replace(READY, **change))

    assert not state.can_apply
    assert state.apply_hint == hint


def test_while_something_goes_on_only_cancel_can_be_pressed() -> None:
    state = panel_state(
        replace(
            READY,
            busy=True,
            fraction=0.256,
            progress="1 of 4 studies done",
            message="An older message.",
            own_module_selected=True,
            any_module_selected=True,
        )
    )

    assert state.can_cancel
    assert not any(
        (state.can_apply, state.can_edit, state.can_verify_module, state.can_remove_module)
    )
    assert state.percent == 26
    assert state.status == "1 of 4 studies done"


@pytest.mark.parametrize(("fraction", "percent"), [(None, -1), (-0.1, 0), (0.0, 0), (1.2, 100)])
def test_the_bar_has_a_percentage_or_only_says_busy(fraction: float, percent: int) -> None:
    assert panel_state(replace(READY, busy=True, fraction=fraction)).percent == percent


def test_afterwards_it_says_what_came_of_it() -> None:
    assert panel_state(replace(READY, message="1 study measured.")).status == "1 study measured."


def test_an_empty_database_says_how_to_fill_it() -> None:
    sentence = panel_state(replace(READY, studies=0, shown=0, ticked=0)).empty_sentence

    assert "Import a folder" in sentence
    assert "Sample Data" in sentence


def test_a_filter_that_fits_nothing_says_so() -> None:
    assert panel_state(replace(READY, shown=0)).empty_sentence == "No study matches the filter."


def test_a_database_that_cannot_be_read_says_why() -> None:
    facts = Facts(database_error="DATABASE_UNREADABLE: it is locked. Wait.")

    assert panel_state(facts).empty_sentence == "DATABASE_UNREADABLE: it is locked. Wait."


@pytest.mark.parametrize(
    ("ticked", "hidden", "sentence"),
    [
        (0, 0, "No study is ticked."),
        (1, 0, "1 study is ticked."),
        (1, 1, "1 study is ticked (hidden by the filter)."),
        (3, 0, "3 studies are ticked."),
        (3, 2, "3 studies are ticked (2 hidden by the filter)."),
    ],
)
def test_it_says_how_many_studies_are_ticked(ticked: int, hidden: int, sentence: str) -> None:
    facts = replace(READY, ticked=ticked, ticked_hidden=hidden)

    assert panel_state(facts).ticked_sentence == sentence


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"only_demonstration": True}, "say nothing about people"),
        ({"ticked_doubtful": 1}, "1 study may be incomplete"),
        ({"allow_unvalidated": True}, "outside an inference module's validated range"),
        ({"ticked": 50}, "some 8 GB of memory"),
    ],
)
def test_it_warns_of_what_the_user_should_know(change: dict[str, int], words: str) -> None:
    (warning,) = panel_state(replace(READY, **change)).warnings

    assert words in warning


def test_without_volumes_or_inference_modules_there_is_nothing_to_warn_of() -> None:
    assert panel_state(replace(READY, ticked=50, volumes=False)).warnings == ()
    assert panel_state(replace(READY, modules_ticked=0, only_demonstration=True)).warnings == ()


def test_only_inference_modules_that_the_user_has_added_can_be_removed() -> None:
    state = panel_state(replace(READY, any_module_selected=True))

    assert state.can_verify_module
    assert not state.can_remove_module
    assert panel_state(replace(READY, own_module_selected=True)).can_remove_module


def test_results_are_of_use_when_there_are_some() -> None:
    assert not panel_state(READY).has_results
    assert panel_state(replace(READY, results=1)).has_results
