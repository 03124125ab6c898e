"""Test how results of a scene are shown and written."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Optional

import pytest

pytest.importorskip("slicer")

from panel_in_use import Panel
from scene_study import quantity, sex, study_details

from MIMIRLib.presenter.copied_text import copied_text
from MIMIRLib.presenter.result_browser import COHORT_KEY
from MIMIRLib.scene.kept_result import RESULT_MARK
from MIMIRLib.scene.results import find_results, show_studies
from MIMIRLib.scene.subject import Subject

FAT, LIVER = "visceralFatVolume", "liverVolume"
JANE = Subject("1.1", "P1", "Doe^Jane", "2020-02-29", "UK Biobank MRI")


@pytest.fixture
def one(panel: Panel, tmp_path: Path) -> Panel:
    """A panel that shows one study."""
    show(panel, study_details(tmp_path / "a", "1.1"), JANE)
    return panel


@pytest.fixture
def cohort(one: Panel, tmp_path: Path) -> Panel:
    """A panel that shows a cohort of three studies, measured one after the other."""
    for name in ("b", "c"):
        show(one, study_details(tmp_path / name, name, [quantity(LIVER, 2.0)]))
    one.presenter.results.select(COHORT_KEY)
    return one


def test_results_of_a_scene_are_shown_in_words(one: Panel) -> None:
    shown = one.shown.results
    fat = shown.row(FAT)
    assert list(fat.values())[:6] == ["VAT", "3.1 L", "2.6 to 3.6", "", "61", "+0.1"]
    assert (fat["lower"], fat["upper"], fat["sd"]) == ("2.6", "3.6", "0.25")
    assert shown.findings.texts == [("warning", "Station 2 was scanned twice.")]
    assert len(shown.flags) == len(set(shown.flags)) == 2
    assert one.shown.state.results


def test_the_full_name_is_the_tooltip_of_the_short_one(one: Panel) -> None:
    (row,) = [row for row in one.shown.results.measurements if row.key == FAT]
    assert row.cells[0].tooltip == "Visceral adipose tissue (VAT) volume"


def test_the_sex_is_a_word_and_the_tooltip_explains_the_score(one: Panel) -> None:
    (row,) = [row for row in one.shown.results.measurements if row.key == "sex"]
    assert [cell.text for cell in row.cells[:5]] == ["Sex", "male", "–", "", ""]
    assert row.cells[1].tooltip == "The network's score is 0.99: 0 is female, 1 is male."


def test_an_uncertain_sex_is_called_so(panel: Panel, tmp_path: Path) -> None:
    show(panel, study_details(tmp_path / "a", "1.1", [sex(0.5, "uncertain")]))
    assert panel.shown.results.row("sex")["estimate"] == "uncertain"


def test_what_was_measured_directly_says_so_or_why_it_could_not(one: Panel) -> None:
    volume = one.shown.results.row("direct_fat_volume_in_L")
    assert (volume["measurement"], volume["estimate"], volume["interval"]) == (
        *("Fat volume (direct)", "21.12 L"),
        "–",
    )
    waist = one.shown.results.row("direct_waist_in_cm")
    assert waist["estimate"] == "–"
    assert waist["interval"] == "cannot be measured: the arms touch the trunk"


def test_no_cell_says_nan(cohort: Panel) -> None:
    for key in (COHORT_KEY, "1.1"):
        cohort.presenter.results.select(key)
        cells = [cell for row in cohort.shown.results.measurements for cell in row.cells]
        assert not [cell for cell in cells if "nan" in f"{cell.text} {cell.tooltip}".split()]


def test_one_interval_column_is_shown_and_the_bounds_on_demand(one: Panel) -> None:
    columns = {column.key: column for column in one.shown.results.columns}
    assert columns["interval"].title == "95 % interval"
    shown = [key for key, column in columns.items() if column.is_shown]
    assert shown == ["measurement", "estimate", "interval", "percentile", "z", "flags"]
    assert {"lower", "upper", "sd", "group", "module", "name"} < {*columns}


def test_a_group_can_be_chosen_and_stays_for_the_next_study(cohort: Panel) -> None:
    results = cohort.presenter.results
    results.select("1.1")
    groups = ["Body", "Fat", "Liver and kidneys", "Measured directly"]
    assert cohort.shown.results.groups == (groups, "")
    results.choose_group("Fat")
    assert [row.key for row in cohort.shown.results.measurements] == [FAT]
    results.select("b")  # it has none of this group
    assert cohort.shown.results.groups == (["Liver and kidneys", "Measured directly"], "")
    assert len(cohort.shown.results.measurements) == 3
    results.select("1.1")
    assert cohort.shown.results.groups == (groups, "Fat")


def test_search_group_and_ticks_leave_the_measurements_of_the_chart(one: Panel) -> None:
    results, told = one.presenter.results, []
    results.shown_changed.connect(told.append)
    assert results.shown_measurements[:3] == ["sex", FAT, LIVER]

    results.tick_measurements([FAT, "sex"], False)
    assert results.shown_measurements[0] == LIVER
    results.search("volume")
    assert one.shown.results.pattern
    assert results.shown_measurements == [LIVER, "direct_fat_volume_in_L"]
    results.choose_group("Liver and kidneys")
    assert results.shown_measurements == [LIVER]
    assert told[-1] == [LIVER]
    assert len(told) == 3


def test_ticks_stay_when_the_results_are_listed_again(one: Panel) -> None:
    one.presenter.results.tick_measurements([FAT], False)
    one.presenter.refresh_results()
    ticked = {row.key: row.ticked for row in one.shown.results.measurements}
    assert (ticked[FAT], ticked[LIVER]) == (False, True)


def test_the_cohort_is_all_measured_studies_of_the_scene_one_row_each(cohort: Panel) -> None:
    shown = cohort.shown.results
    titles = [title for _, title in shown.titles]
    assert titles == ["Doe, Jane, 2020-02-29, UK Biobank MRI", "b", "c", "Cohort of 3 studies"]
    assert [row.key for row in shown.measurements] == ["1.1", "b", "c"]
    first = shown.row("1.1")
    assert (first["patient"], first["date"], first[FAT], first["sex"]) == (
        *("P1", "2020-02-29"),
        *("3.1", "male"),
    )
    assert (shown.row("b")["patient"], shown.row("b")[FAT]) == ("b", "")
    assert all(row.ticked is None for row in shown.measurements)
    assert cohort.presenter.results.shown_measurements == []


def test_a_study_of_an_earlier_version_is_listed_and_says_what_to_do(cohort: Panel) -> None:
    find_results(cohort.scene, "b").table.RemoveAttribute(RESULT_MARK)
    cohort.presenter.refresh_results()
    titles = [title for _, title in cohort.shown.results.titles]
    assert titles[1:] == ["b", "c", "Cohort of 2 studies"]
    cohort.presenter.results.select("b")
    assert cohort.shown.results.measurements == []
    assert cohort.shown.results.flags[0].endswith("Measure the study again.")
    cohort.presenter.results.export("never.csv")
    assert cohort.shown.state.status == "No results to write."


def test_the_cohorts_columns_are_short_grouped_and_without_uids(cohort: Panel) -> None:
    columns = {column.key: column for column in cohort.shown.results.columns}
    assert columns[FAT].title == "VAT (L)"
    assert columns[FAT].group == "Fat"
    hidden = [key for key, column in columns.items() if not column.is_shown]
    assert hidden == ["eid", "instance", "study"]


def test_the_group_chooses_the_cohorts_columns(cohort: Panel) -> None:
    cohort.presenter.results.choose_group("Liver and kidneys")
    keys = [column.key for column in cohort.shown.results.columns]
    assert keys == ["patient", "date", "eid", "instance", LIVER, "flags", "study"]
    assert cohort.shown.results.row("b")[LIVER] == "2.0"


def test_a_study_is_written_as_csv_with_all_measurements(one: Panel, tmp_path: Path) -> None:
    one.presenter.results.choose_group("Fat")
    one.presenter.results.export(str(tmp_path / "results.csv"))

    rows = rows_of(tmp_path / "results.csv")
    assert [row["name"] for row in rows][:3] == ["sex", FAT, LIVER]
    assert rows[1]["value"] == "3.123456789012345"
    assert one.shown.state.status == "Written to results.csv."


def test_a_cohort_is_written_as_csv_with_a_row_per_study(cohort: Panel, tmp_path: Path) -> None:
    cohort.presenter.results.export(str(tmp_path / "results.csv"))

    rows = rows_of(tmp_path / "results.csv")
    assert [row["patient"] for row in rows] == ["P1", "b", "c"]
    assert rows[1][f"{LIVER}_mean_in_L"] == "2.0"


def test_a_file_is_named_after_the_study_or_the_day(cohort: Panel) -> None:
    assert cohort.presenter.results.file_name.startswith("MIMIR cohort 20")
    cohort.presenter.results.select("1.1")
    assert cohort.presenter.results.file_name == "Doe, Jane, 2020-02-29, UK Biobank MRI.csv"


def test_a_folder_that_cannot_be_written_to_is_an_error(one: Panel, tmp_path: Path) -> None:
    one.presenter.results.export(str(tmp_path / "a" / "water.npy" / "results.csv"))

    assert one.shown.state.status.startswith("OUTPUT_UNWRITABLE: ")


def test_copied_cells_are_separated_by_tabs_and_are_never_formulas() -> None:
    rows = [["Measurement", "z-score"], ["=cmd|' /C calc'!A0", "+0.1"], ["a\tb", None]]
    assert copied_text(rows) == "Measurement\tz-score\n'=cmd|' /C calc'!A0\t+0.1\na b\t"


def show(panel: Panel, details: Any, subject: Optional[Subject] = None) -> None:
    """Show a study as a run does, of the database or in a file."""
    list(show_studies(panel.scene, [(details, subject or Subject())]))
    panel.presenter.refresh_results()


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file by its headers."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
