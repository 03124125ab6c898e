"""Remember which sections of the panel are open, as one of the user's settings of Slicer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import qt


def remember_sections(sections: Iterable[Any]) -> None:
    """Open and close sections as the user left them, and note when the user changes that.

    Args:
        sections: Each a ``ctkCollapsibleButton`` with a name of its own.
    """
    for section in sections:
        key = f"MIMIR/{section.objectName}Collapsed"
        stored = qt.QSettings().value(key)
        if stored is not None:
            section.collapsed = str(stored).lower() == "true"
        section.connect("contentsCollapsed(bool)", _note(key))


def _note(key: str) -> Any:
    return lambda collapsed: qt.QSettings().setValue(key, "true" if collapsed else "false")
