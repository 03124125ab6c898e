from __future__ import annotations

import pytest

from MIMIRLib.analysis.progress import ProgressMeter, event_line


def over(name: str, done: int, total: int, left: float, state: str = "done") -> dict:
    event = {"event": "study", "name": name, "state": state, "findings": []}
    return {**event, "done": done, "total": total, "seconds_left": left}


def step(name: str, which: str) -> dict:
    return {"event": "step", "name": name, "step": which}


def test_the_sentence_has_studies_done_time_left_and_the_current_step() -> None:
    meter = ProgressMeter(["a", "b", "c", "d"])
    meter.take(over("a", 1, 4, 400.0))
    meter.take(over("b", 2, 4, 118.0, "failed"))
    progress = meter.take(step("c", "read"))
    assert progress.sentence == "2 of 4 studies done (1 failed), about 2 min left; reading c"
    assert meter.take(step("c", "predict")).sentence.endswith("; measuring c")


def test_a_study_that_takes_long_is_named_while_others_are_done() -> None:
    meter = ProgressMeter(["slow", "b", "c"])
    meter.take(step("slow", "read"))
    meter.take(step("b", "read"))
    assert meter.take(over("b", 1, 3, 0.0)).sentence == "1 of 3 studies done; reading slow"
    meter.take(step("c", "read"))
    assert meter.take(over("c", 2, 3, 0.0)).sentence == "2 of 3 studies done; reading slow"


def test_a_study_whose_reader_died_waits_and_is_then_read_once_more() -> None:
    meter = ProgressMeter(["bad", "good"])
    meter.take(step("bad", "read"))
    meter.take(step("good", "read"))
    waiting = meter.take(step("bad", "postpone"))
    assert waiting.sentence == "0 of 2 studies done; reading good"
    assert meter.take(over("good", 1, 2, 0.0)).sentence == "1 of 2 studies done"
    again = meter.take(step("bad", "read"))
    assert again.sentence == "1 of 2 studies done; reading bad once more"
    assert again.fraction == meter.take(step("bad", "read")).fraction


def test_the_time_left_is_not_shown_once_it_is_over() -> None:
    now = [0.0]
    meter = ProgressMeter(["slow", "b"], lambda: now[0])
    meter.take(step("slow", "read"))
    meter.take(over("b", 1, 2, 30.0))
    assert meter.late() is None
    assert "about 30 s left" in meter.progress.sentence
    now[0] = 31.0
    late = meter.late()
    assert late is not None
    assert late.sentence == "1 of 2 studies done; reading slow"
    assert meter.late() is None


def test_a_study_with_a_long_uid_is_named_by_its_place_in_the_list() -> None:
    uid = "1.3.12.2.1107.5.2.18.141243.2016070813431217"
    meter = ProgressMeter(["a", uid])
    assert meter.take(step(uid, "read")).sentence == "0 of 2 studies done; reading study 2"


def test_steps_of_a_study_give_parts_of_its_share() -> None:
    meter = ProgressMeter(["a"])
    fractions = [meter.progress.fraction]
    for event in (
        {"event": "engine"},
        {"event": "run"},
        step("a", "read"),
        step("a", "predict"),
        over("a", 1, 1, 0.0),
    ):
        fractions.append(meter.take(event).fraction)
    assert fractions == sorted(set(fractions))
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)


def test_studies_are_counted_alike() -> None:
    meter = ProgressMeter(["a", "b", "c", "d"])
    meter.take({"event": "run"})
    before = meter.progress.fraction
    first = meter.take(over("a", 1, 4, 30.0)).fraction
    second = meter.take(over("b", 2, 4, 20.0)).fraction
    assert first - before == pytest.approx(second - first)


def test_an_event_of_an_unknown_kind_is_logged_as_it_is() -> None:
    assert event_line({"event": "new", "more": 1}) == "{'event': 'new', 'more': 1}"


def test_an_unusual_scan_and_a_drift_are_said_in_words() -> None:
    study = {"event": "study", "state": "done", "done": 1, "total": 1, "name": "a", "findings": []}
    unusual = {**study, "unusual": {"phantom": "The scan is unlike the 900 scans."}}
    assert event_line(unusual).endswith("The scan is unlike the 900 scans.")
    groups = [{"group": "all scans", "sentence": "all scans: 20 scans, on average unlike."}]
    drift = {"event": "drift", "reference": "phantom", "code": "BATCH_DRIFTED", "groups": groups}
    assert event_line(drift) == "BATCH_DRIFTED all scans: 20 scans, on average unlike."
    assert event_line({"event": "chosen", "sentences": ["matched 1 of 1 ids"]}) == (
        "matched 1 of 1 ids"
    )
