"""Bad input gives an error message and leaves the scene unchanged."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, Callable

import slicer

from MIMIRLib.engine import inference_modules
from MIMIRLib.slicer_tests.phantom_database import (
    PHANTOM,
    SceneTest,
    phantom_entry,
    phantom_zip,
    scene_nodes,
)

#: Series of one station.
CONTRASTS = 4


class BadInputTest(SceneTest):
    """Each test gives the console something that cannot be measured."""

    def setUp(self) -> None:
        """Create the logic and a folder."""
        super().setUp()
        from MIMIR import MIMIRLogic

        self.logic = MIMIRLogic()
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.before = scene_nodes()

    def tearDown(self) -> None:
        """Check that the scene is unchanged."""
        super().tearDown()
        assert scene_nodes() == self.before

    def test_an_incomplete_study(self) -> None:
        """A station in the middle is missing."""
        series = [
            slicer.dicomDatabase.filesForSeries(uid)
            for number, uid in enumerate(phantom_entry().series_uids)
            if number // CONTRASTS != 2
        ]
        files = [path for paths in series for path in paths]
        self.assert_refused("^STATION_GAP: ", lambda: self.logic.analyzeFiles(files, **PHANTOM))

    def test_a_file_that_only_looks_like_an_archive(self) -> None:
        """The file has the name of an archive only."""
        (self.folder / "study.zip").write_bytes(b"no archive")
        self.assert_refused(
            "^NOT_A_ZIP: ", lambda: self.logic.analyzeFiles(self.folder / "study.zip", **PHANTOM)
        )

    def test_a_folder_without_images(self) -> None:
        """The folder is empty."""
        self.assert_refused("^[A-Z_]+: ", lambda: self.logic.analyzeFiles(self.folder, **PHANTOM))

    def test_a_file_that_is_gone(self) -> None:
        """The database still lists it."""
        entry = phantom_entry()
        path = Path(slicer.dicomDatabase.filesForSeries(entry.series_uids[0])[0])
        moved = path.with_suffix(".moved")
        path.rename(moved)
        try:
            self.assert_refused(
                "^FILES_GONE: .* 1 of them were not found",
                lambda: self.logic.analyzeStudy(entry.study_uid, **PHANTOM),
            )
        finally:
            moved.rename(path)

    def test_an_inference_module_that_was_changed(self) -> None:
        """Its weights differ from their hash."""
        (row,) = [row for row in inference_modules.list_rows() if row.name == "phantom"]
        changed = self.folder / "changed"
        shutil.copytree(row.folder, changed)
        (weights,) = changed.glob("weights*.safetensors")
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(content)
        self.assert_refused(
            "^MODULE_DAMAGED: ",
            lambda: self.logic.analyzeFiles(phantom_zip(), modules=str(changed)),
        )

    def test_a_missing_inference_module(self) -> None:
        """The name is mistyped."""
        self.assert_refused(
            "^MODULE_NOT_FOUND: .*nowhere",
            lambda: self.logic.analyzeFiles(phantom_zip(), modules="nowhere"),
        )

    def test_a_level_that_makes_no_interval(self) -> None:
        """The level is out of range."""
        self.assert_refused(
            "^LEVEL_INVALID: ", lambda: self.logic.analyzeFiles(phantom_zip(), level=1.5, **PHANTOM)
        )

    def test_a_device_that_this_computer_lacks(self) -> None:
        """The name of the device is unknown."""
        self.assert_refused(
            "^[A-Z_]+: ", lambda: self.logic.analyzeFiles(phantom_zip(), device="none", **PHANTOM)
        )

    def test_volumes_without_voxels(self) -> None:
        """They were never loaded."""
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "any")
        try:
            self.assert_refused(
                "^VOLUME_EMPTY: .*'any' has no voxels",
                lambda: self.logic.analyzeVolumes(node, node, **PHANTOM),
            )
        finally:
            slicer.mrmlScene.RemoveNode(node)

    def assert_refused(self, pattern: str, action: Callable[[], Any]) -> None:
        """Check that an action raises an error with this text."""
        self.assertRaisesRegex(Exception, pattern, action)  # noqa: PT027
