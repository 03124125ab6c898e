"""Every state and sentence of the panel."""

from __future__ import annotations

from dataclasses import replace

import pytest

from MIMIRLib.job import Progress
from MIMIRLib.presenter.panel_state import PanelState

READY = PanelState(studies=3, shown=3, ticked=1, modules_ticked=1)


def test_with_a_study_and_an_inference_module_ticked_apply_can_be_pressed() -> None:
    assert READY.can_apply
    assert not READY.is_busy
    assert READY.apply_hint == "Measures 1 study."
    assert READY.empty_sentence == ""
    assert READY.percent is None
    assert READY.warnings == []


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"ticked": 0}, "Tick at least one study."),
        (
            {"ticked_refused": 1},
            "None of the ticked studies can be measured. The list gives the reasons.",
        ),
    ],
)
def test_the_hint_of_apply_names_what_is_missing(change: dict[str, int], hint: str) -> None:
    state = replace(READY, **change)

    assert not state.can_apply
    assert state.apply_hint == hint


def test_the_hint_of_apply_leaves_out_studies_that_cannot_be_measured() -> None:
    state = replace(READY, ticked=3, ticked_refused=1)

    assert state.can_apply
    assert state.apply_hint == "Measures 2 studies."


def test_while_headers_are_read_apply_can_be_pressed() -> None:
    state = replace(READY, ticked=3, ticked_unread=2, is_scanning=True, study_text="Doe: readable.")

    assert state.can_apply
    assert not state.is_busy
    assert state.needs_steps
    assert state.study_lines == "Doe: readable.\nReading the headers of 2 studies."


def test_while_images_are_checked_apply_can_be_pressed() -> None:
    state = replace(READY, ticked_unchecked=1, is_scanning=True)

    assert state.can_apply
    assert state.study_lines == "Checking the images of 1 study."
    assert replace(state, is_scanning=False).study_lines == ""


def test_studies_with_water_and_fat_exchanged_can_be_measured_by_a_button_of_their_own() -> None:
    state = replace(READY, ticked_refused=1, ticked_exchanged=1)

    assert not state.can_apply
    assert state.can_repair
    assert state.repair_text == "Exchange water and fat back, and measure 1 study"
    assert not replace(state, progress=Progress(0.5, "Working")).can_repair
    assert (READY.can_repair, READY.repair_text) == (False, "")


def test_while_a_job_runs_only_cancel_can_be_pressed() -> None:
    state = replace(
        READY,
        progress=Progress(0.256, "1 of 4 studies done"),
        message="An older message.",
        own_module_selected=True,
        module_text="A module",
    )

    assert state.is_busy
    assert not any((state.can_apply, state.can_verify_module, state.can_remove_module))
    assert state.percent == 26
    assert state.status == "1 of 4 studies done"


@pytest.mark.parametrize(("fraction", "percent"), [(None, -1), (-0.1, 0), (0.0, 0), (1.2, 100)])
def test_the_bar_has_a_percentage_or_shows_busy(fraction: float, percent: int) -> None:
    assert replace(READY, progress=Progress(fraction, "")).percent == percent


def test_after_a_job_its_outcome_is_shown() -> None:
    assert replace(READY, message="1 study measured.").status == "1 study measured."


def test_an_empty_database_is_explained() -> None:
    sentence = replace(READY, studies=0, shown=0, ticked=0).empty_sentence

    assert "Import a folder" in sentence
    assert "Try it" in sentence


def test_a_filter_without_matches_is_explained() -> None:
    assert replace(READY, shown=0).empty_sentence == "No study matches the filter."


def test_an_unreadable_database_is_explained() -> None:
    state = PanelState(database_error="DATABASE_UNREADABLE: it is locked. Wait.")

    assert state.empty_sentence == "DATABASE_UNREADABLE: it is locked. Wait."


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
def test_the_number_of_ticked_studies_is_shown(ticked: int, hidden: int, sentence: str) -> None:
    state = replace(READY, ticked=ticked, ticked_hidden=hidden)

    assert state.ticked_sentence == sentence


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"modules_ticked": 0, "only_demonstration": True}, "only measured directly"),
        ({"only_demonstration": True}, "say nothing about people"),
        ({"ticked_doubtful": 1}, "1 study may be incomplete"),
        ({"ticked": 3, "ticked_refused": 2}, "2 studies cannot be measured"),
        ({"allow_unvalidated": True}, "outside an inference module's validated range"),
        ({"ticked": 50}, "about 9 GB of memory"),
    ],
)
def test_warnings_are_shown_before_apply(change: dict[str, int], words: str) -> None:
    (warning,) = replace(READY, **change).warnings

    assert words in warning


def test_without_volumes_their_memory_is_not_warned_of() -> None:
    assert replace(READY, ticked=50, volumes=False).warnings == []


def test_only_inference_modules_that_the_user_has_added_can_be_removed() -> None:
    state = replace(READY, module_text="A module")

    assert state.can_verify_module
    assert not state.can_remove_module
    assert replace(READY, own_module_selected=True).can_remove_module
