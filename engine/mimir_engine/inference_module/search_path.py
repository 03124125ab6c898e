"""Locate the folders of inference modules; only this file does."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

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
        user_modules: The folder of the user's own inference modules; None if the system knows no
            home of this user.
        added: Where modules are added: the first folder of ``MIMIR_WEIGHTS``, else the user's own.
        modules: Folders of inference modules, in the order in which a name is looked up.
    """

    user_modules: Optional[Path]
    modules: tuple[Path, ...]
    added: Optional[Path]


def locate() -> Places:
    """Find the folders of inference modules.

    A name is looked up in the folders of ``MIMIR_WEIGHTS``, then in the user's own, then in the
    nearest ``weights/`` with a module in it, from the package upwards.
    """
    named = os.environ.get(ENVIRONMENT_VARIABLE, "").split(os.pathsep)
    user_data = _user_data()
    user_modules = user_data and user_data / "mimir" / "modules"
    above = (folder / "weights" for folder in (PACKAGE, *list(PACKAGE.parents)[:MAX_LEVELS_UP]))
    shipped = [weights for weights in above if module_files(weights)]
    asked = [Path(os.path.expanduser(folder)) for folder in named if folder]
    places = (*asked, user_modules, *shipped[:1])
    modules = tuple(place for place in places if place is not None)
    return Places(user_modules, modules, asked[0] if asked else user_modules)


def module_files(place: Path) -> list[Path]:
    """List ``module.json`` of each module in a folder, sorted; none if it cannot be listed.

    Hidden folders are skipped: interrupted additions leave them behind.
    """
    try:
        return sorted(place.glob(f"[!.]*/{MODULE_FILE}"))
    except OSError:
        return []


def _user_data() -> Optional[Path]:
    """Return the platform's folder for a user's application data; None if there is none."""
    named = {"win32": "LOCALAPPDATA", "darwin": ""}.get(sys.platform, "XDG_DATA_HOME")
    folder = os.environ.get(named, "") if named else ""
    if os.path.isabs(folder):
        return Path(folder)
    home = os.path.expanduser("~")
    if not os.path.isabs(home):  # no HOME, and the system does not know this user
        return None
    below = {"win32": "AppData/Local", "darwin": "Library/Application Support"}
    return Path(home, below.get(sys.platform, ".local/share"))
