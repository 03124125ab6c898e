"""Test the presenter with a real database file, scene and engine, without widgets."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Callable, Optional, Union

import pytest

pytest.importorskip("slicer")

import slicer
from database_builder import StudyRow, biobank_series, write_database
from scene_study import state_of, study_details

from mimir_engine import MimirError
from MIMIRLib.analysis.check_job import CheckJob
from MIMIRLib.analysis.measure_job import MeasureJob, StudyOutcome
from MIMIRLib.analysis.request import AnalysisRequest, StudyRequest
from MIMIRLib.analysis.scan_job import ScanJob, ScanOutcome
from MIMIRLib.database.study_list import StudyEntry, list_studies
from MIMIRLib.job import Job, Progress, Work
from MIMIRLib.presenter.finding_list import Place
from MIMIRLib.presenter.panel_state import PanelState
from MIMIRLib.presenter.presenter import Presenter
from MIMIRLib.presenter.result_browser import COHORT_KEY, ResultBrowser
from MIMIRLib.presenter.table_row import Row
from MIMIRLib.scene.results import show_studies
from MIMIRLib.scene.subject import Subject
from MIMIRLib.slicer_tests.exchanged_study import write_exchanged

STUDIES = (
    StudyRow("1.1", biobank_series(), "P1", "Doe^Jane", "20200229"),
    StudyRow("1.2", biobank_series(), "P2", "Roe^Richard", "20210301"),
    StudyRow("1.3", biobank_series(leave_out=["4 W"]), "P3", "Poe^Ed", "20220101"),
)


@dataclass
class Choices:
    """The user's choices, outside a scene."""

    study_uids: list[str] = field(default_factory=list)
    module_names: list[str] = field(default_factory=list)
    level: float = 0.95
    device: str = "auto"
    volumes: bool = False
    allow_unvalidated: bool = False


class Table(list[Row]):
    """Keeps its rows and its filter."""

    pattern = ""

    def show(self, rows: Sequence[Row]) -> None:
        self[:] = rows

    def update(self, row: Row) -> None:
        (place,) = [place for place, shown in enumerate(self) if shown.key == row.key]
        self[place] = row

    def filter(self, pattern: str) -> None:
        self.pattern = pattern


class FindingsShown:
    """Keeps findings, and the description and picture of one."""

    def __init__(self) -> None:
        self.rows: Sequence[Row] = ()
        self.text, self.picture = "", b""

    def show(self, rows: Sequence[Row]) -> None:
        self.rows, self.text, self.picture = rows, "", b""

    def describe(self, text: str, picture: bytes) -> None:
        self.text, self.picture = text, picture

    @property
    def texts(self) -> list[tuple[str, str]]:
        """Severity and sentence of each."""
        return [(row.cells[0].text, row.cells[1].text) for row in self.rows]


class Shown:
    """Keeps everything that it should show."""

    def __init__(self) -> None:
        self.state: Optional[PanelState] = None
        self.studies = Table()
        self.findings, self.result_findings = FindingsShown(), FindingsShown()
        self.modules = Table()
        self.options: Any = None
        self.results: Sequence[tuple[str, str]] = ()
        self.selected = ""
        self.measurements: Sequence[Row] = ()
        self.flags: Sequence[str] = ()
        self.failures: Sequence[str] = ()
        self.log: list[str] = []
        self.views: list[Any] = []
        self.profiles: list[Any] = []
        self.places: list[tuple[Any, Place]] = []

    def show_state(self, state: PanelState) -> None:
        self.state = state

    def show_options(self, parameters: Any) -> None:
        self.options = parameters

    def show_results(self, titles: Sequence[tuple[str, str]], selected: str) -> None:
        self.results, self.selected = titles, selected

    def show_measurements(self, rows: Sequence[Row], flags: Sequence[str]) -> None:
        self.measurements, self.flags = rows, flags

    def show_failures(self, sentences: Sequence[str]) -> None:
        self.failures = sentences

    def show_log_line(self, line: str) -> None:
        self.log.append(line)

    def arrange_views(self, nodes: Any) -> None:
        self.views.append(nodes)

    def show_profile(self, nodes: Any) -> None:
        self.profiles.append(nodes)

    def jump(self, nodes: Any, place: Place) -> None:
        self.places.append((nodes, place))

    @property
    def ticked(self) -> list[str]:
        return [row.key for row in self.studies if row.ticked]


