"""Put tables into a page between marks, so that no number in it is typed by hand."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

_BLOCK = re.compile(r"<!-- made: ([\w-]+) -->\n.*?<!-- end -->", re.DOTALL)


def fill(page: Path, texts: Mapping[str, str]) -> None:
    """Replace the text between ``<!-- made: NAME -->`` and ``<!-- end -->`` by that called NAME.

    Blocks of other names stay.

    Raises:
        SystemExit: If the page lacks a block for one of the texts.
    """
    found = page.read_text(encoding="utf-8")
    names = {match[1] for match in _BLOCK.finditer(found)}
    if not names >= texts.keys():
        raise SystemExit(f"{page} has no blocks {sorted(texts.keys() - names)}")

    def block(match: re.Match[str]) -> str:
        text = texts.get(match[1])
        return match[0] if text is None else f"<!-- made: {match[1]} -->\n{text}\n<!-- end -->"

    page.write_text(_BLOCK.sub(block, found), encoding="utf-8")


def copy_figures(folder: Path, docs: Path) -> None:
    """Copy all figures of a folder to where the page shows them."""
    for figure in sorted(folder.glob("*.png")):
        shutil.copy(figure, docs / "images" / f"validation_{figure.name}")
