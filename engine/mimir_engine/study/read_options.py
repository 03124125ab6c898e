"""How a study is read, where there is a choice."""

from __future__ import annotations

from dataclasses import dataclass

from mimir_engine.study.reconstruction import NORMALISED


@dataclass(frozen=True)
class ReadOptions:
    """Choices about the images that are measured.

    Attributes:
        reconstruction: ``normalised`` or ``raw``: which is used if a scan has both.
        swap_repair: Exchange water and fat back where they are certain to be exchanged. Otherwise
            such a study is refused.
    """

    reconstruction: str = NORMALISED
    swap_repair: bool = False


#: As every command reads studies if nothing else is asked for.
AS_STORED = ReadOptions()
