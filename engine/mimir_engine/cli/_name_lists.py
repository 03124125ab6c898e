"""Read options that are lists of names."""

from __future__ import annotations


def names_in(text: str) -> list[str]:
    """Return the names in a list with commas.

    >>> names_in("phantom, bodycomp,")
    ['phantom', 'bodycomp']
    """
    return [name.strip() for name in text.split(",") if name.strip()]