class Import(Job):
    """An import of one archive."""

    def _work(self) -> Work:
        yield Progress(0.5, "Unpacking")
        yield None

    def _summary(self) -> str:
        return "1 new study is in the database."


class Rest:
    """The rest of the module, over a database file and one phantom for all studies but P3's."""

    def __init__(self, scene: Any, database: Path, archive: Path) -> None:
        self.database = database
        self.missing: Optional[MimirError] = None
        self.requests: list[AnalysisRequest] = []
        self.scanned: list[list[str]] = []
        self.checked: list[list[str]] = []
        self.archive = archive
        self._scene = scene

    def studies(self) -> list[StudyEntry]:
        return list_studies(self.database)

    def install_missing(self) -> None:
        if self.missing is not None:
            raise self.missing

    def measure_job(self, request: AnalysisRequest, entries: Iterable[StudyEntry]) -> MeasureJob:
        self.requests.append(request)
        return MeasureJob(self._scene, request, map(self._study, entries))

    def scan_job(self, entries: Sequence[StudyEntry], known: Mapping[str, ScanOutcome]) -> ScanJob:
        self.scanned.append([entry.study_uid for entry in entries])
        return ScanJob(map(self._study, entries), known)

    def check_job(
        self, entries: Sequence[StudyEntry], known: Mapping[str, ScanOutcome]
    ) -> CheckJob:
        self.checked.append([entry.study_uid for entry in entries])
        return CheckJob(map(self._study, entries), known)

    def _study(self, entry: StudyEntry) -> Union[StudyRequest, StudyOutcome]:
        if entry.patient_id == "P3":
            return StudyOutcome(entry.study_uid, code="FILES_GONE", reason="the files are gone.")
        return StudyRequest(entry.study_uid, path=str(self.archive))

    def import_job(self, paths: Sequence[str]) -> Import:
        if not Path(paths[0]).exists():
            raise MimirError("SOURCE_MISSING", "the folder does not exist", "Check the path.")
        return Import()


@dataclass
class Panel:
    """A panel in use."""

    presenter: Presenter
    shown: Shown
    rest: Rest
    choices: Choices
    scene: Any


@pytest.fixture
def panel(tmp_path: Path, phantom_zip: Path) -> Iterator[Panel]:
    scene = slicer.vtkMRMLScene()
    slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    rest = Rest(scene, write_database(tmp_path / "ctkDICOM.sql", STUDIES), phantom_zip)
    shown, choices = Shown(), Choices()
    presenter = Presenter(shown, rest, ResultBrowser(scene))
    presenter.refresh_modules()
    presenter.refresh_studies()
    presenter.use(choices)
    yield Panel(presenter, shown, rest, choices, scene)
    presenter.close()
    scene.Clear(True)


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


def status(panel: Panel, study_uid: str) -> tuple[str, str, str]:
    """Status and its tooltip, and number of stations, as listed."""
    (row,) = [row for row in panel.shown.studies if row.key == study_uid]
    return row.cells[2].text, row.cells[2].tooltip, row.cells[3].text


def read_and_check(panel: Panel, wait_until: Callable) -> None:
    """Let the panel's timer run until nothing is left to do."""
    wait_until(lambda: panel.presenter.step() or not panel.shown.state.needs_steps)


