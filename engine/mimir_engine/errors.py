"""Define the engine's only exception: a stable code, one sentence, and a remedy."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

_log = logging.getLogger(__name__)

#: Characters of a message: names of archive entries can have 65,535.
MAX_CHARACTERS = 1000


class MimirError(Exception):
    """An error that is shown to the user in one line.

    Only the command line, the worker and the panel catch it.

    Args:
        code: Stable upper-case code, e.g. ``STATION_GAP``; scripts may rely on it. All codes are
            explained in ``docs/errors.md``.
        what: The error and its object, without a final full stop. Never a patient's name.
        remedy: What the user can do, as a full sentence; empty if there is nothing.
    """

    def __init__(self, code: str, what: str, remedy: str = "") -> None:
        self.code = code
        self.what = one_line(what)
        self.remedy = one_line(remedy)
        super().__init__(str(self))

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"

    def __reduce__(self) -> tuple[type[MimirError], tuple[str, str, str]]:
        """Pickle the error, so that a worker process can raise it."""
        return MimirError, (self.code, self.what, self.remedy)

    @property
    def reason(self) -> str:
        """Return the line without its code: the error, then the remedy."""
        return f"{self.what}. {self.remedy}" if self.remedy else f"{self.what}."


def error_of(error: Exception) -> MimirError:
    """Return the error itself, or describe an unforeseen one, which is a fault of MIMIR."""
    if isinstance(error, MimirError):
        return error
    if isinstance(error, MemoryError):
        return MimirError(
            "OUT_OF_MEMORY",
            "there is not enough memory for this study",
            "Close other programs, or allow more with --memory.",
        )
    if isinstance(error, RecursionError):
        return MimirError(
            "NESTED_TOO_DEEPLY",
            "a file contains parts within parts, more than can be read",
            "It is probably damaged: export or download the study again.",
        )
    if isinstance(error, OSError):
        reason = error.strerror or "an error without a name"
        return MimirError("SYSTEM_ERROR", f"the operating system reported: {reason} {fault(error)}")
    _log.debug("unforeseen error", exc_info=error)
    return MimirError("INTERNAL_ERROR", f"MIMIR failed {fault(error)}", "Please report it.")


def fault(error: BaseException) -> str:
    """Name the place in the engine where an unforeseen error arose.

    The error's own text is left out, which may quote a patient's data.
    """
    home = Path(__file__).parent
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if home in Path(frame.filename).parents]
    kind = type(error).__name__
    return f"({kind} at {Path(ours[-1].filename).name}:{ours[-1].lineno})" if ours else f"({kind})"


def one_line(text: str) -> str:
    """Return text that is safe in one line of a terminal or a table.

    Messages contain names of files and series, with any characters. White space becomes single
    blanks, unprintable characters become question marks, and the middle of long text is removed.
    """
    line = printable(" ".join(text.split()), "?")
    if len(line) <= MAX_CHARACTERS:
        return line
    half = MAX_CHARACTERS // 2 - 3
    return f"{line[:half]} ... {line[-half:]}"


def printable(text: str, instead: str = " ") -> str:
    """Replace characters that break lines, control terminals or cannot be encoded.

    These are control and format characters (also those that reverse the writing direction), line
    and paragraph separators, and the surrogates of undecodable file names.
    """
    return "".join(c if c.isprintable() else instead for c in text)
