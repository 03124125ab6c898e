"""Choose fonts for the letters of a PDF file; MIMIR brings none.

Western letters are set in Helvetica, which every viewer has. Others are set in a font of the
computer that has them; the letters become part of the file. What no such font has, and letters that
run from right to left, is written as its Unicode number: not pretty, but never an empty box.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Any, Optional

import reportlab
from reportlab.pdfbase.pdfmetrics import registerFont, stringWidth
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from mimir_engine.errors import printable

REGULAR, BOLD = "Helvetica", "Helvetica-Bold"
#: Fonts of Windows: Latin, Greek and Cyrillic, then Japanese, Chinese and Korean.
_WINDOWS_FONTS = ("arial.ttf", "msgothic.ttc", "simsun.ttc", "malgun.ttf")
#: Fonts of macOS and of Linux.
_OTHER_FONTS = (
    "/System/Library/Fonts/Supplemental/Arial Unicode.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
)
#: Classes of letters that run from right to left, in Unicode's bidirectional algorithm.
_LEFTWARD = ("R", "AL", "AN")


def runs(text: str, bold: bool = False) -> list[tuple[str, str]]:
    """Split a text into pieces of one font each.

    Args:
        text: On one line.
        bold: Set Western letters in bold.

    Returns:
        Name of the font and the letters, which are those of the text or the numbers of some.
    """
    pairs = (_letter(letter, BOLD if bold else REGULAR) for letter in printable(text))
    groups = groupby(pairs, key=lambda pair: pair[0])
    return [(font, "".join(letter for _, letter in group)) for font, group in groups]


def width_of(text: str, size: float, bold: bool = False) -> float:
    """Return the width of a text in points."""
    return float(sum(stringWidth(part, font, size) for font, part in runs(text, bold)))


@lru_cache(maxsize=4096)
def _letter(letter: str, western: str) -> tuple[str, str]:
    """Return the font of a letter, and what is written."""
    if _is_western(letter):
        return western, letter
    if unicodedata.bidirectional(letter) not in _LEFTWARD:
        for number, path in enumerate(_files()):
            font = _true_type(f"MIMIR{number}", path)
            if font is not None and ord(letter) in font.face.charToGlyph:
                return font.fontName, letter
    return western, f"[U+{ord(letter):04X}]"


def _is_western(letter: str) -> bool:
    try:
        return bool(letter.encode("cp1252"))
    except UnicodeEncodeError:
        return False


def _files() -> Iterator[Path]:
    """Yield where fonts with many letters usually are; matplotlib brings one."""
    matplotlib = find_spec("matplotlib")
    if matplotlib is not None and matplotlib.origin:
        yield Path(matplotlib.origin).parent / "mpl-data/fonts/ttf/DejaVuSans.ttf"
    windows = Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts"
    yield from (windows / name for name in _WINDOWS_FONTS)
    yield from map(Path, _OTHER_FONTS)
    yield Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"


@cache
def _true_type(name: str, path: Path) -> Optional[Any]:
    """Return a font, registered under a name; None if the file is not there or has another form."""
    try:
        font = TTFont(name, str(path))
    except (OSError, TTFError):
        return None
    registerFont(font)
    return font
