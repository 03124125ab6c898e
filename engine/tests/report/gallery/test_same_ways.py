"""Labels on the page of a cohort, and what gives the same quantity."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from browser import Opened, chromium
from gallery_builder import typical_study, write_output
from labels_builder import label_measured

from mimir_engine.labels.label_measurement import LabelMeasurement
from mimir_engine.measuring.same_quantity import SIGNAL_FAT_FRACTION
from mimir_engine.measuring.study_result import StudyResult
from mimir_engine.report.gallery import cohort_data
from mimir_engine.report.gallery.cohort_data import CohortData
from mimir_engine.report.gallery.write_gallery import GalleryOptions, write_gallery

LIVER = label_measured("liver", 1.5, 6.25, title="Liver")
KIDNEYS = (label_measured("kidney_left", 0.15), label_measured("kidney_right", 0.16))


def labelled(*labels: LabelMeasurement, name: str = "scan") -> StudyResult:
    return replace(typical_study(labels=labels), name=name)


def page_of(*results: StudyResult) -> dict[str, Any]:
    data = CohortData()
    for result in results:
        data.add_result(result, result.name)
    return data.to_json()


def column(page: dict[str, Any], title: str) -> dict[str, Any]:
    (found,) = (column for column in page["columns"] if column["title"] == title)
    return dict(found)


def axes(page: dict[str, Any], number: int) -> tuple[str, str]:
    x, y = page["pairs"][number]
    return page["columns"][x]["title"], page["columns"][y]["title"]


def test_volume_and_fat_fraction_of_each_label_are_columns() -> None:
    page = page_of(labelled(LIVER), labelled(name="without"))
    assert column(page, "Liver: volume (L)")["values"] == [1.5, None]
    fraction = column(page, "Liver: signal fat fraction of inner voxels (%)")
    assert fraction["values"] == [5.75, None]
    assert fraction["group"] == "Labels"


def test_what_is_added_up_has_a_column_of_its_own() -> None:
    page = page_of(labelled(*KIDNEYS), labelled(KIDNEYS[0], name="one kidney"))
    assert column(page, "kidney right + kidney left (L)")["values"] == [0.31, None]


def test_the_scatter_still_begins_with_an_estimate_against_a_direct_measurement() -> None:
    page = page_of(labelled(LIVER, *KIDNEYS))
    first = ("Hip circumference, measured directly (cm)", "Hip circumference (cm)")
    assert axes(page, 0) == first
    assert page["first"]["x"] == page["pairs"][0][0]


def test_an_estimate_can_be_drawn_over_its_label() -> None:
    page = page_of(labelled(LIVER))
    number = next(n for n, text in page["options"]["pair"] if text.startswith("Liver volume"))
    assert page["options"]["pair"][number][1] == "Liver volume (L) against Liver: volume"
    assert axes(page, number) == ("Liver: volume (L)", "Liver volume (L)")


def test_a_study_lists_the_quantities_that_several_ways_give() -> None:
    page = page_of(labelled(LIVER), labelled(name="without"))
    lists = [[page["same"][n]["title"] for n in some] for some in page["studies"]["same"]]
    direct = ["Total fat volume (L)", "Waist circumference (cm)", "Hip circumference (cm)"]
    assert lists == [["Liver fat (%)", "Liver volume (L)", *direct], direct]


def test_more_labels_than_a_page_holds_leave_those_of_a_quantity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cohort_data, "MAX_LABELS", 1)
    others = (label_measured("gas", 0.1), label_measured("bone", 0.2))
    titles = {c["title"] for c in page_of(labelled(*others, LIVER))["columns"]}
    assert "gas: volume (L)" in titles
    assert "bone: volume (L)" not in titles
    assert "liver (L)" in titles


def test_the_page_of_a_study_has_all_ways_side_by_side(tmp_path: Any) -> None:
    hostile = label_measured("liver", 1.5, 6.25, title="<script>document.title='run'</script>")
    studies = (labelled(hostile, name="labelled"), labelled(name="without"))
    page = write_gallery(write_output(tmp_path / "results", studies), GalleryOptions()).page
    with chromium() as browser:
        opened = Opened(browser, page)
        opened.page.locator(".card", has_text="labelled").click()
        row = opened.page.locator("#same tr", has_text="Liver volume")
        network, direct, label = row.locator("td").all_text_contents()
        assert network.split()[1] == "L"
        assert "to" in network
        assert (direct, label) == ("", "1.50 L")
        assert "document.title" in str(row.locator("td").last.get_attribute("title"))
        remarks = opened.page.locator("table.ways tfoot").text_content()
        assert SIGNAL_FAT_FRACTION in str(remarks)
        opened.page.keyboard.press("ArrowRight")
        assert opened.page.locator("#same tr", has_text="Liver").count() == 0
        assert opened.page.title() == "MIMIR: cohort"
        assert opened.faults == []
