"""A presenter in use, over a real database file, scene and engine, without widgets."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional, Union

import pytest

pytest.importorskip("slicer")

import slicer
from database_builder import StudyRow, biobank_series, write_database

from mimir_engine import MimirError
from MIMIRLib.analysis.check_job import CheckJob
from MIMIRLib.analysis.measure_job import MeasureJob
from MIMIRLib.analysis.request import AnalysisRequest, StudyRequest
from MIMIRLib.analysis.scan_job import ScanJob, ScanOutcome
from MIMIRLib.analysis.scene_studies import Chosen, all_chosen, with_labels
from MIMIRLib.analysis.study_outcome import StudyOutcome
from MIMIRLib.database.study_list import StudyEntry, list_studies
from MIMIRLib.job import Job, Progress, Work
from MIMIRLib.presenter.chart_content import ChartContent
from MIMIRLib.presenter.finding_list import Place
from MIMIRLib.presenter.panel_state import PanelState
from MIMIRLib.presenter.presenter import Presenter
from MIMIRLib.presenter.result_browser import ResultBrowser
from MIMIRLib.presenter.table_row import Row, TableColumn
from MIMIRLib.scene.scene_pair import ScenePair

STUDIES = (
    StudyRow("1.1", biobank_series(), "P1", "Doe^Jane", "20200229"),
    StudyRow("1.2", biobank_series(), "P2", "Roe^Richard", "20210301"),
    StudyRow("1.3", biobank_series(leave_out=["4 W"]), "P3", "Poe^Ed", "20220101"),
)
PHANTOM = StudyRow("1.9", biobank_series(), "P9", "Phantom")


@dataclass
class Choices:
    """The user's choices, outside a scene."""

    study_uids: list[str] = field(default_factory=list)
    module_names: list[str] = field(default_factory=list)
    level: float = 0.95
    device: str = "auto"
    runtime: str = "auto"
    volumes: bool = False
    allow_unvalidated: bool = False
    water: Any = None
    fat: Any = None
    in_phase: Any = None
    opposed_phase: Any = None
    segmentation: Any = None


class Table(list[Row]):
    """Keeps its rows and its filter."""

    pattern = ""
    selected = ""

    def select(self, key: str) -> None:
        self.selected = key

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


class ResultsShown:
    """Keeps the results, and what Slicer's views should show."""

    def __init__(self) -> None:
        self.findings = FindingsShown()
        self.titles: Sequence[tuple[str, str]] = ()
        self.selected = ""
        self.groups: tuple[Sequence[str], str] = (), ""
        self.columns: Sequence[TableColumn] = ()
        self.measurements: Sequence[Row] = ()
        self.pattern = ""
        self.flags: Sequence[str] = ()
        self.chart = ChartContent()
        self.views: list[Any] = []
        self.nodes: list[Any] = []
        self.left: list[Any] = []
        self.fat: list[tuple[Any, bool]] = []
        self.profiles: list[Any] = []
        self.opened: list[str] = []
        self.places: list[tuple[Any, Place]] = []

    def show_titles(self, titles: Sequence[tuple[str, str]], selected: str) -> None:
        self.titles, self.selected = titles, selected

    def show_groups(self, groups: Sequence[str], selected: str) -> None:
        self.groups = groups, selected

    def show_measurements(
        self, columns: Sequence[TableColumn], rows: Sequence[Row], flags: Sequence[str]
    ) -> None:
        self.columns, self.measurements, self.flags = columns, rows, flags

    def filter_measurements(self, pattern: str) -> None:
        self.pattern = pattern

    def row(self, key: str) -> dict[str, str]:
        """Return the texts of a row by the keys of its columns."""
        (row,) = [row for row in self.measurements if row.key == key]
        return {column.key: cell.text for column, cell in zip(self.columns, row.cells)}

    def show_chart(self, content: ChartContent) -> None:
        self.chart = content

    def show_nodes(self, nodes: Any) -> None:
        self.nodes.append(nodes)

    def leave_others(self, nodes: Any) -> None:
        self.left.append(nodes)

    def show_fat_in_3d(self, nodes: Any, is_on: bool) -> None:
        self.fat.append((nodes, is_on))

    def forget(self) -> None:
        """Forget what the views have shown."""
        self.nodes.clear()
        self.left.clear()

    def arrange_views(self, nodes: Any) -> None:
        self.views.append(nodes)

    def show_profile(self, nodes: Any) -> None:
        self.profiles.append(nodes)

    def open_file(self, path: str) -> None:
        self.opened.append(path)

    def jump(self, nodes: Any, place: Place) -> None:
        self.places.append((nodes, place))


