"""The inference modules of this computer, in plain words; adding, removing, verifying them."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Optional

from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.engine.process import EngineProcess

if TYPE_CHECKING:
    from mimir_engine.inference_module import Accepts, InferenceModule

WAIT_S = 0.05


@dataclass(frozen=True)
class InferenceModuleRow:
    """One inference module as the panel lists it.

    Attributes:
        name: What a request calls it: the name of its folder.
        title: One line for people.
        version: The module's own.
        measures: How many measurements, and which, with units.
        valid_for: Which studies it was validated on.
        provenance: What it is, where it comes from, its licence.
        demonstration: It says nothing about people.
        location: Its folder.
        is_own: It is one that the user has added, and may be removed.
        problem: Why it can't be used, as ``CODE: what is wrong. What to do.``; then all texts but
            name and location are empty.
    """

    name: str
    title: str = ""
    version: str = ""
    measures: str = ""
    valid_for: str = ""
    provenance: str = ""
    demonstration: bool = False
    location: str = ""
    is_own: bool = False
    problem: str = ""


def list_rows() -> tuple[InferenceModuleRow, ...]:
    """All inference modules that can be found, damaged ones included, in order of look-up."""
    return tuple(_row(folder) for folder in _folders().values())


def verify(name: str) -> None:
    """Compare a module's files with the hashes that were written with it.

    Raises:
        MimirError: ``MODULE_NOT_FOUND``, ``MODULE_INVALID``, ``MODULE_FILE_MISSING``,
            ``MODULE_DAMAGED``.
    """
    import_engine()
    from mimir_engine.inference_module import find_module, verify_module

    verify_module(find_module(name))


def remove(name: str) -> None:
    """Remove one of the modules that the user has added.

    Raises:
        MimirError: ``MODULE_NOT_FOUND``, ``MODULE_NOT_OWN``, ``OUTPUT_UNWRITABLE``.
    """
    engine = import_engine()
    folder = _folders().get(name)
    if folder is None:
        raise engine.MimirError("MODULE_NOT_FOUND", f"there is no inference module {name!r}")
    if not _is_own(folder):
        raise engine.MimirError(
            "MODULE_NOT_OWN",
            f"the inference module {name} was not added by you; it lies in '{folder}'",
            "Whoever put it there can remove it.",
        )
    try:
        if folder.is_symlink():
            folder.unlink()
        else:
            shutil.rmtree(folder)
    except OSError as error:
        raise engine.MimirError(
            "OUTPUT_UNWRITABLE",
            f"the inference module {name} can't be removed from '{folder}' ({error.strerror})",
            "End what uses it, then try again.",
        ) from error


class ModuleAddition:
    """A module being added to the user's own: copied, checked, and converted if need be.

    The engine does it in its own process: the published layout needs torch, and a copy may be
    large.

    >>> addition = ModuleAddition("module_bodycomp.zip")
    >>> addition.start()
    >>> while addition.is_running:  # from a timer, in Slicer
    ...     pass
    >>> addition.error or addition.message

    Args:
        source: A folder or a zip archive.
        name: What to call a module of the published layout; by default it follows from the source.
    """

    def __init__(self, source: str, name: str = "") -> None:
        source = str(Path(source).expanduser().absolute())
        named = [f"--name={name}"] if name else []
        self._process = EngineProcess(["modules", "add", *named, source])
        self._lines: list[str] = []

    def start(self) -> None:
        """Start it.

        Raises:
            OSError: Where Python can't be started.
            EngineUnavailable: ``ENGINE_MISSING``.
        """
        self._process.start()

    @property
    def is_running(self) -> bool:
        """Whether it still goes on."""
        return self._process.is_running

    @property
    def error(self) -> str:
        """Why nothing was added, as ``CODE: what is wrong. What to do.``; empty if it was."""
        if self._process.exit_code in (None, 0):
            return ""
        return self._process.error or (
            "ENGINE_DIED: the engine ended unexpectedly, nothing was added. Memory may have run"
            " out: close other programs, try again."
        )

    @property
    def message(self) -> str:
        """What was added, in a line."""
        self._lines += self._process.log_lines()
        return "" if self.error else "".join(self._lines[-1:])

    def cancel(self) -> None:
        """End it at once; nothing is added."""
        self._process.cancel()


def add(source: str, name: str = "", idle: Optional[Callable[[], Any]] = None) -> str:
    """Add an inference module to the user's own, and wait for it.

    Args:
        source: A folder or a zip archive, of the engine's own format or of the published layout.
        name: What to call a module of the published layout.
        idle: Called every now and then, e.g. ``slicer.app.processEvents``.

    Returns:
        What was added, in a line.

    Raises:
        MimirError: Whatever is wrong with the source.
        OSError: Where Python can't be started.
    """
    engine = import_engine()
    addition = ModuleAddition(source, name)
    addition.start()
    try:
        while addition.is_running:
            time.sleep(WAIT_S)
            if idle is not None:
                idle()
    finally:
        addition.cancel()
    if addition.error:
        code, _, reason = addition.error.partition(": ")
        raise engine.MimirError(code, reason.rstrip("."))
    return addition.message


def _folders() -> dict[str, Path]:
    """Name to folder, in the engine's order."""
    import_engine()
    from mimir_engine.inference_module import module_folders

    return {folder.name: folder for folder in module_folders()}


def _is_own(folder: Path) -> bool:
    from mimir_engine.inference_module.search_path import locate

    return folder.parent == locate().user_modules


def _row(folder: Path) -> InferenceModuleRow:
    from mimir_engine.errors import MimirError
    from mimir_engine.inference_module import load_module

    place: dict[str, Any] = {
        "name": folder.name,
        "location": str(folder),
        "is_own": _is_own(folder),
    }
    try:
        module = load_module(folder)
    except MimirError as error:
        return InferenceModuleRow(**place, problem=str(error))
    return InferenceModuleRow(
        **place,
        title=module.title,
        version=module.version,
        measures=_measures(module),
        valid_for=_valid_for(module.accepts),
        provenance=_provenance(module),
        demonstration=module.demonstration,
    )


def _measures(module: InferenceModule) -> str:
    """``2 measurements: liver volume (L), sex``."""
    from mimir_engine.measuring.display_text import words

    units = [f" ({target.unit})" if target.unit else "" for target in module.targets]
    named = [words(target.name) + unit for target, unit in zip(module.targets, units)]
    count = "1 measurement" if len(named) == 1 else f"{len(named)} measurements"
    return f"{count}: {', '.join(named)}"


def _valid_for(accepts: Accepts) -> str:
    parts = [
        f"scanners by {_either(accepts.vendors)}" if accepts.vendors else "",
        f"model {_either(accepts.models)}" if accepts.models else "",
        f"{_either([f'{tesla:g}' for tesla in accepts.field_strengths_t])} T"
        if accepts.field_strengths_t
        else "",
        f"{_either([str(count) for count in accepts.stations])} stations"
        if accepts.stations
        else "",
        "{:g} to {:g} mm from head to foot".format(*accepts.head_foot_mm)
        if accepts.head_foot_mm
        else "",
    ]
    return ", ".join(filter(None, parts)) or "any neck-to-knee Dixon study"


def _provenance(module: InferenceModule) -> str:
    source = module.provenance.get("source")
    parts = [
        module.description.strip(),
        f"Imported from {source}." if module.published and source else "",
        f"Licence: {module.licence}.",
    ]
    return " ".join(filter(None, parts))


def _either(names: Any) -> str:
    """``a``, ``a or b``, ``a, b or c``."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
