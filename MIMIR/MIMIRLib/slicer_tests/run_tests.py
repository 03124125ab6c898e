"""Five studies, cancelled at the fourth: three are shown, and Apply measures the other two."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional
from unittest.mock import patch

import slicer

from MIMIRLib.analysis.measure_job import MeasureJob
from MIMIRLib.analysis.request import AnalysisRequest, StudyRequest
from MIMIRLib.analysis.scene_studies import Chosen
from MIMIRLib.panel.slicer_services import SlicerServices
from MIMIRLib.scene.results import find_cohort, find_results
from MIMIRLib.slicer_tests.panel_tests import PanelCase
from MIMIRLib.slicer_tests.phantom_database import phantom_entry, phantom_zip, wait_until

#: Studies beside the one of the database, of which they are copies.
OTHERS = ("b", "c", "d", "e")


class RunTest(PanelCase):
    """The panel measures the phantom and four copies."""

    def setUp(self) -> None:
        """Let the panel measure four archives together with the ticked study."""
        super().setUp()
        self.jobs: list[MeasureJob] = []
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        paths = [Path(scratch.name) / f"{name}.zip" for name in OTHERS]
        for path in paths:
            shutil.copyfile(phantom_zip(), path)
        archives = tuple(StudyRequest(path.stem, path=str(path)) for path in paths)
        usual = SlicerServices.measure_job

        def measure_job(
            services: SlicerServices,
            request: AnalysisRequest,
            studies: Sequence[Chosen],
            segmentation: Optional[Any],
        ) -> MeasureJob:
            job = usual(services, replace(request, studies=archives), studies, segmentation)
            job.measured.connect(lambda _outcome: self.note(job))
            self.jobs.append(job)
            return job

        patched = patch.object(SlicerServices, "measure_job", measure_job)
        patched.start()
        self.addCleanup(patched.stop)
        self.ui.volumesCheckBox.checked = False

    def tearDown(self) -> None:
        """Show volumes again."""
        self.ui.volumesCheckBox.checked = True
        super().tearDown()

    def note(self, job: MeasureJob) -> None:
        """Press Cancel in the first run when three studies are shown."""
        if len(self.jobs) == 1 and len(job.results) == 3:
            self.ui.cancelButton.click()

    def test_cancelled_at_the_fourth_three_are_shown_and_apply_measures_two(self) -> None:
        """A third Apply says that all are measured; a fourth would measure them again."""
        self.measure()
        status = (
            "Cancelled. 3 of 5 studies were measured and are shown; press Apply to measure the"
            " other 2."
        )
        assert self.ui.statusLabel.text == status, self.ui.statusLabel.text
        first = {key: find_results(slicer.mrmlScene, key) for key in self.keys()}
        assert sum(nodes is not None for nodes in first.values()) == 3
        assert find_cohort(slicer.mrmlScene).GetNumberOfRows() == 3

        self.apply()
        status = "2 studies measured. 3 were measured with these choices before."
        assert self.ui.statusLabel.text == status, self.ui.statusLabel.text
        for key, nodes in first.items():
            now = find_results(slicer.mrmlScene, key)
            assert now is not None
            assert nodes is None or now.table is nodes.table
        assert find_cohort(slicer.mrmlScene).GetNumberOfRows() == 5

        self.apply()
        status = "All 5 studies are measured with these choices; Apply measures them again."
        assert self.ui.statusLabel.text == status, self.ui.statusLabel.text
        assert [len(job.results) for job in self.jobs] == [3, 2, 0]

    def test_a_run_leaves_nothing_on_disk_and_offers_nothing(self) -> None:
        """Its folder is removed at Cancel."""
        self.measure()
        runs = SlicerServices().runs_folder()
        assert not runs.exists() or list(runs.iterdir()) == []
        self.module.presenter.refresh_studies()
        assert not self.ui.resumeLabel.visible
        assert not self.ui.resumeButton.visible

    def apply(self) -> None:
        """Press Apply and wait."""
        self.ui.applyButton.click()
        wait_until(lambda: not self.ui.cancelButton.enabled)

    def keys(self) -> list[str]:
        """Return the studies' keys."""
        return [phantom_entry().study_uid, *OTHERS]