def test_a_ticked_study_is_read_before_apply_is_pressed(panel: Panel, wait_until: Callable) -> None:
    panel.presenter.tick_study("1.1", True)
    assert panel.shown.state.study_lines == "Reading the headers of 1 study."
    assert panel.shown.state.can_apply

    read_and_check(panel, wait_until)

    text = "Headers and images were checked: 6 stations."
    assert status(panel, "1.1") == ("checked", text, "6")
    assert panel.shown.state.study_lines == f"Doe, Jane, 2020-02-29\n{text}"
    assert panel.shown.ticked == ["1.1"]
    assert panel.rest.scanned == panel.rest.checked == [["1.1"]]


def test_findings_are_shown_beside_the_study(
    panel: Panel, wait_until: Callable, tmp_path: Path
) -> None:
    panel.rest.archive = with_a_slice_twice(panel.rest.archive, tmp_path / "twice.zip")
    panel.presenter.select_study("1.2")

    read_and_check(panel, wait_until)

    text, tooltip, stations = status(panel, "1.2")
    assert (text, stations) == ("readable, 1 finding", "6")
    assert "was scanned more than once" in tooltip
    assert panel.shown.findings.texts == [("note", tooltip)]
    assert panel.rest.checked == []  # a study that is not ticked


def test_a_study_with_water_and_fat_exchanged_is_refused_with_a_picture_and_a_place(
    panel: Panel, wait_until: Callable, tmp_path: Path
) -> None:
    panel.rest.archive = write_exchanged(panel.rest.archive, tmp_path / "exchanged.zip")
    panel.presenter.tick_study("1.1", True)

    read_and_check(panel, wait_until)

    assert status(panel, "1.1")[0].startswith("refused: ")
    assert not panel.shown.state.can_apply
    assert panel.shown.state.repair_text.startswith("Exchange water and fat back")
    (row,) = panel.shown.findings.rows
    panel.presenter.select_finding(row.key)
    assert panel.shown.findings.text.startswith("Stop: ")
    assert panel.shown.findings.picture.startswith(b"\x89PNG")
    ((nodes, place),) = panel.shown.places
    assert (nodes, place.key, place.side) == (None, "1.1", "")

    pytest.importorskip("torch")  # the ticked module measures, too
    panel.presenter.repair()
    wait_until(lambda: panel.presenter.step() or not panel.shown.state.is_busy)

    assert panel.rest.requests[0].swap_repair
    assert panel.shown.results == [("1.1", "Repaired: 1.1")]
    assert panel.shown.result_findings.texts[0][0] == "warning"
    panel.presenter.select_result_finding(panel.shown.result_findings.rows[0].key)
    assert panel.shown.result_findings.text.startswith("Warning: ")
    assert panel.shown.result_findings.picture == b""  # the check's picture shows them exchanged
    assert panel.shown.places[-1][0].table is not None


def test_checks_stop_when_the_tick_is_removed_or_apply_is_pressed(
    panel: Panel, wait_until: Callable
) -> None:
    panel.presenter.tick_study("1.1", True)
    wait_until(lambda: panel.presenter.step() or panel.rest.checked)
    assert panel.shown.state.study_lines.endswith("Checking the images of 1 study.")
    panel.presenter.tick_study("1.1", False)
    read_and_check(panel, wait_until)
    assert status(panel, "1.1")[0] == "readable"

    panel.presenter.tick_study("1.1", True)
    panel.presenter.tick_module("phantom", False)
    panel.presenter.apply()
    assert panel.rest.checked == [["1.1"], ["1.1"]]
    assert "Checking" not in panel.shown.state.study_lines
    panel.presenter.cancel()
    read_and_check(panel, wait_until)
    assert status(panel, "1.1")[0] == "checked"


def test_a_study_that_would_be_refused_is_marked_with_the_reason(
    panel: Panel, wait_until: Callable
) -> None:
    panel.presenter.tick_study("1.3", True)
    assert any("may be incomplete" in warning for warning in panel.shown.state.warnings)

    read_and_check(panel, wait_until)

    assert status(panel, "1.3")[0] == "refused: the files are gone."
    assert panel.shown.state.study_text.endswith(
        "Cannot be measured: the files are gone. (FILES_GONE)"
    )
    assert not panel.shown.state.can_apply
    assert panel.shown.state.apply_hint.startswith("None of the ticked studies can be measured.")

    panel.presenter.tick_study("1.1", True)
    read_and_check(panel, wait_until)
    assert panel.shown.state.can_apply
    assert panel.shown.state.apply_hint == "Measures 1 study."
    assert "1 study cannot be measured. The list gives the reasons." in panel.shown.state.warnings
    assert not any("may be incomplete" in warning for warning in panel.shown.state.warnings)