class Shown:
    """Keeps everything that it should show."""

    def __init__(self) -> None:
        self.state: Optional[PanelState] = None
        self.studies = Table()
        self.findings, self.results = FindingsShown(), ResultsShown()
        self.modules = Table()
        self.options: Any = None
        self.failures: Sequence[str] = ()
        self.log: list[str] = []

    def show_state(self, state: PanelState) -> None:
        self.state = state

    def show_options(self, parameters: Any) -> None:
        self.options = parameters

    def show_failures(self, sentences: Sequence[str]) -> None:
        self.failures = sentences

    def show_log_line(self, line: str) -> None:
        self.log.append(line)

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


class PhantomImport(Import):
    """An import of the phantom into a database."""

    def __init__(self, database: Path) -> None:
        super().__init__()
        self.database = database

    def _work(self) -> Work:
        yield from super()._work()
        self.database.unlink()
        write_database(self.database, [PHANTOM])


class Installation(Job):
    """Fails with the error that it is about; without one it installs."""

    def __init__(self, rest: Rest) -> None:
        super().__init__()
        self._rest = rest

    def _work(self) -> Work:
        yield Progress(None, "Installing")
        if isinstance(self._rest.missing, MimirError):
            raise self._rest.missing
        self._rest.missing = None

    def _summary(self) -> str:
        return "Installed."


class Rest:
    """The rest of the module, over a database file and one phantom for all studies but P3's."""

    def __init__(self, scene: Any, database: Path, archive: Path) -> None:
        self.database, self._runs = database, database.parent / "runs"
        self.missing: Union[MimirError, str, None] = None
        self.questions: list[str] = []
        self.agrees = True
        self.requests: list[AnalysisRequest] = []
        self.scanned: list[list[str]] = []
        self.checked: list[list[str]] = []
        self.archive = archive
        self._scene = scene

    def ask(self, question: str) -> bool:
        self.questions.append(question)
        return self.agrees

    def studies(self) -> list[StudyEntry]:
        return list_studies(self.database)

    def new_database_folder(self) -> str:
        return "" if self.database.exists() else str(self.database.parent)

    def create_database(self) -> None:
        write_database(self.database, ())

    def need_database(self) -> None:
        if self.new_database_folder():
            if not self.agrees:
                raise MimirError("DATABASE_DECLINED", "there is no database", "Create one.")
            self.create_database()

    def phantom_job(self) -> Job:
        return PhantomImport(self.database)

    def phantom_uid(self) -> str:
        return PHANTOM.uid

    def lacks_packages(self, runtime: str) -> bool:
        return self.missing is not None

    def install_job(self, runtime: str = "auto") -> Job:
        return Installation(self)

    def install_for_pdf(self) -> None:
        if self.missing is not None:
            raise self.missing

    def measure_job(
        self, request: AnalysisRequest, studies: Sequence[Chosen], segmentation: Any = None
    ) -> MeasureJob:
        self.requests.append(request)
        files = tempfile.TemporaryDirectory()
        found = self._found(studies, segmentation, Path(files.name))
        job = MeasureJob(self._scene, request, found, runs=self.runs_folder())
        job.ended.connect(lambda _job: files.cleanup())
        return job

    def runs_folder(self) -> Path:
        return self._runs

    def scan_job(self, entries: Sequence[StudyEntry], known: Mapping[str, ScanOutcome]) -> ScanJob:
        self.scanned.append([entry.study_uid for entry in entries])
        return ScanJob(map(self._study, entries), known)

    def check_job(
        self, entries: Sequence[StudyEntry], known: Mapping[str, ScanOutcome]
    ) -> CheckJob:
        self.checked.append([entry.study_uid for entry in entries])
        return CheckJob(map(self._study, entries), known)

    def _found(
        self, studies: Sequence[Chosen], segmentation: Any, folder: Path
    ) -> Iterator[Union[StudyRequest, StudyOutcome]]:
        entries = {entry.study_uid: entry for entry in self.studies()}
        for study in studies:
            if isinstance(study, ScenePair):
                yield from all_chosen(None, [study], segmentation, folder)
                continue
            found = self._study(entries[study] if isinstance(study, str) else study)
            is_there = isinstance(found, StudyRequest)
            yield with_labels(found, segmentation, folder) if is_there else found

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


@contextmanager
def opened_panel(folder: Path, archive: Path) -> Iterator[Panel]:
    """Open a panel over the database of `STUDIES`, written into a folder.

    Args:
        folder: For the database.
        archive: A study that stands for all of them.
    """
    scene = slicer.vtkMRMLScene()
    slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    rest = Rest(scene, write_database(folder / "ctkDICOM.sql", STUDIES), archive)
    shown, choices = Shown(), Choices()
    presenter = Presenter(shown, rest, ResultBrowser(scene))
    presenter.refresh_modules()
    presenter.refresh_studies()
    presenter.use(choices)
    yield Panel(presenter, shown, rest, choices, scene)
    presenter.close()
    scene.Clear(True)
