"""Tell whether a study was measured with the same files, inference modules and options.

A hash stands for all that a study's numbers depend on. The study's table of measurements carries
it, so that it is saved with the scene and gone with the table.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import fields
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Optional

from MIMIRLib.analysis.request import AnalysisRequest, StudyRequest
from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.scene.kept_result import kept_result
from MIMIRLib.scene.results import find_results

#: Attribute of a table of measurements.
CONDITIONS_MARK = "MIMIR.Conditions"
#: Options that change no number.
NO_NUMBERS = frozenset({"studies", "volumes", "repeat", "timeout_s"})
#: Packages whose version may change a number.
PACKAGES = ("numpy", "pydicom", "torch", "torchvision", "onnxruntime")


def settings_of(request: AnalysisRequest) -> str:
    """Return a hash of the engine, the inference modules and the options of a run.

    It is empty if an inference module cannot be read: then nothing counts as measured.
    """
    engine = import_engine()
    from mimir_engine.inference_module import find_modules, module_sha256

    try:
        modules = [module_sha256(module) for module in find_modules(request.modules)]
    except engine.MimirError:
        return ""
    names = (field.name for field in fields(request) if field.name not in NO_NUMBERS)
    options = {name: getattr(request, name) for name in names}
    return _hash([engine.__version__, _versions(), modules, options])


def conditions_of(study: StudyRequest, settings: str) -> str:
    """Return a hash of a study's files and of the settings; empty if the settings are.

    A study that was made of nodes has none: it is always measured.
    The files' bytes are not read: their names, sizes and times count.
    """
    from mimir_engine.cohort.fingerprint import fingerprint

    if not settings or study.is_of_scene:
        return ""
    files = fingerprint(study.files or study.path)
    return _hash([settings, study.name, files.place, files.content])


def note_conditions(table: Optional[Any], conditions: str) -> None:
    """Write on a table of measurements under which conditions they were made."""
    if table is not None:
        table.SetAttribute(CONDITIONS_MARK, conditions or None)


def is_measured(scene: Any, study: StudyRequest, conditions: str, volumes: bool) -> bool:
    """Return whether the scene has all of a study's results under these conditions.

    Args:
        scene: The scene.
        study: The study.
        conditions: Those of a run.
        volumes: The fused volumes are asked for, too.
    """
    nodes = find_results(scene, study.name)
    if not conditions or nodes is None or nodes.table is None:
        return False
    shown = (nodes.water, nodes.fat, nodes.fraction, nodes.regions) if volumes else ()
    is_same = nodes.table.GetAttribute(CONDITIONS_MARK) == conditions
    return is_same and None not in shown and kept_result(nodes.table) is not None


def _versions() -> dict[str, str]:
    versions = {}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    return versions


def _hash(value: Any) -> str:
    return sha256(json.dumps(value, sort_keys=True).encode("ascii")).hexdigest()
