"""``mimir gallery``: write a page to look through the studies of a cohort."""

from __future__ import annotations

import argparse
from pathlib import Path

from mimir_engine.cli import DONE, say, show, wrong_use
from mimir_engine.cli._progress import studies


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "results",
        type=Path,
        metavar="DIR",
        help="output folder of `mimir infer` or `mimir measure`",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="folder of the page, with copies of the images (default: gallery in DIR)",
    )
    parser.add_argument(
        "--anonymous-names",
        action="store_true",
        help="show study_0001, study_0002, ... instead of the studies' names",
    )
    parser.add_argument(
        "--key",
        type=Path,
        metavar="FILE",
        help="with --anonymous-names: table (CSV) of the numbers and names of studies; an existing"
        " one is continued",
    )
    parser.add_argument(
        "--reports",
        type=Path,
        metavar="FOLDER",
        help="link each study to its report in this folder of `mimir report`",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the page."""
    from mimir_engine.report.gallery.write_gallery import GalleryOptions, write_gallery

    if arguments.key and not arguments.anonymous_names:
        raise wrong_use("gallery", "--key requires --anonymous-names")
    if arguments.reports and arguments.anonymous_names:
        raise wrong_use("gallery", "--reports shows names, which --anonymous-names hides")
    options = GalleryOptions(
        arguments.output, arguments.anonymous_names, arguments.key, arguments.reports
    )
    written = write_gallery(arguments.results, options)
    if written.damaged:
        say(f"{written.damaged} images are damaged, and are not shown.")
    measured = studies(written.studies)
    say(f"{measured}, {written.failed} failed, {written.pictures} with images")
    show(str(written.page))
    return DONE
