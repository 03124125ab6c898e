"""Describe what to measure: studies, inference modules, options."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.errors import mimir_error
from MIMIRLib.interval_level import DEFAULT_LEVEL
from MIMIRLib.scene.subject import Subject
from MIMIRLib.translate import tr as _

#: Disk space for one study's results (bytes): three volumes of some 370 x 174 x 224 float32 (UK
#: Biobank's protocol) and one of uint8, and some to spare; and for what is kept until the run ends.
BYTES_WITH_VOLUMES = 200_000_000
BYTES_WITHOUT_VOLUMES = 1_000_000


@dataclass(frozen=True)
class StudyRequest:
    """One study, given by its DICOM files, by a path, or by volumes.

    Attributes:
        key: Its study UID or file name; never the patient's name.
        files: Its DICOM files; or
        path: a zip archive or a folder; or
        fused: a folder that the engine's ``write_fused`` made; or
        volumes: contrast and file of each of its stitched volumes, at least ``water`` and ``fat``.
            Exactly one of the four is given.
        labels: File of its label map; empty if there is none.
        label_names: Table with the names of its labels; empty for those that the map itself has.
        nodes: Contrast and node ID of each volume of the scene that it was made of; not passed to
            the engine.
        subject: Where its results belong in Slicer's subject hierarchy; not passed to the engine.
    """

    key: str
    files: tuple[str, ...] = ()
    path: str = ""
    fused: str = ""
    volumes: tuple[tuple[str, str], ...] = ()
    labels: str = ""
    label_names: str = ""
    nodes: tuple[tuple[str, str], ...] = ()
    subject: Subject = field(default_factory=Subject)

    def __post_init__(self) -> None:
        if sum(map(bool, (self.files, self.path, self.fused, self.volumes))) != 1:
            raise ValueError("give a study's files, its path or its volumes: one of them")
        if not self.key:
            raise ValueError("give the study a key")

    @property
    def name(self) -> str:
        """The study's name in the engine: the key, with ``_`` for unprintable characters."""
        return "".join(c if c.isprintable() else "_" for c in self.key)

    @property
    def is_of_scene(self) -> bool:
        """True if it was made of nodes of the scene, which may change at any time."""
        return bool(self.fused or self.volumes or self.labels)

    def source(self) -> dict[str, Any]:
        """Return the study as the engine reads it, with absolute paths."""
        labels = {"labels": os.path.abspath(self.labels)} if self.labels else {}
        return {"name": self.name, **self._place(), **labels}

    def _place(self) -> dict[str, Any]:
        if self.files:
            return {"files": [os.path.abspath(file) for file in self.files]}
        if self.volumes:
            return {contrast: os.path.abspath(file) for contrast, file in self.volumes}
        kind = "path" if self.path else "fused"
        return {kind: os.path.abspath(self.path or self.fused)}


@dataclass(frozen=True)
class AnalysisRequest:
    """Studies to measure, inference modules and options.

    Attributes:
        studies: At least one, each with another key.
        modules: Names or folders of inference modules; without any, the studies are only measured
            directly, without a network.
        level: Share of the intervals that contain the true value, 0.5 to 0.999.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        allow_unvalidated: Also measure studies outside a module's validated range, and flag them.
        volumes: Keep fused water and fat, to be shown.
        timeout_s: Time for reading one study, on the clock; None for the engine's default.
        swap_repair: Exchange water and fat back where they are certain to be exchanged, and flag
            it; otherwise such a study is refused.
        runtime: What runs the networks: ``auto``, ``onnx`` or ``torch``.
        repeat: Measure also studies whose results under the same conditions are in the scene.
    """

    studies: tuple[StudyRequest, ...]
    modules: tuple[str, ...]
    level: float = DEFAULT_LEVEL
    device: str = "auto"
    allow_unvalidated: bool = False
    volumes: bool = True
    timeout_s: Optional[float] = None
    swap_repair: bool = False
    runtime: str = "auto"
    repeat: bool = True

    def check(self) -> None:
        """Check what the engine cannot report per study.

        Raises:
            MimirError: ``NO_STUDIES``, ``NAME_REPEATED``, ``SEGMENTATION_OF_SEVERAL``.
        """
        if not self.studies:
            raise mimir_error(
                "NO_STUDIES", _("no study is chosen"), _("Choose at least one study.")
            )
        name, count = Counter(study.name for study in self.studies).most_common(1)[0]
        if count > 1:
            raise mimir_error(
                "NAME_REPEATED",
                _("{count} of the studies are called '{name}'").format(count=count, name=name),
                _("Measure them one after the other, or rename the files."),
            )
        if len(self.studies) > 1 and any(study.labels for study in self.studies):
            raise mimir_error(
                "SEGMENTATION_OF_SEVERAL",
                _(
                    "a segmentation belongs to one study, but {count} studies are to be measured"
                ).format(count=len(self.studies)),
                _("Measure one study with the segmentation."),
            )

    def bytes_needed(self, count: int) -> int:
        """Return the disk space for the results of some studies: volumes only until shown."""
        import_engine()
        from mimir_engine.cohort.measure_studies import MAX_BATCH
        from mimir_engine.readers.available_cores import default_jobs

        at_once = min(count, default_jobs() + 2 * MAX_BATCH) if self.volumes else 0
        return count * BYTES_WITHOUT_VOLUMES + at_once * BYTES_WITH_VOLUMES

    def arguments(self, output: Path, details: Path) -> list[str]:
        """Return the engine's command line.

        Args:
            output: Folder of the result files.
            details: Folder of the study folders: results and images to show.
        """
        return [
            *(self._with_networks() if self.modules else ["measure"]),
            "--sources=-",
            "--events",
            f"--output={output}",
            f"--details={details}",
            *(["--swap-repair"] if self.swap_repair else []),
            *(f"--names={study.label_names}" for study in self.studies if study.label_names),
            "--no-images",  # the study folders hold them
            *([] if self.volumes else ["--no-volumes"]),
            *([] if self.timeout_s is None else [f"--timeout={self.timeout_s}"]),
        ]

    def _with_networks(self) -> list[str]:
        return [
            "infer",
            f"--modules={','.join(map(_absolute_if_path, self.modules))}",
            f"--level={float(self.level)!r}",
            f"--device={self.device}",
            f"--runtime={self.runtime}",
            *(["--allow-unvalidated"] if self.allow_unvalidated else []),
        ]

    def source_lines(self) -> bytes:
        """Return the studies as the engine's input."""
        return source_lines(self.studies)


def source_lines(studies: Iterable[StudyRequest]) -> bytes:
    """Return studies as the engine's input: ASCII JSON lines and an empty one."""
    lines = [json.dumps(study.source()) for study in studies]
    return "".join(f"{line}\n" for line in [*lines, ""]).encode("ascii")


def _absolute_if_path(module: str) -> str:
    """Return a module's name unchanged, a module's folder as an absolute path."""
    is_path = module.startswith((".", "~")) or any(s in module for s in (os.sep, os.altsep) if s)
    return os.path.abspath(os.path.expanduser(module)) if is_path else module