def test_a_study_is_not_read_again_unless_its_files_change(
    panel: Panel, wait_until: Callable, tmp_path: Path
) -> None:
    panel.presenter.tick_study("1.1", True)
    read_and_check(panel, wait_until)
    panel.presenter.tick_study("1.1", False)
    panel.presenter.tick_study("1.1", True)
    panel.presenter.refresh_studies()
    assert panel.rest.scanned == panel.rest.checked == [["1.1"]]

    panel.presenter.read_again()
    panel.presenter.step()
    assert not panel.shown.state.needs_steps
    assert status(panel, "1.1")[0] == "checked"

    panel.rest.archive = tmp_path / "damaged.zip"
    panel.rest.archive.write_bytes(b"no archive")
    panel.presenter.read_again()
    read_and_check(panel, wait_until)
    assert status(panel, "1.1")[0].startswith("refused: ")


def test_a_refused_study_is_read_again_when_it_is_ticked_again(
    panel: Panel, wait_until: Callable, tmp_path: Path
) -> None:
    archive, panel.rest.archive = panel.rest.archive, tmp_path / "damaged.zip"
    panel.rest.archive.write_bytes(b"no archive")
    panel.presenter.tick_study("1.1", True)
    read_and_check(panel, wait_until)
    assert status(panel, "1.1")[0].startswith("refused: ")

    panel.rest.archive = archive
    panel.presenter.tick_study("1.1", False)
    panel.presenter.tick_study("1.1", True)
    read_and_check(panel, wait_until)
    assert status(panel, "1.1")[0] == "checked"


def test_a_study_is_read_again_when_the_database_has_more_of_its_images(
    panel: Panel, wait_until: Callable
) -> None:
    panel.presenter.tick_study("1.1", True)
    read_and_check(panel, wait_until)
    with closing(sqlite3.connect(panel.rest.database)) as connection, connection:
        connection.execute("UPDATE Series SET DisplayedCount = 64")

    panel.presenter.refresh_studies()

    assert panel.rest.scanned == [["1.1"], ["1.1"]]


def test_many_ticked_studies_are_read_a_few_at_a_time_and_unticked_ones_not_at_all(
    panel: Panel, wait_until: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("MIMIRLib.presenter.study_scans.STUDIES_AT_ONCE", 1)
    panel.presenter.tick_study("1.1", True)
    panel.presenter.tick_shown_studies()
    panel.presenter.tick_study("1.3", True)
    panel.presenter.tick_study("1.2", False)

    read_and_check(panel, wait_until)

    assert panel.rest.scanned == [["1.1"], ["1.3"]]


def test_closing_the_panel_stops_reading(panel: Panel) -> None:
    panel.presenter.tick_study("1.1", True)
    panel.presenter.step()

    panel.presenter.close()

    assert not panel.shown.state.needs_steps


def with_a_slice_twice(archive: Path, path: Path) -> Path:
    """Copy an archive, and scan its first station's water and fat once more, later."""
    import io

    import pydicom

    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, content)
            if not name.endswith(".dcm"):
                continue
            image = pydicom.dcmread(io.BytesIO(content))
            if image.SeriesNumber <= 5 and image.SeriesDescription[-2:] in ("_W", "_F"):
                image.SeriesInstanceUID = image.SeriesInstanceUID[:60] + ".9"
                image.SOPInstanceUID = image.SOPInstanceUID[:60] + ".9"
                image.SeriesNumber += 90
                image.AcquisitionTime = image.SeriesTime = image.ContentTime = "120000.000000"
                again = io.BytesIO()
                image.save_as(again)
                target.writestr(f"again/{name}", again.getvalue())
    return path


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
    panel.rest.database = Path("nowhere")

    panel.presenter.refresh_studies()

    assert panel.shown.state.empty_sentence.startswith("DATABASE_UNREADABLE: ")
    assert list(panel.shown.studies) == []


