"""The command ``mimir``: one file per subcommand, each with ``add_options`` and ``run``.

Only this package prints: results on standard output, progress and errors on standard error. An
error is one line ``CODE: what is wrong, what to do``, never a traceback. With ``MIMIR_DEBUG`` set,
tracebacks and warnings are shown.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn, Optional

import mimir_engine
from mimir_engine.errors import MimirError, fault, printable

#: Each command and its line in ``mimir --help``.
COMMANDS = {
    "demo": "make a synthetic study, measure it, and compare with the truth",
    "scan": "list what studies contain and whether they can be read, before measuring",
    "infer": "measure studies with inference modules and write CSV files",
    "project": "make the 3 x 256 x 256 image of one study, or a data set of many",
    "modules": "list, show, add and verify inference modules",
    "phantom": "make synthetic bodies with known measurements, as scans or projections",
    "train": "train a network on projections and targets",
    "crossvalidate": "predict every study with a network that has not seen its person",
    "evaluate": "evaluate predictions against reference values: tables and figures",
    "package": "make an inference module from training runs, or recalibrate one",
}

DONE, SOME_FAILED, WRONG_USE, CANCELLED = 0, 1, 2, 130

NOTICE = "Research software, not a medical device: its validation is described in the README."


class _Parser(argparse.ArgumentParser):
    """Reports a wrong command line in one line, as all of MIMIR does."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USE, f"WRONG_USE: {printable(message)}. Try '{self.prog} --help'.\n")


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run a command line, and return its exit status."""
    debug = bool(os.environ.get("MIMIR_DEBUG"))
    _set_up_streams(debug)
    try:
        status = _run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
        return status
    except MimirError as error:
        say(str(error))
        return WRONG_USE
    except KeyboardInterrupt:
        say("CANCELLED: stopped before the end. Run the same command again to continue.")
        return CANCELLED
    except BrokenPipeError:  # the reader of our output has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CANCELLED
    except Exception as error:  # a fault of ours
        if debug:
            raise
        say(
            f"INTERNAL_ERROR: MIMIR failed {fault(error)}."
            " Please report it; set MIMIR_DEBUG=1 to see more."
        )
        return WRONG_USE


def say(line: str) -> None:
    """Print one line on standard error, without control characters."""
    print(printable(line), file=sys.stderr, flush=True)


def wrong_use(command: str, what: str) -> MimirError:
    """Make the error about options of a command that contradict each other or are out of range."""
    return MimirError("WRONG_USE", what, f"Try 'mimir {command} --help'.")


def _run(argv: list[str]) -> int:
    parser = _parser()
    arguments = parser.parse_args(argv)
    if not arguments.command:
        parser.print_help()
        return WRONG_USE
    arguments.argv = argv
    return int(import_module(f"mimir_engine.cli.{arguments.command}").run(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="mimir", description=f"{mimir_engine.__doc__} {NOTICE}")
    parser.add_argument("--version", action="version", version=mimir_engine.__version__)
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for name, text in COMMANDS.items():
        command = subparsers.add_parser(name, help=text)
        import_module(f"mimir_engine.cli.{name}").add_options(command)
    return parser


def _set_up_streams(debug: bool) -> None:
    """Escape characters that the terminal cannot show, and silence the warnings of libraries.

    A library's warning may quote a patient's data from a DICOM header.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if debug:
        logging.basicConfig()
        logging.getLogger("mimir_engine").setLevel(logging.DEBUG)
        return
    logging.getLogger().addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")
