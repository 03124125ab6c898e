"""Text from files and headers, made fit for names and tables that Slicer writes to disk."""

from __future__ import annotations

#: Longest name of a node or folder, in characters; file names have up to 255.
LONGEST_NAME = 120
#: Slicer names files after nodes, and writes the files' names into the scene without making them
#: fit for XML: with an ampersand in a node's name, the saved scene cannot be read again.
SPOILS_SCENE = str.maketrans(dict.fromkeys("&<>'%|^", "_"))


def plain(text: str) -> str:
    """Text on one line, without characters that Slicer's scene and table files lose.

    Table files separate their columns by tabs and drop double quotes; scene files are XML, which
    knows no control characters.
    """
    line = " ".join(text.replace('"', "'").split())
    return "".join(character if character.isprintable() else "?" for character in line)


def plain_name(text: str) -> str:
    """A node's name: ``plain``, fit for a file's name, and short enough to be read in a tree."""
    name = plain(text).translate(SPOILS_SCENE)
    if len(name) <= LONGEST_NAME:
        return name
    half = LONGEST_NAME // 2 - 2
    return f"{name[:half]} … {name[-half:]}"
