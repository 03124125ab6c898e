"""Locate the engine and the folders of inference modules; only this file does."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

ENVIRONMENT_VARIABLE = "MIMIR_WEIGHTS"

#: Folders above the package in which ``weights/`` is looked for: it is two levels up in a clone,
#: where ``engine/`` and ``weights/`` are siblings, and more in an installed tree.
MAX_LEVELS_UP = 4


@dataclass(frozen=True)
class Places:
    """Folders that this installation uses; they need not exist.

    Attributes:
        engine: The folder that contains the package ``mimir_engine``.
        user_modules: The folder of the user's own inference modules.
        modules: Folders of inference modules, in the order in which a name is looked up.
    """

    engine: Path
    user_modules: Path
    modules: tuple[Path, ...]


def locate(
    environment: Optional[Mapping[str, str]] = None, package: Optional[Path] = None
) -> Places:
    """Find the engine and the folders of inference modules.

    A name is looked up in the folders of ``MIMIR_WEIGHTS`` (several are separated as in ``PATH``),
    then in the user's own, then in the ``weights/`` that came with the engine.

    Args:
        environment: Environment variables; by default the process's.
        package: Folder of the package ``mimir_engine``; by default this file's.
    """
    environment = os.environ if environment is None else environment
    package = Path(__file__).resolve().parents[1] if package is None else package
    named = environment.get(ENVIRONMENT_VARIABLE, "").split(os.pathsep)
    user_modules = _user_data(environment) / "mimir" / "modules"
    shipped = _shipped_weights(package)
    return Places(
        engine=package.parent,
        user_modules=user_modules,
        modules=(
            *(Path(folder).expanduser() for folder in named if folder),
            user_modules,
            *((shipped,) if shipped is not None else ()),
        ),
    )


def _shipped_weights(package: Path) -> Optional[Path]:
    """Find the nearest ``weights/`` with an inference module in it, from the package upwards."""
    for folder in (package, *list(package.parents)[:MAX_LEVELS_UP]):
        weights = folder / "weights"
        if any(weights.glob("*/module.json")):
            return weights
    return None


def _user_data(environment: Mapping[str, str]) -> Path:
    """Return the platform's folder for a user's application data."""
    home = Path.home()
    if sys.platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local")
    if sys.platform == "darwin":
        return home / "Library" / "Application Support"
    return Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
