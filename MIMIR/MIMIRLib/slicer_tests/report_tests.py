"""Write a report from the panel and from the console."""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest import mock

from MIMIRLib.scene.file_stem import file_stem
from MIMIRLib.slicer_tests.panel_tests import PanelCase
from MIMIRLib.slicer_tests.phantom_database import phantom_entry


class ReportTest(PanelCase):
    """Measure the phantom, then write its report."""

    def test_panel_and_console_write_the_same_report(self) -> None:
        """The suggested file is named after the study; the page has its numbers."""
        from MIMIR import MIMIRLogic

        self.measure()
        with tempfile.TemporaryDirectory() as folder:
            suggested: list[str] = []

            def ask(name: str) -> str:
                suggested.append(name)
                return str(Path(folder) / "panel.html")

            with mock.patch("MIMIRLib.panel.results_section.ask_report", ask):
                self.ui.reportButton.click()
            assert self.ui.statusLabel.text == "Report written to panel.html."
            MIMIRLogic().writeReport(phantom_entry().study_uid, Path(folder) / "console.html")
            panel, console = (
                (Path(folder) / f"{name}.html").read_text("utf-8") for name in ("panel", "console")
            )
        assert panel == console
        assert suggested == [f"{file_stem(self.nodes().label)}.html"], suggested
        for text in ("Research use only", "VAT", "Fat fraction", "Measured directly"):
            assert text in panel
