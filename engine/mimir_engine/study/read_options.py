"""How a study is read, where there is a choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from mimir_engine.study.reconstruction import NORMALISED
from mimir_engine.study.site import Site


@dataclass(frozen=True)
class ReadOptions:
    """Choices about the images that are measured.

    Attributes:
        reconstruction: ``normalised`` or ``raw``: which is used if a scan has both.
        swap_repair: Exchange water and fat back where they are certain to be exchanged. Otherwise
            such a study is refused.
        site: The scanner, whose water signal is scaled to that of a module; None to leave it.
    """

    reconstruction: str = NORMALISED
    swap_repair: bool = False
    site: Optional[Site] = None

    @property
    def water_factor(self) -> float:
        """Factor of the water signal of the fat-fraction planes; 1 leaves them as they are."""
        return 1.0 if self.site is None else self.site.water_factor


#: As every command reads studies if nothing else is asked for.
AS_STORED = ReadOptions()