def test_options_of_the_scene_go_into_the_request(panel: Panel) -> None:
    panel.presenter.use(Choices(["1.1"], ["phantom"], 0.9, "cpu", True, True))

    panel.presenter.apply()

    assert panel.rest.requests == [AnalysisRequest((), ("phantom",), 0.9, "cpu", True, True)]


def test_a_changed_option_changes_the_warnings(panel: Panel) -> None:
    before = panel.shown.state.warnings
    panel.presenter.set_option("allow_unvalidated", True)

    assert panel.choices.allow_unvalidated
    assert len(panel.shown.state.warnings) == len(before) + 1


def test_apply_without_a_tick_does_nothing(panel: Panel) -> None:
    panel.presenter.apply()

    assert panel.rest.requests == []
    assert not panel.shown.state.is_busy


def test_apply_without_packages_explains_what_to_do(panel: Panel) -> None:
    panel.rest.missing = MimirError("INSTALLATION_DECLINED", "torch is missing")
    panel.presenter.tick_study("1.1", True)

    panel.presenter.apply()

    assert panel.shown.state.status == "INSTALLATION_DECLINED: torch is missing."
    assert panel.shown.state.can_apply


@pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")
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
    assert [key for key, _ in panel.shown.results] == ["1.1", "1.2", COHORT_KEY]
    assert panel.shown.selected == "1.1"
    assert {row.key for row in panel.shown.measurements} >= {"1.1 phantom_height"}
    assert panel.shown.views[-1].table is not None
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
    assert panel.shown.views[-1].chart is None
    rows = {row.key: [cell.text for cell in row.cells] for row in panel.shown.measurements}
    label, value, interval, *_ = rows["1.1 direct_fat_volume_in_L"]
    assert (label, interval) == ("fat volume", "measured directly")
    assert value.endswith(" L")

    panel.presenter.show_profile()
    assert panel.shown.profiles[0].profile is not None


@pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")
def test_cancel_ends_it_at_once_and_leaves_the_scene_alone(panel: Panel) -> None:
    before = state_of(panel.scene)
    panel.presenter.tick_study("1.1", True)
    panel.presenter.apply()
    panel.presenter.step()

    panel.presenter.cancel()

    assert panel.shown.state.status == "Cancelled. The scene is unchanged."
    assert panel.shown.state.can_apply
    assert state_of(panel.scene) == before


def test_an_import_shows_its_progress_and_outcome(panel: Panel, tmp_path: Path) -> None:
    panel.presenter.import_studies([str(tmp_path)])
    panel.presenter.step()
    assert (panel.shown.state.percent, panel.shown.state.status) == (50, "Unpacking")

    panel.presenter.step()
    assert panel.shown.state.status == "1 new study is in the database."
    assert not panel.shown.state.is_busy


def test_an_import_of_nothing_is_an_error(panel: Panel) -> None:
    panel.presenter.import_studies(["nowhere"])

    assert panel.shown.state.status == "SOURCE_MISSING: the folder does not exist. Check the path."
    assert not panel.shown.state.is_busy


def test_one_thing_at_a_time(panel: Panel, tmp_path: Path) -> None:
    panel.presenter.tick_study("1.1", True)
    panel.presenter.import_studies([str(tmp_path)])
    panel.presenter.step()

    panel.presenter.apply()
    panel.presenter.add_module(str(tmp_path))

    assert panel.rest.requests == []
    assert panel.shown.state.status == "Unpacking"


