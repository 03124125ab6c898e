"""A study that ends its reader, or hangs, does no harm to the others of its run."""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
import unittest
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional
from unittest.mock import patch

from MIMIRLib.analysis.measure_job import MeasureJob
from MIMIRLib.analysis.request import AnalysisRequest, StudyRequest
from MIMIRLib.analysis.scene_studies import Chosen
from MIMIRLib.engine.process import slicer_python
from MIMIRLib.panel.slicer_services import SlicerServices
from MIMIRLib.slicer_tests.panel_tests import PanelCase
from MIMIRLib.slicer_tests.phantom_database import (
    PHANTOM,
    phantom_zip,
    scene_nodes,
    wait_until,
)
from MIMIRLib.slicer_tests.reader_processes import LISTS_PROCESSES, Harm

#: Limit for a study that hangs (seconds); ample for the others.
TIMEOUT_S = 10.0
#: Longest time from Cancel to the end (seconds).
CANCEL_S = 2.0
#: A study is read among others, then once more alone.
TRIES = 2


@unittest.skipUnless(LISTS_PROCESSES, "this system does not list processes in /proc")
class ReaderTest(PanelCase):
    """Signals stand for damaged files: one that kills a reader, one that stops it as if it hung."""

    def setUp(self) -> None:
        """Create a folder for studies."""
        super().setUp()
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.logic = self.module.logic

    def test_a_study_that_ends_its_reader_is_reported_and_the_others_are_measured(self) -> None:
        """It is tried twice."""
        harm = self.harm("crash", signal.SIGKILL)
        paths = [self.archive("crash"), self.archive("good")]
        good, crashed = self.logic.analyzeFiles(paths, volumes=False, **PHANTOM)
        assert (good.key, len(good.measurements)) == ("good", 11)
        assert (crashed.key, crashed.code) == ("crash", "STUDY_CRASHED")
        assert len(harm.victims) == TRIES
        assert harm.survivors == []

    def test_a_study_that_hangs_ends_after_the_timeout(self) -> None:
        """The option of the console reaches the reader."""
        harm = self.harm("hang", signal.SIGSTOP)
        before = scene_nodes()
        with self.assertRaisesRegex(Exception, "^STUDY_TIMEOUT: .* longer than 2 s"):  # noqa: PT027
            self.logic.analyzeFiles(self.archive("hang"), timeout=2, **PHANTOM)
        assert len(harm.victims) == TRIES
        assert harm.survivors == []
        assert scene_nodes() == before

    def test_a_scan_goes_on_with_the_next_study(self) -> None:
        """The other one is readable."""
        harm = self.harm("crash", signal.SIGKILL)
        crashed, good = self.logic.scanFiles([self.archive("crash"), self.archive("good")])
        assert (crashed.key, crashed.code) == ("crash", "STUDY_CRASHED")
        assert (good.key, good.is_readable, len(good.stations)) == ("good", True, 6)
        assert harm.survivors == []

    def test_the_panel_lists_both_and_shows_the_others(self) -> None:
        """Codes and reasons are in the list; the ticked study is measured."""
        harms = self.harm("crash", signal.SIGKILL), self.harm("hang", signal.SIGSTOP)
        self.measure_also("crash", "hang")
        self.measure()
        assert self.nodes().water is not None
        summary = "1 study measured; 2 could not be measured. The reasons are listed below."
        assert self.ui.statusLabel.text == summary, self.ui.statusLabel.text
        crashed, hung = self.ui.failuresText.plainText.split("\n\n")
        assert crashed.startswith("crash: STUDY_CRASHED: "), crashed
        assert "ended unexpectedly (SIGKILL)" in crashed
        assert hung.startswith("hang: STUDY_TIMEOUT: "), hung
        assert "longer than 10 s" in hung
        for harm in harms:
            assert len(harm.victims) == TRIES
            assert harm.survivors == []

    def test_cancel_ends_a_reader_that_hangs(self) -> None:
        """No process is left, and the panel can be used at once."""
        harm = self.harm("hang", signal.SIGSTOP)
        self.measure_also("hang")
        before = scene_nodes()
        self.tick()
        self.ui.applyButton.click()
        wait_until(lambda: harm.victims)
        pressed = time.monotonic()
        self.ui.cancelButton.click()
        assert time.monotonic() - pressed < CANCEL_S
        assert self.ui.statusLabel.text == "Cancelled. The scene is unchanged."
        assert self.ui.applyButton.enabled
        assert scene_nodes() == before
        wait_until(lambda: not harm.survivors, CANCEL_S)

    def archive(self, name: str) -> Path:
        """Return the archive of a study: the phantom's."""
        path = self.folder / f"{name}.zip"
        if not path.exists():
            shutil.copyfile(phantom_zip(), path)
        return path

    def harm(self, name: str, signal_number: int) -> Harm:
        """Send a signal to each reader of a study until the test ends."""
        harm = Harm(self.archive(name), signal_number, slicer_python())
        self.addCleanup(harm.stop)
        return harm

    def measure_also(self, *names: str) -> None:
        """Let the panel measure archives together with the ticked study."""
        archives = tuple(StudyRequest(name, path=str(self.archive(name))) for name in names)
        usual = SlicerServices.measure_job

        def measure_job(
            services: SlicerServices,
            request: AnalysisRequest,
            studies: Sequence[Chosen],
            segmentation: Optional[Any],
        ) -> MeasureJob:
            request = replace(request, studies=archives, timeout_s=TIMEOUT_S)
            return usual(services, request, studies, segmentation)

        patched = patch.object(SlicerServices, "measure_job", measure_job)
        patched.start()
        self.addCleanup(patched.stop)
