"""Put tables into a page between marks, so that no number in it is typed by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_BLOCK = re.compile(r"<!-- made: ([\w-]+) -->\n.*?<!-- end -->", re.DOTALL)


def fill(page: Path, texts: Mapping[str, str]) -> None:
    """Replace the text between ``<!-- made: NAME -->`` and ``<!-- end -->`` by that called NAME.

    Raises:
        SystemExit: If page and texts have different names.
    """
    found = page.read_text(encoding="utf-8")
    names = [match[1] for match in _BLOCK.finditer(found)]
    if sorted(names) != sorted(texts):
        raise SystemExit(f"{page} has blocks {sorted(names)}, not {sorted(texts)}")

    def block(match: re.Match[str]) -> str:
        return f"<!-- made: {match[1]} -->\n{texts[match[1]]}\n<!-- end -->"

    page.write_text(_BLOCK.sub(block, found), encoding="utf-8")
