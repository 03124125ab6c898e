"""The console gives the same numbers as the command line, to the last digit."""

from __future__ import annotations

import csv
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import slicer

from MIMIRLib.engine.import_engine import engine_folder
from MIMIRLib.engine.process import slicer_python
from MIMIRLib.slicer_tests.phantom_database import (
    PHANTOM,
    SceneTest,
    phantom_entry,
    phantom_zip,
    scene_nodes,
)


class ConsoleTest(SceneTest):
    """Call ``MIMIRLogic`` as in the README."""

    def setUp(self) -> None:
        """Create the logic."""
        super().setUp()
        from MIMIR import MIMIRLogic

        self.logic = MIMIRLogic()

    def test_a_study_of_the_database_has_the_command_lines_numbers(self) -> None:
        """The console reads the database's files, ``mimir infer`` the archive."""
        fractions: list[float] = []
        result = self.logic.analyzeStudy(
            phantom_entry().study_uid,
            volumes=False,
            progress=lambda progress: fractions.append(progress.fraction),
            **PHANTOM,
        )
        assert numbers(result) == command_line_numbers(phantom_zip())
        assert result.nodes.table.GetNumberOfRows() == len(result.measurements + result.direct)
        assert result.nodes.water is None
        assert fractions

    def test_direct_measurements_have_the_command_lines_numbers(self) -> None:
        """They need no inference module."""
        result = self.logic.measureStudy(phantom_entry().study_uid, volumes=False)
        shown = {f"direct_{q.name}_in_{q.unit}": q.value for q in result.direct}
        found = {name: "" if value is None else repr(value) for name, value in shown.items()}
        assert found == command_line_numbers(phantom_zip(), "measure")
        assert result.measurements == ()
        assert result.nodes.table.GetNumberOfRows() == len(result.direct)

    def test_a_check_finds_nothing_in_the_phantom(self) -> None:
        """Headers and images are read; nothing is measured."""
        before = scene_nodes()
        check = self.logic.checkStudy(phantom_entry().study_uid)
        assert (check.is_readable, check.is_checked) == (True, True)
        assert (len(check.stations), check.findings, check.picture) == (6, (), b"")
        assert scene_nodes() == before

    def test_files_have_the_command_lines_numbers(self) -> None:
        """The study has the name of the command line, too."""
        (result,) = self.logic.analyzeFiles(phantom_zip(), volumes=False, **PHANTOM)
        assert result.key == phantom_zip().stem
        assert numbers(result) == command_line_numbers(phantom_zip())

    def test_several_files_are_one_study(self) -> None:
        """Files of one series are an incomplete study."""
        files = slicer.dicomDatabase.filesForSeries(phantom_entry().series_uids[0])
        with self.assertRaisesRegex(Exception, r"^[A-Z_]+: .*\."):  # noqa: PT027
            self.logic.analyzeFiles(list(files), **PHANTOM)

    def test_fused_volumes_are_measured_again(self) -> None:
        """The values agree within rounding, and the volumes stay."""
        first = self.logic.analyzeStudy(phantom_entry().study_uid, **PHANTOM)
        again = self.logic.analyzeVolumes(first.nodes.water, first.nodes.fat, **PHANTOM)
        for one, other in zip(first.measurements, again.measurements):
            assert abs(other.value - one.value) < one.sd / 50
        assert again.nodes.water is first.nodes.water

    def test_one_run_at_a_time(self) -> None:
        """A second run that starts during the first one is refused."""
        refused: list[str] = []

        def try_another(_progress: Any) -> None:
            if not refused:
                refused.append("")
                try:
                    self.logic.analyzeFiles(phantom_zip(), **PHANTOM)
                except Exception as error:
                    refused.append(str(error))

        self.logic.analyzeFiles(phantom_zip(), volumes=False, progress=try_another, **PHANTOM)
        assert refused[1].startswith("RUN_GOES_ON: ")

    def test_a_scan_lists_what_studies_contain(self) -> None:
        """Nothing is measured; a study that would be refused has a reason."""
        before = scene_nodes()
        scan = self.logic.scanStudy(phantom_entry().study_uid)
        assert (scan.is_readable, len(scan.stations), scan.findings) == (True, 6, ())
        assert scan.stations[0]["slices"]["water"] == 64
        first_series = slicer.dicomDatabase.filesForSeries(phantom_entry().series_uids[3])
        (refused,) = self.logic.scanFiles(list(first_series))
        assert (refused.is_readable, refused.code) == (False, "CONTRAST_MISSING")
        assert refused.reason
        assert scene_nodes() == before

    def test_several_studies_have_one_result_each(self) -> None:
        """A study that cannot be measured has a reason."""
        with tempfile.TemporaryDirectory() as folder:
            bad = Path(folder) / "bad.zip"
            bad.write_bytes(b"no archive")
            results = self.logic.analyzeFiles([phantom_zip(), bad], volumes=False, **PHANTOM)
        assert [bool(result.measurements) for result in results] == [True, False]
        assert results[1].code == "NOT_A_ZIP"
        assert results[1].reason

    def test_without_a_study_an_error_is_raised_and_the_scene_is_unchanged(self) -> None:
        """The UID is mistyped."""
        before = scene_nodes()
        with self.assertRaisesRegex(Exception, "^STUDY_UNKNOWN: .*1.2.3"):  # noqa: PT027
            self.logic.analyzeStudy("1.2.3", **PHANTOM)
        assert scene_nodes() == before


def numbers(result: Any) -> dict[str, str]:
    """Return measurements as ``predictions.csv`` writes them."""
    found = {}
    for m in result.measurements:
        in_unit, percent = f"_in_{m.unit}" if m.unit else "", f"{100 * m.level:g}"
        if m.kind == "class":
            found[f"{m.name}_male_score"] = repr(m.value)
        else:
            found[f"{m.name}_mean{in_unit}"] = repr(m.value)
            found[f"{m.name}_sd{in_unit}"] = repr(m.sd)
            found[f"{m.name}_lower{percent}"] = repr(m.lower)
            found[f"{m.name}_upper{percent}"] = repr(m.upper)
    return found


def command_line_numbers(archive: Path, command: str = "infer") -> dict[str, str]:
    """Return the same from ``mimir infer`` or ``measure``, run with Slicer's Python."""
    table, prefix, options = "measurements.csv", "direct_", []
    if command == "infer":
        table, prefix, options = "predictions.csv", "phantom_", ["--modules", "phantom"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [
                *(slicer_python(), "-m", "mimir_engine", command, str(archive)),
                *(*options, "--output", folder),
            ],
            cwd=engine_folder(),
            check=True,
            capture_output=True,
        )
        with open(Path(folder) / table, encoding="utf-8", newline="") as file:
            (row,) = csv.DictReader(file)
    return {name: row[name] for name in row if name.startswith(prefix)}
