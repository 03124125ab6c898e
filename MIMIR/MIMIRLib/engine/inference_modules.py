"""List, verify and remove the inference modules of this computer."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.errors import mimir_error
from MIMIRLib.translate import tr as _

if TYPE_CHECKING:
    from mimir_engine.inference_module import InferenceModule


@dataclass(frozen=True)
class InferenceModuleRow:
    """One inference module as the panel lists it.

    Attributes:
        folder: Its folder.
        is_own: The user added it, and may remove it.
        module: The module; None if it cannot be used.
        error: Why it cannot be used, or None.
    """

    folder: Path
    is_own: bool
    module: Optional[InferenceModule] = None
    error: Optional[Exception] = None

    @property
    def name(self) -> str:
        """The name of its folder; a request calls it so."""
        return self.folder.name

    @property
    def is_demonstration(self) -> bool:
        """True if its values say nothing about people."""
        return self.module is not None and self.module.demonstration


def list_rows() -> tuple[InferenceModuleRow, ...]:
    """List all inference modules, including damaged ones, in the engine's search order."""
    import_engine()
    from mimir_engine.errors import MimirError
    from mimir_engine.inference_module import load_module, module_folders
    from mimir_engine.inference_module.search_path import locate

    rows = []
    for folder in module_folders():
        is_own = folder.parent == locate().user_modules
        try:
            rows.append(InferenceModuleRow(folder, is_own, load_module(folder)))
        except MimirError as error:
            rows.append(InferenceModuleRow(folder, is_own, error=error))
    return tuple(rows)


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
    row = next((row for row in list_rows() if row.name == name), None)
    if row is None:
        raise mimir_error(
            "MODULE_NOT_FOUND",
            _("inference module '{name}' was not found").format(name=name),
        )
    if not row.is_own:
        raise mimir_error(
            "MODULE_NOT_OWN",
            _("you did not add the inference module {name} in '{folder}'").format(
                name=name, folder=row.folder
            ),
            _("Only the person who added it can remove it."),
        )
    try:
        if row.folder.is_symlink():
            row.folder.unlink()
        else:
            shutil.rmtree(row.folder)
    except OSError as error:
        raise mimir_error(
            "OUTPUT_UNWRITABLE",
            _("the inference module {name} cannot be removed from '{folder}' ({reason})").format(
                name=name, folder=row.folder, reason=error.strerror
            ),
            _("Close the program that uses it, then try again."),
        ) from error


def measurements_text(module: InferenceModule) -> str:
    """Return e.g. ``2 measurements: liver volume (L), sex``."""
    from mimir_engine.measuring.display_text import words

    names = [
        f"{words(target.name)} ({target.unit})" if target.unit else words(target.name)
        for target in module.targets
    ]
    text = _("1 measurement: {names}") if len(names) == 1 else _("{count} measurements: {names}")
    return text.format(count=len(names), names=", ".join(names))
