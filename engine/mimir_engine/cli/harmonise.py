"""``mimir harmonise``: estimate the water signal of a scanner, to correct its fat fractions."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mimir_engine.cli import DONE, say, show, wrong_use
from mimir_engine.cli._choice_options import (
    add_choice_options,
    person_rule,
    say_all,
    study_choice,
)
from mimir_engine.cli._progress import print_event
from mimir_engine.cli._study_options import (
    add_repair_option,
    add_study_options,
    check_study_options,
    chosen_studies,
    read_options,
    reader_limits,
    shown_command,
)

if TYPE_CHECKING:
    from mimir_engine.cohort.scanners.scan_number_table import ScanNumberTable


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_study_options(parser)
    add_repair_option(parser)
    parser.add_argument(
        "--module",
        required=True,
        metavar="NAME",
        help="inference module whose scans are the reference",
    )
    parser.add_argument(
        "--output",
        required=True,
        type=Path,
        metavar="FILE",
        help="file for --site of `mimir infer` (.json); a figure is written beside it, and the"
        " numbers of scans that are read are kept in a folder beside it",
    )
    parser.add_argument(
        "--mixed-scanners",
        action="store_true",
        help="take scans of several or unknown scanners together",
    )
    add_choice_options(parser, splits_persons=False)


def run(arguments: argparse.Namespace) -> int:
    """Estimate the constant and write it."""
    if not arguments.output.name:
        raise wrong_use("harmonise", "--output must name a file")
    check_study_options(arguments)
    from mimir_engine.cohort.scanners.estimate_site import describe_site, estimate_site, site_ratios
    from mimir_engine.files.optional_packages import is_installed
    from mimir_engine.inference_module import find_module
    from mimir_engine.inference_module.module_reference import require_reference
    from mimir_engine.study.site import write_site

    module = find_module(arguments.module)
    reference = require_reference(module)
    scanner, ratios = site_ratios(_numbers(arguments), arguments.mixed_scanners)
    site = estimate_site(ratios, scanner, reference, module.name)
    write_site(arguments.output, site)
    if is_installed("figures"):
        from mimir_engine.evaluation.site_figure import draw_site

        draw_site(arguments.output.with_suffix(".png"), site, ratios)
    for line in describe_site(site):
        say(line)
    show(str(arguments.output))
    return DONE


def _numbers(arguments: argparse.Namespace) -> ScanNumberTable:
    """Return the numbers of the scans; read them first if need be."""
    from mimir_engine.cohort.measure_studies import InferOptions, infer
    from mimir_engine.cohort.result_files import write_cohort
    from mimir_engine.cohort.scanners.chosen_scans import choose_scans
    from mimir_engine.cohort.scanners.scan_number_table import SCAN_NUMBERS_FILE, read_numbers_of

    choice, persons = study_choice(arguments), person_rule(arguments)
    given = [Path(source) for source in arguments.source]
    if len(given) == 1 and (given[0] / SCAN_NUMBERS_FILE).is_file():
        (table,), said = choose_scans([read_numbers_of(given[0])], choice, persons)
        say_all(said)
        return table
    folder = arguments.output.with_name(f"{arguments.output.stem}_scans")
    options = InferOptions(
        jobs=arguments.jobs,
        reading=read_options(arguments),
        limits=reader_limits(arguments),
        choice=choice,
        persons=persons,
    )
    cohort = infer(chosen_studies(arguments), (), folder, options, print_event)
    write_cohort(folder, cohort, shown_command(arguments))
    return read_numbers_of(folder)
