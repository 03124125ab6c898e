"""The command ``mimir``: one file a subcommand, each with ``add_parser`` and ``run``.

Printing happens in this package only: results on standard output, progress and errors on
standard error. An error is one line ``CODE: what is wrong, what to do``, never a traceback.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn, Optional

import mimir_engine
from mimir_engine.errors import MimirError

COMMANDS = ("demo", "infer", "project", "modules", "phantom", "train")

DONE, SOME_FAILED, WRONG_USE, CANCELLED = 0, 1, 2, 130

NOTICE = "Research software, not a medical device: see the README for whom it was validated on."


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with the command line in one line, as all of MIMIR does."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USE, f"WRONG_USE: {message}. Try '{self.prog} --help'.\n")


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run a command line; returns its exit status."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if not arguments.command:
        parser.print_help()
        return WRONG_USE
    arguments.argv = list(sys.argv[1:] if argv is None else argv)
    try:
        return import_module(f"mimir_engine.cli.{arguments.command}").run(arguments)
    except MimirError as error:
        print(_one_line(str(error)), file=sys.stderr)
        return WRONG_USE
    except KeyboardInterrupt:
        print("CANCELLED: the same command goes on where this one was.", file=sys.stderr)
        return CANCELLED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SOME_FAILED
    except Exception as error:  # a fault of ours: no traceback unless one is asked for
        if os.environ.get("MIMIR_DEBUG"):
            raise
        print(
            f"INTERNAL_ERROR: MIMIR failed ({type(error).__name__})."
            " Please report it; MIMIR_DEBUG=1 shows where.",
            file=sys.stderr,
        )
        return WRONG_USE


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="mimir", description=f"{mimir_engine.__doc__} {NOTICE}")
    parser.add_argument("--version", action="version", version=mimir_engine.__version__)
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for command in COMMANDS:
        import_module(f"mimir_engine.cli.{command}").add_parser(subparsers)
    return parser


def _one_line(text: str) -> str:
    """Without control characters: names out of files can't steer the terminal."""
    return "".join(c if c.isprintable() else " " for c in text)
