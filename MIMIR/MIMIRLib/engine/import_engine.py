"""Find the engine that came with the module, and import it into Slicer's own Python."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Optional

from MIMIRLib.translate import tr as _

PACKAGE = "mimir_engine"


class EngineUnavailable(Exception):
    """The bundled engine cannot be used. It has ``code`` and ``reason`` as a ``MimirError`` has."""

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(f"{code}: {reason}")


def engine_folder(module_folder: Optional[Path] = None) -> Path:
    """Return the folder that holds the package ``mimir_engine``.

    In a built or installed extension this is ``MIMIREngine`` beside ``MIMIRLib``; in a clone, it is
    ``engine`` beside the module's folder. The engine itself finds the inference modules from there.

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
        _(
            "the engine that belongs to MIMIR is not in '{folder}'. Install the extension again."
            " If you load the module from a clone, clone the complete repository."
        ).format(folder=module_folder),
    )


def import_engine() -> ModuleType:
    """Return the bundled engine; a later ``import mimir_engine`` anywhere gives the same.

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
            _(
                "another engine, in '{other}', was loaded before the one in '{folder}'. Restart"
                " Slicer. If that doesn't help, run pip_uninstall('mimir-engine') in Slicer's"
                " Python console."
            ).format(other=engine.__path__[0], folder=folder),
        )
    return engine


def is_bundled(package: str) -> bool:
    """Return whether a folder of a package ``mimir_engine`` is that of the bundled engine."""
    return Path(package).resolve() == (engine_folder() / PACKAGE).resolve()
