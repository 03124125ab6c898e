"""The command ``mimir``: one file per subcommand, each with ``add_options`` and ``run``.

Only this package prints: results on standard output, progress and errors on standard error. An
error is one line ``CODE: what is wrong, what to do``, never a traceback. With ``MIMIR_DEBUG`` set,
tracebacks and warnings are shown.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn, Optional

import mimir_engine
from mimir_engine.cli._signals import stopped_by_signals
from mimir_engine.cli._streams import (
    discard,
    escape_unknown_characters,
    open_missing_streams,
    writing,
)
from mimir_engine.errors import MimirError, error_of, printable

#: Each command and its line in ``mimir --help``.
COMMANDS = {
    "demo": "make a synthetic study, measure it, and compare with the truth",
    "scan": "list what studies contain and whether they can be read, before measuring",
    "check": "check the images of studies, without measuring them",
    "infer": "measure studies with inference modules and write CSV files",
    "merge": "merge the results of shards into one folder",
    "status": "show the progress of runs, while they run and after they ended",
    "forget": "remove people who withdrew from results that exist",
    "profile": "describe your own usual scans, so that later ones are compared with them",
    "measure": "measure studies in their volumes, without a network",
    "fuse": "write stitched volumes of all contrasts, as NIfTI or NRRD",
    "report": "write a report on each measured study, as HTML and PDF",
    "gallery": "write a page to look through the studies of a cohort and mark them",
    "project": "make the 3 x 256 x 256 image of one study, or a data set of many",
    "modules": "list, show, add and verify inference modules",
    "phantom": "make synthetic bodies with known measurements, as scans or projections",
    "train": "train a network on projections and targets",
    "crossvalidate": "predict every study with a network that has not seen its person",
    "drift": "compare a batch of scans with another one, or with those of a module",
    "harmonise": "estimate the water signal of a scanner, to correct its fat fractions",
    "evaluate": "evaluate predictions against reference values: tables and figures",
    "package": "make an inference module from training runs, or recalibrate one",
}

#: Exit statuses; a signal gives 128 plus its number (``CANCELLED`` is that of Ctrl-C).
DONE, SOME_FAILED, WRONG_USE, CANCELLED = 0, 1, 2, 130

NOTICE = "Research software, not a medical device: its validation is described in the README."


class _Parser(argparse.ArgumentParser):
    """Reports a wrong command line in one line, as all of MIMIR does."""

    def error(self, message: str) -> NoReturn:
        say(str(MimirError("WRONG_USE", message, f"Try '{self.prog} --help'.")))
        sys.exit(WRONG_USE)

    def print_help(self, file: object = None) -> None:
        show(*self.format_help().splitlines())


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run a command line, and return its exit status."""
    debug = bool(os.environ.get("MIMIR_DEBUG"))
    is_program = argv is None
    with stopped_by_signals(is_program):
        try:
            open_missing_streams()
            escape_unknown_characters()
            _choose_messages(debug, is_program)
            return _run(list(sys.argv[1:] if argv is None else argv))
        except KeyboardInterrupt as error:
            say("CANCELLED: stopped before the end. Run the same command again to continue.")
            return getattr(error, "status", CANCELLED)
        except BrokenPipeError:  # the reader of our output has ended
            return CANCELLED
        except Exception as error:
            known = error_of(error)
            if debug and known is not error:
                raise
            say(str(known))
            return WRONG_USE


def say(line: str) -> None:
    """Print one line on standard error, without control characters.

    A run goes on if nobody reads it, or the disk that it is written to is full.
    """
    try:
        sys.stderr.write(f"{printable(line)}\n")
        sys.stderr.flush()
    except OSError:
        discard(sys.stderr)


def show(*lines: str) -> None:
    """Print lines on standard output, without control characters.

    Raises:
        BrokenPipeError: Their reader has ended.
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    with writing(sys.stdout):
        for line in lines:
            print(printable(line))
        sys.stdout.flush()


def wrong_use(command: str, what: str) -> MimirError:
    """Make the error about options of a command that contradict each other or are out of range."""
    return MimirError("WRONG_USE", what, f"Try 'mimir {command} --help'.")


def _run(argv: list[str]) -> int:
    parser = _parser()
    if "" in argv:  # as of a shell's variable without a value
        parser.error("an argument is empty")
    arguments = parser.parse_args(argv)
    if arguments.version:
        show(mimir_engine.__version__)
        return DONE
    if not arguments.command:
        parser.print_help()
        return WRONG_USE
    _check_working_folder()
    arguments.argv = argv
    return int(import_module(f"mimir_engine.cli.{arguments.command}").run(arguments))


def _check_working_folder() -> None:
    """Refuse to run where relative paths lead nowhere.

    Raises:
        MimirError: ``WORKING_FOLDER_GONE``.
    """
    try:
        os.getcwd()
    except OSError as error:
        raise MimirError(
            "WORKING_FOLDER_GONE",
            "the working folder was deleted or may not be read",
            "Change to another folder, then run the command again.",
        ) from error


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="mimir", description=f"{mimir_engine.__doc__} {NOTICE}")
    parser.add_argument("--version", action="store_true", help="show the version")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for name, text in COMMANDS.items():
        command = subparsers.add_parser(name, help=text)
        import_module(f"mimir_engine.cli.{name}").add_options(command)
    return parser


def _choose_messages(debug: bool, is_program: bool) -> None:
    """Silence the warnings of libraries, and errors of their threads, unless they are asked for.

    They may quote a patient's data from a DICOM header.
    """
    if debug:
        logging.basicConfig()
        logging.getLogger("mimir_engine").setLevel(logging.DEBUG)
        return
    logging.getLogger().addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")
    if is_program:
        sys.unraisablehook = lambda unraisable: None
        threading.excepthook = lambda unraisable: None
