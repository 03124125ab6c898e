"""What is to be analysed: studies, inference modules, options."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from MIMIRLib.scene.hierarchy import Subject

BYTES_WITH_VOLUMES = 190_000_000
"""Room on disk for one study's results: three volumes of some 370 x 174 x 224 float32 (UK Biobank's
protocol), and some to spare."""
BYTES_WITHOUT_VOLUMES = 1_000_000


@dataclass(frozen=True)
class StudyRequest:
    """One study, by its DICOM files, by a path, or by volumes that were fused before.

    Attributes:
        key: Its study UID or file name; never the patient's name.
        files: Its DICOM files; or
        path: a zip archive or a folder; or
        fused: a folder that the engine's ``write_fused`` made. One of the three is given.
        subject: Where its results belong in Slicer's subject hierarchy; the engine isn't told.
    """

    key: str
    files: tuple[str, ...] = ()
    path: str = ""
    fused: str = ""
    subject: Subject = field(default_factory=Subject)

    def __post_init__(self) -> None:
        if sum(map(bool, (self.files, self.path, self.fused))) != 1:
            raise ValueError("give a study's files, its path or its fused volumes: one of them")
        if not self.key:
            raise ValueError("give the study a key")

    @property
    def name(self) -> str:
        """What the engine calls it: the key, with ``_`` for what can't stand in a line of text."""
        return "".join(c if c.isprintable() else "_" for c in self.key)

    def source(self) -> dict[str, Any]:
        """The study as the engine reads it; all paths absolute, since it works elsewhere."""
        if self.files:
            return {"name": self.name, "files": [os.path.abspath(file) for file in self.files]}
        if self.path:
            return {"name": self.name, "path": os.path.abspath(self.path)}
        return {"name": self.name, "fused": os.path.abspath(self.fused)}


@dataclass(frozen=True)
class AnalysisRequest:
    """Studies to measure, and how.

    Attributes:
        studies: At least one, of different keys.
        modules: Names or folders of inference modules; at least one.
        level: Share of the intervals that hold the true value, 0.5 to 0.999.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        allow_unvalidated: Measure also studies that a module was not validated on, and flag them.
        volumes: Keep fused water and fat, to be shown.
    """

    studies: tuple[StudyRequest, ...]
    modules: tuple[str, ...]
    level: float = 0.95
    device: str = "auto"
    allow_unvalidated: bool = False
    volumes: bool = True

    def problem(self) -> str:
        """Why it can't be run, as ``CODE: what is wrong. What to do.``; empty where it can."""
        if not self.studies:
            return "NO_STUDIES: no study is chosen. Choose at least one study."
        if not self.modules:
            return "NO_MODULES: no inference module is chosen. Choose at least one of the list."
        name, count = Counter(study.name for study in self.studies).most_common(1)[0]
        if count > 1:
            return (
                f"NAME_REPEATED: {count} of the studies are called '{name}'."
                " Analyse them one after the other, or rename the files."
            )
        return ""

    def bytes_needed(self) -> int:
        """Room that the results take on disk until they are shown."""
        each = BYTES_WITH_VOLUMES if self.volumes else BYTES_WITHOUT_VOLUMES
        return each * len(self.studies)

    def arguments(self, output: Path, details: Path) -> list[str]:
        """The engine's command line.

        Args:
            output: Folder of the result files.
            details: Folder of what is shown of each study.
        """
        return [
            "infer",
            "--sources=-",
            "--events",
            f"--modules={','.join(map(_place_independent, self.modules))}",
            f"--output={output}",
            f"--details={details}",
            f"--level={float(self.level)!r}",
            f"--device={self.device}",
            *(["--allow-unvalidated"] if self.allow_unvalidated else []),
            *([] if self.volumes else ["--no-volumes"]),
        ]

    def source_lines(self) -> bytes:
        """The studies as the engine's input: ASCII JSON lines and an empty one."""
        lines = [json.dumps(study.source()) for study in self.studies]
        return "".join(f"{line}\n" for line in [*lines, ""]).encode("ascii")


def _place_independent(module: str) -> str:
    """An inference module's name as it is, its folder as an absolute path."""
    is_path = module.startswith((".", "~")) or any(s in module for s in (os.sep, os.altsep) if s)
    return os.path.abspath(os.path.expanduser(module)) if is_path else module
