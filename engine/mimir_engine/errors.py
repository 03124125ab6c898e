"""The engine's one exception: a stable code, one sentence, and what to do."""

from __future__ import annotations

#: Longest text (characters) in a message: names of archive entries can have 65,535.
MAX_CHARACTERS = 1000


class MimirError(Exception):
    """Something that a user must know about, said in one line.

    Raised where the fact is known, caught only at the edges (command line, worker, panel).

    Args:
        code: Stable upper-case code, e.g. ``STATION_GAP``; scripts may rely on it. All codes are
            explained in ``docs/errors.md``.
        what: What is wrong and with what, without a final full stop. Never a patient's name.
        remedy: What to do about it, as a full sentence; empty where nothing sensible can be done.
    """

    def __init__(self, code: str, what: str, remedy: str = "") -> None:
        self.code = code
        self.what = one_line(what)
        self.remedy = one_line(remedy)
        super().__init__(str(self))

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"

    def __reduce__(self) -> tuple[type[MimirError], tuple[str, str, str]]:
        """Let the error cross from a worker process."""
        return MimirError, (self.code, self.what, self.remedy)

    @property
    def reason(self) -> str:
        """The line without its code: what is wrong, then what to do."""
        return f"{self.what}. {self.remedy}" if self.remedy else f"{self.what}."


def one_line(text: str) -> str:
    """Text as it may be shown in one line of a terminal or a table.

    Messages name files and series, and whoever wrote those chose the characters: white space
    becomes single blanks, control characters and the like question marks, and what is too long
    loses its middle.
    """
    line = printable(" ".join(text.split()), "?")
    if len(line) <= MAX_CHARACTERS:
        return line
    half = MAX_CHARACTERS // 2 - 3
    return f"{line[:half]} ... {line[-half:]}"


def printable(text: str, instead: str = " ") -> str:
    """The text with ``instead`` for all that breaks lines, steers terminals or can't be encoded.

    That is control and format characters (also those that reverse the direction of writing), line
    and paragraph separators, and the halves of characters that stand for undecodable file names.
    """
    return "".join(c if c.isprintable() else instead for c in text)
