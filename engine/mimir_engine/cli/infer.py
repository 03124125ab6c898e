"""``mimir infer``: measure any number of studies with inference modules."""

from __future__ import annotations

import argparse
from pathlib import Path

from mimir_engine.cli._label_options import add_label_options, chosen_label_names
from mimir_engine.cli._measuring import (
    add_columns_option,
    add_result_options,
    add_runtime_option,
    measure_all,
    with_listener,
)
from mimir_engine.cli._name_lists import names_in
from mimir_engine.cli._study_options import (
    add_repair_option,
    add_shard_option,
    add_site_option,
    add_study_options,
    check_study_options,
)
from mimir_engine.cli._volume_options import add_volume_options
from mimir_engine.cohort.events import Listener, engine_event
from mimir_engine.cohort.tables.styles import PUBLISHED, STYLES
from mimir_engine.errors import MimirError
from mimir_engine.files.optional_packages import require
from mimir_engine.measuring.interval_level import DEFAULT_LEVEL, MAX_LEVEL, MIN_LEVEL, check_level


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_study_options(parser)
    add_volume_options(parser)
    add_shard_option(parser)
    add_repair_option(parser)
    add_site_option(parser)
    parser.add_argument(
        "--modules",
        required=True,
        metavar="NAME_OR_DIR[,...]",
        help="inference modules; NAME=PREFIX puts a prefix before the column names",
    )
    parser.add_argument(
        "--level",
        type=float,
        default=DEFAULT_LEVEL,
        help=f"level of the intervals, {MIN_LEVEL} to {MAX_LEVEL} (default: {DEFAULT_LEVEL})",
    )
    parser.add_argument(
        "--sex",
        default="",
        metavar="female|male|TABLE|header",
        help="recorded sex, for intervals, percentiles and z-scores: of all studies, a table with"
        " the columns study (or eid) and sex, or that of the headers (default: as estimated)",
    )
    parser.add_argument(
        "--device",
        default="auto",
        choices=("auto", "cpu", "cuda", "mps"),
        help="device of the networks (default: auto)",
    )
    add_runtime_option(parser)
    parser.add_argument(
        "--allow-unvalidated",
        action="store_true",
        help="also measure studies outside a module's validated range, and flag them",
    )
    parser.add_argument(
        "--profile",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="compare scans with those of `mimir profile`, instead of those that the module knows;"
        " once per module",
    )
    add_label_options(parser)
    add_columns_option(parser, STYLES)
    parser.add_argument(
        "--published-columns",
        action="store_const",
        const=PUBLISHED,
        dest="columns",
        help="deprecated: use --columns published",
    )
    add_result_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Measure all studies and write the results."""
    return with_listener(arguments, _infer)


def _infer(arguments: argparse.Namespace, listener: Listener) -> int:
    listener(engine_event())
    check_level(arguments.level)
    if not names_in(arguments.modules):
        raise MimirError("WRONG_USE", "--modules names no module", "Try 'mimir modules list'.")
    check_study_options(arguments)
    if arguments.parquet:
        require("parquet")

    from mimir_engine.cohort.inclusion.recorded_sex import read_recorded_sex
    from mimir_engine.inference_module import find_modules
    from mimir_engine.inference_module.other_profile import with_profiles
    from mimir_engine.measuring.runtime import choose_runtime

    choose_runtime(arguments.runtime, arguments.device)  # what it lacks is told before any work
    modules = with_profiles(find_modules(names_in(arguments.modules)), arguments.profile)
    return measure_all(
        arguments,
        modules,
        listener,
        level=arguments.level,
        sex=read_recorded_sex(arguments.sex),
        device=arguments.device,
        runtime=arguments.runtime,
        allow_unvalidated=arguments.allow_unvalidated,
        label_names=chosen_label_names(arguments),
    )
