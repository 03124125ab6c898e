"""``mimir measure``: measure studies in their volumes, without a network."""

from __future__ import annotations

import argparse

from mimir_engine.cli._label_options import add_label_options, chosen_label_names
from mimir_engine.cli._measuring import (
    add_columns_option,
    add_result_options,
    measure_all,
    with_listener,
)
from mimir_engine.cli._study_options import (
    add_repair_option,
    add_shard_option,
    add_study_options,
    check_study_options,
)
from mimir_engine.cli._volume_options import add_volume_options
from mimir_engine.cohort.events import Listener, engine_event
from mimir_engine.cohort.tables.styles import LONG, SHORT
from mimir_engine.files.optional_packages import require


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_study_options(parser)
    add_volume_options(parser)
    add_shard_option(parser)
    add_repair_option(parser)
    add_label_options(parser)
    add_columns_option(parser, (LONG, SHORT))  # the published engine has no direct measurements
    add_result_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Measure all studies and write the results."""
    return with_listener(arguments, _measure)


def _measure(arguments: argparse.Namespace, listener: Listener) -> int:
    listener(engine_event())
    check_study_options(arguments)
    if arguments.parquet:
        require("parquet")
    return measure_all(arguments, (), listener, label_names=chosen_label_names(arguments))
