"""Write the template of translations, ``Resources/Translations/MIMIR_en-US.ts``.

    python MIMIR/Testing/builders/translations.py

Slicer's own tool needs Qt's ``lupdate``; this one reads the same texts: those of ``_()`` in Python,
and those of the ``.ui`` file. A context is named as ``slicer.i18n`` names it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

MODULE = Path(__file__).resolve().parents[2]
TEMPLATE = MODULE / "Resources" / "Translations" / "MIMIR_en-US.ts"
#: Folder of sources without texts for users.
UNTRANSLATED = "slicer_tests"


def python_files() -> list[Path]:
    """The module's Python files with texts for users."""
    files = [*MODULE.glob("*.py"), *(MODULE / "MIMIRLib").rglob("*.py")]
    return sorted(path for path in files if UNTRANSLATED not in path.parts)


def context_of(path: Path) -> str:
    """Name the context of a Python file: ``panel.label``, or ``MIMIR`` outside a package."""
    is_in_package = (path.parent / "__init__.py").exists()
    return f"{path.parent.name}.{path.stem}" if is_in_package else path.stem


def texts_of_python(path: Path) -> Iterator[str]:
    """Yield the texts of a Python file that are translated."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_":
            (text,) = node.args
            if isinstance(text, ast.Constant):  # not a name of the engine's, looked up at run time
                yield text.value


def texts_of_ui(path: Path) -> Iterator[str]:
    """Yield the texts of a form that are translated."""
    for text in ElementTree.parse(path).getroot().iter("string"):
        if text.text and text.get("notr") != "true":
            yield text.text


def contexts() -> dict[str, dict[str, None]]:
    """All texts by context, each once, in their order."""
    found: dict[str, dict[str, None]] = {}
    for path in python_files():
        found.setdefault(context_of(path), {}).update(dict.fromkeys(texts_of_python(path)))
    for path in sorted((MODULE / "Resources" / "UI").glob("*.ui")):
        name = ElementTree.parse(path).getroot().findtext("class") or ""
        found.setdefault(name, {}).update(dict.fromkeys(texts_of_ui(path)))
    return {name: texts for name, texts in sorted(found.items()) if texts}


def template() -> str:
    """The file's content: each text without a translation."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<!DOCTYPE TS>"]
    lines.append('<TS version="2.1" language="en_US">')
    for name, texts in contexts().items():
        lines += ["<context>", f"    <name>{escape(name)}</name>"]
        for text in texts:
            source = escape(text, {'"': "&quot;", "'": "&apos;"})
            lines += ["    <message>", f"        <source>{source}</source>"]
            lines += ['        <translation type="unfinished"></translation>', "    </message>"]
        lines.append("</context>")
    return "\n".join([*lines, "</TS>", ""])


if __name__ == "__main__":
    TEMPLATE.parent.mkdir(exist_ok=True)
    TEMPLATE.write_text(template(), "utf-8")
