"""``mimir report``: write reports on measured studies, as HTML pages and PDF files."""

from __future__ import annotations

import argparse
from pathlib import Path

from mimir_engine.cli import DONE, SOME_FAILED, say, show
from mimir_engine.files.optional_packages import is_installed


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "details",
        nargs="+",
        type=Path,
        metavar="DETAILS_DIR",
        help="folder that `mimir infer --details` or `mimir measure --details` wrote, or the folder"
        " of one study in it",
    )
    parser.add_argument(
        "--output", required=True, type=Path, metavar="DIR", help="folder of the reports"
    )
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--html", action="store_true", help="write HTML pages only")
    kinds.add_argument("--pdf", action="store_true", help="write PDF files only (default: both)")


def run(arguments: argparse.Namespace) -> int:
    """Write one report per study."""
    from mimir_engine.cohort.study_failure import StudyFailure
    from mimir_engine.files.folder_lock import folder_lock
    from mimir_engine.report.write_reports import HTML, PDF, find_study_folders, write_reports

    kinds = [PDF] if arguments.pdf else [HTML] if arguments.html else [HTML, PDF]
    if not (arguments.html or arguments.pdf or is_installed("report")):
        kinds = [HTML]
        say("HTML pages only: for PDF files, run: pip install 'mimir-engine[report]'.")
    folders = find_study_folders(arguments.details)
    failed = 0
    with folder_lock(arguments.output):
        for written in write_reports(folders, arguments.output, kinds):
            if isinstance(written, StudyFailure):
                failed += 1
                say(f"{written.code}: {written.name}: {written.reason}")
            else:
                show(*map(str, written))
    return SOME_FAILED if failed else DONE
