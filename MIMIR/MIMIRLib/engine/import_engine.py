"""Where the engine that came with the module lies, and how Slicer's own Python gets it."""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Optional

PACKAGE = "mimir_engine"


class EngineUnavailable(Exception):
    """The bundled engine can't be used: a stable code, and what is wrong and what to do."""

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(f"{code}: {reason}")


def engine_folder(module_folder: Optional[Path] = None) -> Path:
    """The folder that holds the package ``mimir_engine``.

    Beside ``MIMIRLib`` lies ``MIMIREngine`` where the extension was built or installed; in a clone
    the engine is the folder ``engine`` beside the module's. The engine itself finds the inference
    modules from there.

    Args:
        module_folder: The folder that holds ``MIMIR.py``; by default the one this file belongs to.

    Raises:
        EngineUnavailable: ``ENGINE_MISSING``.
    """
    if module_folder is None:
        module_folder = Path(__file__).resolve().parents[2]
    for folder in (module_folder / "MIMIREngine", module_folder.parent / "engine"):
        if (folder / PACKAGE / "__init__.py").is_file():
            return folder
    raise EngineUnavailable(
        "ENGINE_MISSING",
        f"the engine that belongs to MIMIR is not in '{module_folder}'. Install the extension"
        " again, or take the whole repository if you load the module from a clone.",
    )


def import_engine() -> ModuleType:
    """The bundled engine, imported; a later ``import mimir_engine`` anywhere gives the same.

    Raises:
        EngineUnavailable: ``ENGINE_MISSING``, ``ENGINE_SHADOWED``.
    """
    folder = str(engine_folder())
    if sys.path[:1] != [folder]:
        sys.path[:] = [folder, *(path for path in sys.path if path != folder)]
    engine = import_module(PACKAGE)
    if not is_bundled(engine.__path__[0]):
        raise EngineUnavailable(
            "ENGINE_SHADOWED",
            f"another engine, in '{engine.__path__[0]}', was loaded before the one in '{folder}'."
            " Restart Slicer; if that doesn't help, run pip_uninstall('mimir-engine') in its"
            " Python console.",
        )
    return engine


def is_bundled(package: str) -> bool:
    """Whether a folder of a package ``mimir_engine`` is that of the bundled engine."""
    return Path(package).resolve() == (engine_folder() / PACKAGE).resolve()


_log = logging.getLogger(__name__)


def problem_sentence(error: Exception) -> str:
    """``CODE: what is wrong. What to do.``; of what nobody foresaw only the kind is told.

    The rest is in Slicer's own log, which stays on this computer.
    """
    if isinstance(error, EngineUnavailable) or is_told_by_engine(error):
        return str(error)
    _log.error("MIMIR failed", exc_info=error)
    return (
        f"INTERNAL_ERROR: MIMIR failed ({type(error).__name__}). See Slicer's error log, and"
        " please report it."
    )


def is_told_by_engine(error: Exception) -> bool:
    """Whether the error is one of the engine's own, which are all fit to be shown."""
    from mimir_engine import MimirError

    return isinstance(error, MimirError)
