"""Write the page as one text: markup, style, scripts and data.

The page's own policy allows its style and its scripts by their hashes, and pictures of its folder,
and nothing else: no text of a study can run or load anything. Texts of studies stand only in the
data, which the scripts show as text.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from mimir_engine.measuring.same_quantity import OWN_DEFINITIONS, SIGNAL_FAT_FRACTION

#: Folder of the page's parts.
PARTS = Path(__file__).with_name("page")
STYLES = ("uPlot.min.css", "gallery.css")
#: Scripts of others: docs/dependencies.md has their hashes.
VENDORED = ("uPlot.iife.min.js", "papaparse.min.js")
#: Our own, in the order in which they run, as one.
OWN = ("cohort.js", "marks.js", "sheet.js", "plots.js", "study.js", "gallery.js")


def page_text(data: Mapping[str, Any]) -> str:
    """Return the page; equal data give equal pages.

    Args:
        data: JSON values; finite numbers only.
    """
    style = "\n".join(map(_part, STYLES))
    own = "\n".join(['"use strict";', *map(_part, OWN)])
    scripts = [*map(_part, VENDORED), own]
    policy = "; ".join(
        (
            "default-src 'none'",
            "img-src 'self' file:",  # of a page in a file, and of one on a server
            f"style-src {_hash(style)}",
            f"script-src {' '.join(map(_hash, scripts))}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            "<title>MIMIR: cohort</title>",
            f"<style>{style}</style></head>",
            _part("gallery.html").replace("REMARKS", f"{OWN_DEFINITIONS} {SIGNAL_FAT_FRACTION}"),
            f'<script type="application/json" id="data">{_embedded(data)}</script>',
            *(f"<script>{script}</script>" for script in scripts),
            "</html>",
            "",
        ]
    )


def _embedded(data: Mapping[str, Any]) -> str:
    """Return JSON in ASCII that no text in it can end before its end."""
    return json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _part(name: str) -> str:
    return (PARTS / name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode('utf-8')).digest()).decode('ascii')}'"
