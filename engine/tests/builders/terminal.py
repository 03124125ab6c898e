"""A terminal for tests: a command on a pseudo-terminal, and what a person sees there."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

ROWS, COLUMNS = 24, 100
MIMIR = (sys.executable, "-m", "mimir_engine")


class Terminal:
    """A command whose three streams are a pseudo-terminal.

    Attributes:
        written: All bytes that it has written so far.
    """

    def __init__(self, command: Sequence[str], folder: Path, **environment: str) -> None:
        self._descriptor, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        known = {"TERM": "xterm", "PYTHONIOENCODING": "utf-8"}
        self._process = subprocess.Popen(
            command,
            stdin=other,
            stdout=other,
            stderr=other,
            cwd=folder,
            env={**os.environ, **known, **environment},
            start_new_session=True,
        )
        os.close(other)
        self.written = b""

    def read_until(self, text: bytes) -> None:
        """Read until a text was written."""
        while text not in self.written:
            assert self._read(), f"{text!r} was not written, but {self.written!r}"

    def signal(self, number: int) -> None:
        """Show what a terminal shows of Ctrl-C, and send the command a signal."""
        self.written += b"^C"
        self._process.send_signal(number)

    def end(self) -> int:
        """Read until the command ends; return its exit status."""
        while self._read():
            pass
        return self.close()

    def close(self) -> int:
        """Close the terminal, as a connection that breaks; return the command's exit status."""
        os.close(self._descriptor)
        return self._process.wait(60)

    def _read(self) -> bytes:
        try:
            data = os.read(self._descriptor, 65536)
        except OSError:  # the command has ended
            data = b""
        self.written += data
        return data

    def screen(self, encoding: str = "utf-8") -> list[str]:
        """Return the lines that are to be seen, the last one being that of the cursor."""
        lines, column = [""], 0
        for character in self.written.decode(encoding).replace("\r\n", "\n"):
            if character == "\n":
                lines.append("")
                column = 0
            elif character == "\r":
                column = 0
            else:
                assert character.isprintable(), f"{character!r} is not for every terminal"
                line = lines[-1].ljust(column)
                lines[-1] = line[:column] + character + line[column + 1 :]
                column += 1
        return [line.rstrip() for line in lines]


def on_terminal(
    folder: Path, *arguments: str, status: int = 0, first: Optional[str] = None, **environment: str
) -> Terminal:
    """Run ``mimir`` on a terminal to its end, after a statement in Python if one is given."""
    program = (sys.executable, "-c", f"{first}\nfrom mimir_engine.cli import main\n{_EXIT}")
    terminal = Terminal([*(program if first else MIMIR), *arguments], folder, **environment)
    assert terminal.end() == status, terminal.written
    return terminal


_EXIT = "import sys; sys.exit(main())"
