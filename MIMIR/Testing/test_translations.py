"""Every text that users see can be translated."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from xml.etree import ElementTree

import pytest
from translations import MODULE, TEMPLATE, contexts, python_files, template

#: A text for people: words with a space between, that begin with a capital letter.
SENTENCE = re.compile(r"[A-Z][a-z’']+ [a-zA-Z]\S* ?\S*")
#: Not translated: names that Slicer itself gives or looks for, quantities in files, pip's lines.
NOT_SHOWN = re.compile(
    r"Subject Hierarchy|No name|No study description|Developer Tools|Fat fraction|The MIMIR contrib"
    r"|Installing collected"
)
#: Calls whose texts only developers read.
OF_DEVELOPERS = {"error", "warning", "info", "debug", "exception"}


def untranslated(path: Path) -> Iterator[str]:
    """Yield sentences of a file that are not given to ``_``."""
    tree = ast.parse(path.read_text("utf-8"))
    hidden: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name == "_" or name in OF_DEVELOPERS or name == "translate":
                hidden |= {id(one) for one in ast.walk(node)}
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            hidden.add(id(node.value))  # docstrings
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in hidden else None
        if isinstance(text, str) and SENTENCE.match(text) and not NOT_SHOWN.match(text):
            yield f"{path.name}:{node.lineno}: {text!r}"


@pytest.mark.parametrize("path", python_files(), ids=lambda path: path.stem)
def test_sentences_go_through_the_translation(path: Path) -> None:
    if path.stem == "panel_words":
        return  # it holds what the engine says, which is not translated
    assert list(untranslated(path)) == []


def test_texts_of_the_form_are_in_the_context_that_slicer_looks_in() -> None:
    root = ElementTree.parse(MODULE / "Resources" / "UI" / "MIMIR.ui").getroot()

    assert root.findtext("class") == "MIMIR"
    assert "&Apply" in contexts()["MIMIR"]
    assert "Tick at least one study." in contexts()["presenter.panel_state"]


def test_placeholders_have_names() -> None:
    for texts in contexts().values():
        for text in texts:
            fields = [name for _text, name, _format, _kind in Formatter().parse(text) if name == ""]
            assert not fields, text


def test_the_template_has_all_texts() -> None:
    message = "run: python MIMIR/Testing/builders/translations.py"
    assert TEMPLATE.read_text("utf-8") == template(), message
