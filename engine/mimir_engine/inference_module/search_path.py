"""Locate the folders of inference modules; only this file does."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

#: Name of the file that makes a folder an inference module.
MODULE_FILE = "module.json"
#: Environment variable with folders of modules, separated as in ``PATH``.
ENVIRONMENT_VARIABLE = "MIMIR_WEIGHTS"
#: Folder of the package ``mimir_engine``.
PACKAGE = Path(__file__).resolve().parents[1]
#: Folders above the package in which ``weights/`` is looked for: it is two levels up in a clone,
#: where ``engine/`` and ``weights/`` are siblings, and more in an installed tree.
MAX_LEVELS_UP = 4


@dataclass(frozen=True)
class Places:
    """Folders that this installation uses; they need not exist.

    Attributes:
        user_modules: The folder of the user's own inference modules.
        modules: Folders of inference modules, in the order in which a name is looked up.
    """

    user_modules: Path
    modules: tuple[Path, ...]


def locate() -> Places:
    """Find the folders of inference modules.

    A name is looked up in the folders of ``MIMIR_WEIGHTS``, then in the user's own, then in the
    nearest ``weights/`` with a module in it, from the package upwards.
    """
    named = os.environ.get(ENVIRONMENT_VARIABLE, "").split(os.pathsep)
    user_modules = _user_data() / "mimir" / "modules"
    above = (folder / "weights" for folder in (PACKAGE, *list(PACKAGE.parents)[:MAX_LEVELS_UP]))
    shipped = [weights for weights in above if any(weights.glob(f"*/{MODULE_FILE}"))]
    return Places(
        user_modules,
        (*(Path(folder).expanduser() for folder in named if folder), user_modules, *shipped[:1]),
    )


def _user_data() -> Path:
    """Return the platform's folder for a user's application data."""
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    if sys.platform == "darwin":
        return home / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
