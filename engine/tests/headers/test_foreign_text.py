"""Text of any length and form is read in a time that grows only with its length."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import mimir_engine

#: Each work on a text, as a Python expression.
WORKS = {
    "contrast": "classify({'SeriesDescription': text, 'ImageType': text})",
    "decimal": "decimal(text)",
    "integer": "integer(text)",
    "agent": "_NO_AGENT.fullmatch(text)",
    "time": "_seconds(text)",
    "protocol": "protocol_name(text)",
    "manifest": "Manifest(text + '.dcm').absent(['b.dcm'], [Contrast.WATER])",
    "name": "uk_biobank_field(text), source_name(text), is_hidden(text), kind_by_name(text)",
    "line": "one_line(text)",
    "display": "words(text)",
}
TEXTS = (
    "'a' + ' ' * n + '1_W'",
    "'x' * n + '1'",
    "'1' * n + 'x'",
    "'_' * n + '1'",
    "'a1' * n + '.'",
    "'none ' * n + '!'",
    "'0' * n + 'A'",
    "':' * n + 'a'",
    "'aA' * n",
    "'.dcm,' * n",
    "'/' * n",
)
_CODE = """

from mimir_engine.errors import one_line
from mimir_engine.headers.acquisition_time import _seconds
from mimir_engine.headers.contrast import Contrast, classify
from mimir_engine.headers.manifest import Manifest
from mimir_engine.headers.number_text import decimal, integer
from mimir_engine.headers.series import _NO_AGENT
from mimir_engine.measuring.display_text import words
from mimir_engine.source.file_kind import kind_by_name
from mimir_engine.source.hidden_files import is_hidden
from mimir_engine.source.source_name import source_name, uk_biobank_field
from mimir_engine.study.companion_scans import protocol_name
from mimir_engine.errors import MimirError
n = 1_000_000
for text in ({texts}):
    try:
        {work}
    except MimirError:
        pass
"""


@pytest.mark.parametrize("work", WORKS)
def test_a_million_characters_are_no_burden(work: str) -> None:
    """Quadratic work would take hours; the process is killed after two minutes."""
    code = _CODE.format(texts=", ".join(TEXTS), work=WORKS[work])
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_no_pattern_repeats_what_repeats() -> None:
    """A repeat within a repeat, such as ``(a+)+``, may take a time that doubles per letter."""
    nested = re.compile(r"\([^()]*[+*]\)[+*]")
    folder = Path(mimir_engine.__path__[0])
    for path in folder.rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if "re." in line:
                assert not nested.search(line), f"{path.name}: {line}"
