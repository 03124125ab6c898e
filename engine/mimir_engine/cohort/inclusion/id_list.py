"""Read a list of ids: people who withdrew, or studies to use.

An id is a participant or person, a participant and visit (``1234567_2``), or a study's name. Lists
come from spreadsheets, e-mails and UK Biobank: with or without a header line, with further columns,
quotes, decimals, comments after ``#``, and in UTF-8 or UTF-16. Of a file of marks, only the studies
with one mark count.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mimir_engine.cohort.inclusion.marks import BAD, read_marks
from mimir_engine.errors import MimirError
from mimir_engine.files.csv_writer import unescape_cell
from mimir_engine.source.file_kind import without_archive_suffix

CODE = "EXCLUSIONS_UNREADABLE"
#: Size of a list in bytes: a million participants have some 8 MB.
MAX_BYTES = 64 * 2**20
#: Separators of cells; the first that is in a line counts.
SEPARATORS = "\t;,"
#: Names of columns of ids, in lower case without other characters; so is all that ends in "eid".
ID_COLUMNS = frozenset(
    (
        *("id", "ids", "participant", "participantid", "person", "personid", "subject"),
        *("subjectid", "patient", "patientid", "study", "studyid", "studyname", "name", "names"),
        "pseudonym",
    )
)
_BLANKS = " \t\xa0;,\"'"
_COMMENT = re.compile(r"(?:^|(?<=[\s,;\"]))#.*$")
_PARTICIPANT = re.compile(r"\d{7}")
_WHOLE_NUMBER = re.compile(r"(\d+)[.,]0*")
_BULK = re.compile(r"(\d{7,10})\s+20201_(\d+)_\d+")


@dataclass(frozen=True)
class IdLine:
    """One line of a list.

    Attributes:
        number: Its number in the file.
        spellings: What may be the id, the likeliest first.
        others: Spellings of the cells of other columns; empty if a header names the ids.
        may_be_header: It names columns, unless a study has this name.
    """

    number: int
    spellings: tuple[str, ...]
    others: tuple[tuple[str, ...], ...] = ()
    may_be_header: bool = False

    def find(self, known: Collection[str]) -> str:
        """Return the id if it is known, else an empty text.

        Raises:
            MimirError: ``EXCLUSIONS_UNREADABLE`` if several columns hold ids.
        """
        found = next((text for text in self.spellings if text in known), "")
        if found == self.spellings[0]:  # the whole line, which may contain separators
            return found
        if any(s in known or _PARTICIPANT.fullmatch(s) for other in self.others for s in other):
            raise MimirError(
                CODE,
                f"line {self.number} of the list holds several ids",
                "Write one id per line, or name the column of ids in the first line, like 'eid'.",
            )
        return found


def read_id_list(path: Path, mark: str = BAD) -> tuple[IdLine, ...]:
    """Read the lines of a list.

    Args:
        path: The list.
        mark: Of a file of marks, the studies with this mark.

    Raises:
        MimirError: ``EXCLUSIONS_UNREADABLE``.
    """
    content = _read_text(path)
    try:
        marked = read_marks(content, mark)
    except csv.Error as error:
        raise _unreadable(path, str(error)) from error
    if marked is not None:
        return tuple(IdLine(number, (name, *_spellings(name))) for number, name in marked)
    lines = [
        (number, text)
        for number, line in enumerate(content.splitlines(), start=1)
        if (text := _COMMENT.sub("", line)).strip(_BLANKS)
    ]
    if not lines:
        return ()
    (number, first), *rest = lines
    separator = next((s for s in SEPARATORS if s in first), ",")
    columns = [n for n, name in enumerate(_cells(first, separator)) if _names_ids(name)]
    if columns:
        header = IdLine(number, (first.strip(_BLANKS),), may_be_header=True)
        return (header, *(_row(n, _cells(text, separator), columns) for n, text in rest))
    has_digit = any(character.isdigit() for character in first)
    header = replace(_free_line(number, first), may_be_header=bool(rest) and not has_digit)
    return (header, *(_free_line(n, text) for n, text in rest))


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(path, type(error).__name__) from error
    is_utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except ValueError as error:
        raise _unreadable(path, "it is not text in UTF-8") from error
    if len(content) > MAX_BYTES or "\0" in text:
        raise _unreadable(path, "it is too large" if "\0" not in text else "it is not text")
    return unicodedata.normalize("NFC", text)


def _unreadable(path: Path, why: str) -> MimirError:
    return MimirError(
        CODE,
        f"the list of ids {path.name} cannot be read ({why})",
        "Give a text file with one id per line, or a CSV table. Targets are chosen with"
        " --only-targets.",
    )


def _cells(text: str, separator: str) -> list[str]:
    return next(csv.reader([text], delimiter=separator, skipinitialspace=True), [text])


def _names_ids(name: str) -> bool:
    plain = re.sub(r"[^a-z]", "", name.lower())
    return plain in ID_COLUMNS or plain.endswith("eid")


def _free_line(number: int, text: str) -> IdLine:
    """Read a line without a header: the whole line may be an id, else its first cell is."""
    separator = next((s for s in SEPARATORS if s in text), ",")
    first, *others = (cell for cell in _cells(text, separator) if cell.strip())
    whole, words = text.strip(" \t\xa0;,"), first.split()
    if bulk := _BULK.fullmatch(whole):  # a line of UK Biobank's list of files
        return IdLine(number, (whole, f"{bulk[1]}_{bulk[2]}"))
    spellings = dict.fromkeys((*_spellings(whole), *_spellings(first)))
    if len(words) > 1:  # a date or a second id may follow
        spellings.update(dict.fromkeys(_spellings(words[0])))
        others += words[1:]
    return IdLine(number, tuple(spellings), tuple(tuple(_spellings(cell)) for cell in others))


def _row(number: int, cells: Sequence[str], columns: Sequence[int]) -> IdLine:
    found = [s for place in columns if place < len(cells) for s in _spellings(cells[place])]
    return IdLine(number, tuple(found) or ("",))


def _spellings(cell: str) -> Iterator[str]:
    """Yield a cell as it stands, and as spreadsheets and lists of files may have changed it."""
    text = cell.strip().strip('"').strip()
    yield text
    plain = unescape_cell(text).strip().strip("'").strip()
    yield plain
    if number := _WHOLE_NUMBER.fullmatch(plain):
        yield number[1]
    yield without_archive_suffix(re.split(r"[/\\]", plain)[-1])
