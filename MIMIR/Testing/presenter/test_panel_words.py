"""No sentence of the engine brings an option of its command line into the panel."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import mimir_engine
from mimir_engine.files.optional_packages import EXTRAS
from MIMIRLib.engine import requirements
from MIMIRLib.presenter import panel_words as module
from MIMIRLib.presenter.panel_words import panel_words

ENGINE = Path(mimir_engine.__file__).parent
#: Calls whose texts are shown to people.
SHOWN = {"MimirError", "Finding", "replace"}
#: Variables whose texts are.
NAMED = {"remedy", "what", "sentence"}
OPTION = re.compile(r"(?<![\w-])--[a-z]|`mimir|pip install")


def text_of(node: ast.AST) -> str:
    """Return a string of the source; what it fills in is X."""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) for part in node.values)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return "X"


def shown_texts() -> Iterator[str]:
    """Yield every text of the engine's errors and findings that names an option or a command."""
    for path in ENGINE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            parts: list[ast.AST] = []
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in SHOWN:
                parts = [*node.args, *(keyword.value for keyword in node.keywords)]
            elif isinstance(node, (ast.Assign, ast.AugAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if any(getattr(target, "id", "") in NAMED for target in targets):
                    parts = [node.value]
            yield from filter(OPTION.search, map(text_of, parts))


TEXTS = sorted({*shown_texts()})


def test_the_engines_texts_are_found() -> None:
    assert len(TEXTS) > 30
    assert any("--allow-unvalidated" in text for text in TEXTS)


@pytest.mark.parametrize("text", TEXTS)
def test_no_option_of_the_command_line_is_shown(text: str) -> None:
    shown = panel_words(f"CODE: something is wrong. {text}")

    assert not OPTION.search(shown), shown
    assert shown.startswith("CODE: something is wrong.")
    if "pip install" not in text:  # that is only ever a remedy
        assert not OPTION.search(panel_words(f"CODE: {text}"))


@pytest.mark.parametrize("engine", [engine for engine, _panel in module._PANEL_WORDS])
def test_what_the_panel_replaces_is_what_the_engine_says(engine: str) -> None:
    assert any(engine in text for text in TEXTS)


def test_other_texts_stay_as_they_are() -> None:
    text = "STATION_GAP: stations 2 and 3 do not touch. Export the study again.\nA -- B"

    assert panel_words(text) == text


DECODER = (
    "PIXELS_UNREADABLE: they are compressed. Export the study uncompressed (explicit VR little"
    " endian), or install a decoder: pip install 'mimir-engine[compressed]'."
)


@pytest.mark.parametrize(
    ("python", "numpy", "fits"),
    [
        ((3, 9), "1.26.4", True),
        ((3, 10), "1.26.4", True),
        ((3, 11), "1.26.4", False),
        ((3, 11), "2.0.2", True),
        ((3, 12), "2.0.2", False),
        ((3, 13), "2.1.0", True),
    ],
)
def test_a_decoder_is_offered_only_where_numpy_can_stay(
    monkeypatch: pytest.MonkeyPatch, python: tuple[int, int], numpy: str, fits: bool
) -> None:
    monkeypatch.setattr(requirements.sys, "version_info", python)
    monkeypatch.setattr(requirements.metadata, "version", lambda name: numpy)
    shown = panel_words(DECODER)
    command = f'slicer.util.pip_install("imagecodecs numpy=={numpy}")'

    assert "Export the study uncompressed" in shown
    assert (command in shown) == fits
    assert ("a newer NumPy than that of this Slicer" in shown) != fits


def test_the_decoder_is_the_engines() -> None:
    assert requirements.DECODER in EXTRAS["compressed"][1]
    assert any(module._DECODER.search(text) for text in TEXTS)
