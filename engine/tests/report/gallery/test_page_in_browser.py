"""The page of a cohort in a real browser: without network, as a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Opened, chromium
from gallery_builder import typical_study, varied_studies, write_output
from study_to_report import projection

from mimir_engine.cohort.images.image_folder import study_id
from mimir_engine.cohort.inclusion.chosen_studies import StudyChoice
from mimir_engine.cohort.study_failure import StudyFailure
from mimir_engine.report.gallery.write_gallery import GalleryOptions, write_gallery
from mimir_engine.study.finding import Finding

COUNT = 60
HOSTILE = (
    "<script>document.title='run'</script>",
    "</script><script>document.title='run'</script>",
    "\"'><img src=x onerror=\"document.title='run'\">",
    "x" * 10_000,
    "two\nlines\u2028and three",
    "\u202egnp.exe \u05d0\u05d1",
    "=1+1",
    "'=1+1",
    "a, b; 'c' \"d\"",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


def write_page(folder: Path, studies: Any, images: Any = ()) -> Path:
    return write_gallery(write_output(folder, studies, images), GalleryOptions()).page


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Path:
    """Sixty studies of which two failed; not to be changed."""
    images = (projection(), np.flip(projection(), axis=2).copy())
    return write_page(tmp_path_factory.mktemp("results"), varied_studies(COUNT), images)


@pytest.fixture
def opened(cohort: Path, browser: Any) -> Iterator[Opened]:
    """The page of sixty studies, which must do nothing that it must not."""
    shown = Opened(browser, cohort)
    yield shown
    shown.page.close()
    assert shown.faults == []


def test_all_studies_are_there_and_counted(opened: Opened) -> None:
    assert opened.counts == f"{COUNT} of {COUNT} studies chosen · 2 failed · 0 excluded · 0 marked"
    assert opened.names()[:3] == ["scan_00000", "scan_00001", "scan_00002"]
    assert "not a medical device" in opened.page.locator("#about").text_content()
    images = opened.page.locator(".card img")
    loaded = "images => Promise.all(images.map(i => i.decode().then(() => i.naturalWidth)))"
    assert set(images.evaluate_all(loaded)) == {96}


def test_a_failed_study_is_a_card_with_its_code_and_opens_with_its_reason(opened: Opened) -> None:
    failed = opened.page.locator(".card", has_text="scan_00007")
    assert "STATION_GAP" in failed.text_content()
    failed.click()
    assert "station 3 of 'scan_00007' is missing" in opened.page.locator("#notes").text_content()


def test_studies_are_sorted_by_a_measurement_and_those_without_one_come_last(
    opened: Opened,
) -> None:
    opened.choose("order", "Weight")
    opened.page.select_option("select[name=direction]", "-1")
    largest = opened.names()
    shown = opened.page.locator(".card span:not(.signs)").all_text_contents()
    weights = [float(text.split()[0]) for text in shown if text]
    assert weights == sorted(weights, reverse=True)
    opened.page.select_option("select[name=direction]", "1")
    assert opened.names()[0] not in largest[:10]
    opened.page.locator("#sheet").focus()
    opened.page.keyboard.press("End")
    assert set(opened.names()[-2:]) == {"scan_00007", "scan_00057"}


@pytest.mark.parametrize(
    ("control", "text", "expected"),
    [
        ("code", "failed", {"scan_00007", "scan_00057"}),
        ("code", "DARK_VOID", {f"scan_{n:05d}" for n in range(3, COUNT, 10)}),
        ("scanner", "SIEMENS Skyra", {n for n in range(COUNT) if n % 7 % 3 == 1 and n % 50 != 7}),
        ("from", "2024-12", {n for n in range(COUNT) if n % 12 == 11 and n % 11 and n % 50 != 7}),
        ("mark", "✓ good", set()),
    ],
)
def test_studies_are_filtered(opened: Opened, control: str, text: str, expected: set[Any]) -> None:
    opened.choose(control, text)
    names = {name if isinstance(name, str) else f"scan_{name:05d}" for name in expected}
    assert set(opened.names()) == names
    assert opened.counts.startswith(f"{len(names)} of {COUNT}")
    opened.page.get_by_role("button", name="Show all").click()
    assert opened.counts.startswith(f"{COUNT} of {COUNT}")


def test_a_part_of_the_name_finds_studies(opened: Opened) -> None:
    opened.page.fill("input[name=name]", "SCAN_0001")
    assert opened.names() == [f"scan_{n:05d}" for n in range(10, 20)]


def drag(opened: Opened, place: str, left: float, right: float) -> None:
    """Drag across a plot between two shares of its width and height."""
    box = opened.page.locator(f"{place} .u-over").bounding_box()
    x, y, width, height = (box[key] for key in ("x", "y", "width", "height"))
    opened.page.mouse.move(x + left * width, y + left * height)
    opened.page.mouse.down()
    opened.page.mouse.move(x + right * width, y + right * height, steps=3)
    opened.page.mouse.up()


def test_dragging_across_the_histogram_chooses_values_until_their_button_is_pressed(
    opened: Opened,
) -> None:
    drag(opened, "#histogram", 0.3, 0.6)
    chosen = int(opened.counts.split()[0])
    assert 0 < chosen < COUNT - 2
    opened.page.locator("#ranges button").click()
    assert opened.counts.startswith(f"{COUNT} of {COUNT}")


def test_the_scatter_begins_with_an_estimate_against_its_direct_measurement_and_chooses(
    opened: Opened,
) -> None:
    opened.page.get_by_label("Scatter").check()
    titles = [
        opened.page.locator(f"select[name={name}]").evaluate("s => s.selectedOptions[0].text")
        for name in ("x", "y")
    ]
    assert titles == ["Hip circumference, measured directly", "Hip circumference · published 1.0"]
    drag(opened, "#points", 0.2, 0.7)
    assert 0 < int(opened.counts.split()[0]) < COUNT - 2
    assert opened.page.locator("#ranges button").count() == 2


def test_each_measurement_has_its_distribution(opened: Opened) -> None:
    opened.page.get_by_label("Images").focus()
    for view in ("scatter", "distributions"):
        opened.page.keyboard.press("ArrowRight")
        assert opened.page.locator(f"#{view}").is_visible()
    shown = opened.page.locator("#distributions figcaption").all_text_contents()
    assert "Hip circumference, measured directly (cm)" in shown
    assert len(shown) == opened.page.locator("select[name=column] option").count()
    assert opened.page.locator("#distributions canvas").count() == len(shown)


def test_keys_move_open_mark_and_close(opened: Opened) -> None:
    page = opened.page
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "g", "Enter"):
        page.keyboard.press(key)
    row = opened.names().index("scan_00007")  # cards to a row
    assert row == 7
    assert page.locator("#title").text_content() == "scan_00007"
    assert page.get_by_role("button", name="good").get_attribute("aria-pressed") == "true"
    page.keyboard.press("ArrowRight")
    assert page.locator("#title").text_content() == "scan_00008"
    page.keyboard.press("b")
    page.keyboard.press("Escape")
    assert not page.locator("#study").is_visible()
    assert opened.counts.endswith("2 marked")
    assert "✕" in page.locator(".card", has_text="scan_00008").text_content()
    page.keyboard.press("b")  # takes the mark away
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    assert opened.counts.endswith("1 marked")


def test_a_study_shows_its_channels_findings_and_numbers_with_intervals(opened: Opened) -> None:
    opened.page.locator(".card", has_text="scan_00003").click()
    widths = opened.page.locator("#channels img").evaluate_all(
        "images => Promise.all(images.map(i => i.decode().then(() => i.naturalWidth)))"
    )
    assert widths == [256, 256, 256]
    notes = opened.page.locator("#notes li").all_text_contents()
    assert "⚠ Warning: 161 mL of the right side are dark. Look at the images." in notes
    row = opened.page.locator("#numbers tr", has_text="Grip strength").text_content()
    assert "(95 %)" in row
    assert "published 1.0" in row


def test_marks_are_kept_saved_loaded_and_exclude(
    cohort: Path, browser: Any, tmp_path: Path
) -> None:
    opened = Opened(browser, cohort)
    page = opened.page
    page.locator(".card", has_text="scan_00003").click()
    page.keyboard.press("b")
    page.fill("#comment", '=a coil, "left"; see <b>')
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("l")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save marks").click()
    marks = tmp_path / "marks.csv"
    download.value.save_as(marks)
    page.reload()
    assert opened.counts.endswith("2 marked")  # the browser has kept them
    page.evaluate("localStorage.clear()")
    page.reload()
    assert opened.counts.endswith("0 marked")
    page.set_input_files("#load", marks)
    opened.wait_for("#counts", "2 marks loaded, 0 not of this page")
    page.locator(".card", has_text="scan_00003").click()
    assert page.locator("#comment").input_value() == '=a coil, "left"; see <b>'
    page.set_input_files("#load", cohort)
    opened.wait_for("#counts", "not a file of marks")
    page.evaluate("localStorage.clear()")
    page.close()
    assert opened.faults == []
    ids = [study_id(f"scan_{number:05d}").ids for number in range(COUNT)]
    excluded = StudyChoice(exclude=marks).apply(ids).excluded(ids)
    assert list(np.flatnonzero(excluded)) == [3]


def test_leaving_with_unsaved_marks_asks(cohort: Path, browser: Any) -> None:
    opened = Opened(browser, cohort)
    asked: list[str] = []
    opened.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    opened.page.locator("#sheet").click(position={"x": 5, "y": 5})
    opened.page.keyboard.press("g")
    opened.page.goto("about:blank")
    assert asked == ["beforeunload"]
    opened.page.close()


def test_the_last_of_5000_studies_is_reached_with_few_cards_at_a_time(
    browser: Any, tmp_path: Path
) -> None:
    study = replace(typical_study(), measurements=typical_study().measurements[:3])
    many = (replace(study, name=f"scan_{number:05d}") for number in range(5000))
    opened = Opened(browser, write_page(tmp_path, many))
    opened.page.locator("#sheet").evaluate("sheet => { sheet.scrollTop = sheet.scrollHeight; }")
    opened.wait_for(".card", "scan_04999")
    assert opened.names()[-1] == "scan_04999"
    opened.page.locator(".card", has_text="scan_04999").click()
    assert "5000 of 5000" in opened.page.locator("#facts").text_content()
    assert opened.page.locator(".card").count() < 100
    assert opened.faults == []
    opened.page.close()


def hostile_studies() -> list[Any]:
    usual = typical_study()
    texts = [
        replace(
            usual,
            name=text,
            scanner=text,
            month=text,
            findings=(Finding("DARK_VOID", text, remedy=text),),
            measurements=(replace(usual.measurements[1], name="m", target=text, unit=text),),
        )
        for text in HOSTILE
    ]
    return [*texts, StudyFailure(f"failed {HOSTILE[1]}", HOSTILE[0], HOSTILE[1])]


def test_hostile_texts_show_as_text(browser: Any, tmp_path: Path) -> None:
    opened = Opened(browser, write_page(tmp_path, hostile_studies()))
    page = opened.page
    opened.choose("order", "name")
    for name in HOSTILE:
        page.evaluate("name => { go(studies.name.indexOf(name)); openStudy(); }", name)
        assert page.locator("#title").text_content() == name
        page.keyboard.press("b")
        page.keyboard.press("Escape")
    page.get_by_label("Scatter").check()
    page.get_by_label("Distributions").check()
    assert page.title() == "MIMIR: cohort"
    assert page.locator("script:not([type])").count() == 3
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 1280
    with page.expect_download() as download:
        page.get_by_role("button", name="Save marks").click()
    download.value.save_as(tmp_path / "marks.csv")
    ids = [study_id(name).ids for name in (*HOSTILE, "another")]
    chosen = StudyChoice(exclude=tmp_path / "marks.csv").apply(ids)
    assert chosen.excluded(ids).tolist() == [*[True] * len(HOSTILE), False]
    page.evaluate("localStorage.clear()")
    page.close()
    assert opened.faults == []


def test_the_policy_of_the_page_lets_no_other_script_run_and_nothing_load(
    cohort: Path, browser: Any
) -> None:
    opened = Opened(browser, cohort)
    page = opened.page
    page.evaluate(
        """() => {
          for (const [kind, at] of [["script", "body"], ["style", "head"]]) {
            const made = document.createElement(kind);
            made.textContent = kind === "script" ? "document.title = 'run'" : "body { color: red }";
            document[at].append(made);
          }
          document.body.insertAdjacentHTML("beforeend", "<img src='https://example.org/a.png'>");
        }"""
    )
    assert page.title() == "MIMIR: cohort"
    assert page.evaluate("getComputedStyle(document.body).color") != "rgb(255, 0, 0)"
    refused = [fault for fault in opened.faults if "Content Security Policy" in fault]
    assert len(refused) == 3
    assert page.evaluate("fetch('https://example.org').then(() => 'came', () => 'refused')") == (
        "refused"
    )
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_colours_of_the_system(
    cohort: Path, browser: Any, scheme: str
) -> None:
    opened = Opened(browser, cohort, color_scheme=scheme)
    colour = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (colour == "rgb(255, 255, 255)") == (scheme == "light")
    opened.page.close()


def test_a_cohort_without_measured_studies_or_without_any_has_a_page(
    browser: Any, tmp_path: Path
) -> None:
    failed = [StudyFailure("a", "STATION_GAP", "gap.")]
    for number, studies in enumerate((failed, [])):
        opened = Opened(browser, write_page(tmp_path / str(number), studies))
        assert opened.counts.startswith(f"{len(studies)} of {len(studies)}")
        for view in ("Scatter", "Distributions", "Images"):
            opened.page.get_by_label(view, exact=True).check()
        for key in ("End", "g", "Enter", "Escape"):
            opened.page.keyboard.press(key)
        assert opened.faults == []
        opened.page.close()
