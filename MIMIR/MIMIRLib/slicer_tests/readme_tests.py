"""The README's lines for Slicer's console run unchanged."""

from __future__ import annotations

import re
import unittest
from pathlib import Path
from typing import Any

from MIMIRLib.slicer_tests.phantom_database import SceneTest, phantom_zip

README = Path(__file__).resolve().parents[3] / "README.md"
#: The README's name for somebody's archive.
ARCHIVE = "/data/1000001_20201_2_0.zip"


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