def test_an_inference_module_is_described_and_verified(panel: Panel) -> None:
    panel.presenter.select_module("phantom")
    assert "11 measurements" in panel.shown.state.module_text
    assert not panel.shown.state.can_remove_module

    panel.presenter.verify_module()
    assert panel.shown.state.status == "All files of phantom are unchanged."

    panel.presenter.remove_module()
    assert panel.shown.state.status.startswith("MODULE_NOT_OWN: ")


def test_a_folder_without_an_inference_module_is_refused_with_the_reason(
    panel: Panel, tmp_path: Path, wait_until: Callable
) -> None:
    panel.presenter.add_module(str(tmp_path / "nowhere"))
    assert panel.shown.state.percent == -1

    wait_until(lambda: panel.presenter.step() or not panel.shown.state.is_busy)

    assert panel.shown.state.status.startswith("SOURCE_MISSING: ")


def test_an_addition_can_be_cancelled(panel: Panel, tmp_path: Path) -> None:
    panel.presenter.add_module(str(tmp_path))

    panel.presenter.cancel()

    assert panel.shown.state.status == "Cancelled. No inference module was added."


def test_an_unexpected_error_is_shown_as_a_sentence(panel: Panel) -> None:
    panel.rest.database = None  # type: ignore[assignment]

    panel.presenter.refresh_studies()

    assert panel.shown.state.empty_sentence.startswith("INTERNAL_ERROR: MIMIR failed (")


def test_results_of_a_scene_are_shown_in_words(panel: Panel, tmp_path: Path) -> None:
    show(panel.scene, study_details(tmp_path / "a", "1.1"))

    panel.presenter.refresh_results()

    rows = [tuple(cell.text for cell in row.cells) for row in panel.shown.measurements]
    fat = ("visceral fat volume", "3.1 L", "2.6 to 3.6", "61", "+0.1", "0.25")
    assert rows[0][:6] == fat
    assert rows[1][:3] == ("sex", "male (0.99)", "")
    assert panel.shown.result_findings.texts == [("warning", "Station 2 was scanned twice.")]
    assert len(panel.shown.flags) == len(set(panel.shown.flags)) == 2
    assert panel.shown.state.results


def test_a_cohorts_results_are_those_of_all_its_studies(panel: Panel, tmp_path: Path) -> None:
    names = ("a", "b", "c")
    details = [study_details(tmp_path / name, name) for name in names]
    show(panel.scene, *details[:2])
    show(panel.scene, details[2])

    panel.presenter.refresh_results()
    panel.presenter.select_result(COHORT_KEY)

    assert [title for _, title in panel.shown.results] == [*names, "Cohort of 2 studies"]
    assert {row.key.split()[0] for row in panel.shown.measurements} == {"a", "b"}


def test_the_selected_results_are_written_as_csv(panel: Panel, tmp_path: Path) -> None:
    show(panel.scene, study_details(tmp_path / "a", "a"))
    panel.presenter.refresh_results()

    panel.presenter.export(str(tmp_path / "results.csv"))

    header, first, *_ = (tmp_path / "results.csv").read_text("utf-8").splitlines()
    assert header.startswith("measurement,value,unit,interval,lower,upper")
    assert first.split(",")[1] == "3.123456789012345"
    assert panel.shown.state.status == "Written to results.csv."


def test_a_folder_that_cannot_be_written_to_is_an_error(panel: Panel, tmp_path: Path) -> None:
    show(panel.scene, study_details(tmp_path / "a", "a"))
    panel.presenter.refresh_results()

    panel.presenter.export(str(tmp_path / "a" / "water.npy" / "results.csv"))

    assert panel.shown.state.status.startswith("OUTPUT_UNWRITABLE: ")


def test_without_a_scene_nothing_can_be_started(panel: Panel) -> None:
    panel.presenter.tick_study("1.1", True)
    panel.presenter.use(None)

    panel.presenter.apply()

    assert panel.rest.requests == []


def show(scene: Any, *all_details: Any) -> None:
    """Show studies as a run does."""
    for _node in show_studies(scene, [(details, Subject()) for details in all_details]):
        pass
