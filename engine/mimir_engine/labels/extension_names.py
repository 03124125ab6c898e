"""Read the names of labels that a segmentation wrote into its NIfTI file.

TotalSegmentator writes them as an extension of the header, in the XML of Caret: elements ``Label``
with the attribute ``Key`` and the name as text.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.parsers import expat

from mimir_engine.errors import MimirError, one_line

#: Element that tells the names of labels among other XML.
CARET = "CaretExtension"
#: Characters of such an extension: 65,535 labels of 100 characters fit.
MAX_EXTENSION = 16 << 20
#: Characters of a name that are kept.
MAX_TITLE = 100
#: Largest label.
MAX_LABEL = 65_535


def extension_names(texts: Iterable[str]) -> dict[int, str]:
    """Return the names of labels in a file's extensions, by number; empty if there are none.

    Args:
        texts: Texts of the extensions; those of other kinds are passed over.

    Raises:
        MimirError: ``LABELS_INVALID`` if names are there but cannot be read.
    """
    found: dict[int, str] = {}
    for text in texts:
        if CARET in text:
            found.update(_caret_names(text.strip("\0 \t\r\n")))
    return found


def title_of(text: str) -> str:
    """Return a name on one line, of at most `MAX_TITLE` characters."""
    return one_line(text).strip()[:MAX_TITLE].strip()


def _caret_names(text: str) -> dict[int, str]:
    """Read one extension.

    A document type is refused: only there can entities be defined, which would read other files or
    grow without limit. Expat itself opens no file, and keeps nothing but open elements.
    """
    if len(text) > MAX_EXTENSION:
        raise _invalid("are too long")
    reader = _CaretReader()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    try:
        parser.Parse(text.encode("utf-8"), True)
    except (expat.ExpatError, ValueError) as error:
        raise _invalid("cannot be read") from error
    return reader.names


class _CaretReader:
    """Collects the text of each element ``Label``.

    Attributes:
        names: Names by number, without empty ones and that of the background.
    """

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self._label = 0
        self._parts: list[str] = []

    def refuse(self, *_: object) -> None:
        """Refuse a document type."""
        raise ValueError("a document type is not needed")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        key = attributes.get("Key", "").strip() if tag == "Label" else ""
        is_number = key.isascii() and key.isdigit() and len(key) <= len(str(MAX_LABEL))
        self._label = int(key) if is_number and int(key) <= MAX_LABEL else 0
        self._parts = []

    def characters(self, text: str) -> None:
        """Take text of the element."""
        if self._label:
            self._parts.append(text)

    def end(self, tag: str) -> None:
        """End an element."""
        title = title_of("".join(self._parts))
        if self._label and title:
            self.names[self._label] = title
        self._label = 0


def _invalid(what: str) -> MimirError:
    return MimirError(
        "LABELS_INVALID",
        f"the names of labels in the label map's header {what}",
        "Give the names with --names.",
    )
