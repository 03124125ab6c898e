"""Recognise the files that operating systems add to folders and archives."""

from __future__ import annotations

import re

#: Files that macOS and Windows write beside those of the user; none holds an image.
_NAMES = frozenset((".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini"))
#: First letters of the attribute files of macOS (``._name.dcm``), whatever they hold.
_ATTRIBUTES = "._"
#: Folder of such attribute files in archives made by macOS.
_ATTRIBUTE_FOLDER = "__MACOSX"


def is_hidden(name: str) -> bool:
    """Return whether the operating system wrote a file or folder, by its name or path.

    Examples:
        >>> is_hidden("study/._image.dcm"), is_hidden("__MACOSX/image.dcm"), is_hidden("a.dcm")
        (True, True, False)
    """
    last = name[max(name.rfind("/"), name.rfind("\\")) + 1 :]
    if last.startswith(_ATTRIBUTES) or last.lower() in _NAMES:
        return True
    return _ATTRIBUTE_FOLDER in name and _ATTRIBUTE_FOLDER in re.split(r"[/\\]", name)
