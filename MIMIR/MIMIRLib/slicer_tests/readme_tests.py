"""The documentation's lines for Slicer's console run unchanged."""

from __future__ import annotations

import re
import tempfile
import unittest
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import slicer

from MIMIRLib.slicer_tests.phantom_database import SceneTest, phantom_zip
from MIMIRLib.slicer_tests.scene_source_tests import LIVER, fused_by_engine, organs

ROOT = Path(__file__).resolve().parents[3]
README, VOLUMES_PAGE = ROOT / "README.md", ROOT / "docs" / "volumes.md"
#: The README's name for somebody's archive.
ARCHIVE = "/data/1000001_20201_2_0.zip"
#: The name that the page on volumes has for somebody's folder.
FOLDER = "/data/example"


@unittest.skipUnless(README.is_file(), "an installed extension has no README")
class ReadmeTest(SceneTest):
    """Run the lines that people copy."""

    def test_the_console_lines_run(self) -> None:
        """The phantom is measured in three ways."""
        (lines,) = re.findall(r"```python\n(import MIMIR\n.*?)```", README.read_text("utf-8"), re.S)
        assert ARCHIVE in lines
        names: dict[str, Any] = {}
        exec(lines.replace(ARCHIVE, phantom_zip().as_posix()), names)
        by_study, by_archive, by_volumes = names["result"], names["results"][0], names["again"]
        assert [m.value for m in by_archive.measurements] == [
            m.value for m in by_study.measurements
        ]
        assert len(by_volumes.measurements) == len(by_study.measurements) == 11

    @unittest.skipUnless(find_spec("nibabel"), "NIfTI files are written with nibabel")
    def test_labels_of_a_stitched_volume_are_measured(self) -> None:
        """The page on volumes: files become nodes, and each label has its volume."""
        fused = fused_by_engine()
        from mimir_engine.fusion.volume_files.image_file import write_image
        from mimir_engine.study.volume import Volume

        labels = Volume(organs(fused.water.array, fused.fat.array), fused.water.affine)
        (lines,) = re.findall(r"```py\n(.*?)```", VOLUMES_PAGE.read_text("utf-8"), re.S)
        files = re.findall(r'\{folder\}/([^"]+)"', lines)
        names: dict[str, Any] = {"slicer": slicer}  # as in the console
        with tempfile.TemporaryDirectory() as folder:
            for file, volume in zip(files, (fused.water, fused.fat, labels)):
                write_image(Path(folder, file), volume)
            exec(lines.replace(FOLDER, Path(folder).as_posix()), names)
        liver, thigh = names["result"].labels
        litres = (labels.array == LIVER).sum() * 2.23214293**2 * 3 / 1e6
        assert abs(liver.volume_l - litres) < 1e-3 * litres
        assert thigh.volume_l > 0
