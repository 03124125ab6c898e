"""``mimir check``: check studies without measuring them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mimir_engine.cli import DONE, SOME_FAILED, say, show, wrong_use
from mimir_engine.cli._progress import event_lines, print_event, shown_events, studies
from mimir_engine.cli._study_options import (
    add_repair_option,
    add_shard_option,
    add_study_options,
    check_study_options,
    chosen_studies,
    read_options,
    reader_limits,
)
from mimir_engine.cli._volume_options import add_volume_options
from mimir_engine.cohort.events import Listener, engine_event


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_study_options(parser)
    add_volume_options(parser)
    add_shard_option(parser)
    add_repair_option(parser)
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="folder for tables of the findings; a stopped run is resumed there",
    )
    parser.add_argument(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="folder for one picture of each study with findings (.png)",
    )
    parser.add_argument("--overwrite", action="store_true", help="discard earlier findings in DIR")
    parser.add_argument("--events", action="store_true", help="print JSON lines on standard output")


def run(arguments: argparse.Namespace) -> int:
    """Check all studies."""
    if arguments.overwrite and not arguments.output:
        raise wrong_use("check", "--overwrite requires --output")
    if not arguments.events and not arguments.output:
        return _check(arguments, _print_event)
    with event_lines() if arguments.events else shown_events() as listener:
        return _check(arguments, listener)


def _check(arguments: argparse.Namespace, listener: Listener) -> int:
    listener(engine_event())
    check_study_options(arguments)

    from mimir_engine.cohort.check_studies import CheckOptions, check_cohort, check_studies

    sources, output = arguments.shard.of(chosen_studies(arguments, listener)), arguments.output
    options = CheckOptions(
        arguments.jobs, read_options(arguments), reader_limits(arguments), arguments.pictures
    )
    if output is None:
        done, refused = check_studies(sources, listener, options)
        listener({"event": "finished", "done": done - refused, "refused": refused})
        return SOME_FAILED if refused else DONE
    done, stopped, failed = check_cohort(sources, output, listener, options, arguments.overwrite)
    listener({"event": "finished", "done": done, "failed": failed, "output": str(output)})
    return SOME_FAILED if stopped or failed else DONE


def _print_event(event: Mapping[str, Any]) -> None:
    if event["event"] == "check":
        show(*_lines(event))
    elif event["event"] == "finished":
        say(f"{studies(event['done'])} would be measured, {event['refused']} refused")
    else:
        print_event(event)


def _lines(check: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was found in one study."""
    yield f"{check['name']}: {check['state']}"
    if check["state"] == "failed":
        yield f"  {check['code']}: {check['reason']}"
    for finding in check["findings"]:
        remedy = f" {finding['remedy']}" if finding["remedy"] else ""
        yield f"  {finding['severity']} {finding['code']}: {finding['sentence']}.{remedy}"
    if check["picture"]:
        yield f"  picture: {check['picture']}"
