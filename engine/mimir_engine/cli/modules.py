"""``mimir modules``: list, show, add and verify inference modules."""

from __future__ import annotations

import argparse
from pathlib import Path

from mimir_engine.cli import DONE, SOME_FAILED, say, show, wrong_use
from mimir_engine.errors import MimirError


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="list all modules")
    show = actions.add_parser("show", help="show a module's measurements and validated range")
    add = actions.add_parser("add", help="add a module in MIMIR's own or the published format")
    verify = actions.add_parser("verify", help="compare a module's files with their hashes")
    for action in (show, verify):
        action.add_argument("module", help="name or folder of a module")
    add.add_argument("source", type=Path, help="folder or zip archive")
    add.add_argument("--name", help="name of a published module (default: the folder's name)")
    add.add_argument(
        "--into",
        type=Path,
        metavar="DIR",
        help="folder to add it to (default: the first of MIMIR_WEIGHTS, else your own folder of"
        " modules)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run one of the actions."""
    return {"list": _list, "show": _show, "add": _add, "verify": _verify}[arguments.action](
        arguments
    )


def _list(arguments: argparse.Namespace) -> int:
    from mimir_engine.inference_module import load_module, module_folders
    from mimir_engine.inference_module.folder import same_name_elsewhere
    from mimir_engine.inference_module.search_path import locate

    listed, failed = 0, 0
    for folder in module_folders():
        try:
            module = load_module(folder)
        except MimirError as error:
            say(str(error))
            failed += 1
            continue
        show(f"{module.name:<20} {module.version:<10} {len(module.targets):>3}  {module.title}")
        for other in same_name_elsewhere(module):
            say(f"A different module of this name is in {other}.")
        listed += 1
    if not listed:
        say(f"No inference modules in {', '.join(map(str, locate().modules))}.")
    return SOME_FAILED if failed else DONE


def _show(arguments: argparse.Namespace) -> int:
    from mimir_engine.inference_module import find_module
    from mimir_engine.inference_module.description import describe

    show(*describe(find_module(arguments.module)).split("\n"))
    return DONE


def _add(arguments: argparse.Namespace) -> int:
    from mimir_engine.inference_module.add_module import add_or_keep_module
    from mimir_engine.inference_module.folder import same_name_elsewhere
    from mimir_engine.inference_module.search_path import locate

    destination = arguments.into or locate().added
    if destination is None:
        raise wrong_use("modules add", "you have no home folder for inference modules: give --into")
    module, is_there = add_or_keep_module(arguments.source, destination, arguments.name)
    count = len(module.targets)
    measurements = "1 measurement" if count == 1 else f"{count} measurements"
    done = "is there already" if is_there else "added"
    show(f"{module.name} {done}: {measurements}, in {module.folder}")
    if destination.resolve() not in [place.resolve() for place in locate().modules]:
        say(f"This folder is not searched for names. Use the module as {module.folder}")
    for folder in same_name_elsewhere(module):
        say(f"A different module of this name is in {folder}: give the folder of the one to use.")
    return DONE


def _verify(arguments: argparse.Namespace) -> int:
    from mimir_engine.inference_module import find_module, verify_module

    module = find_module(arguments.module)
    verify_module(module)
    show(f"{module.name} {module.version}: all files match their hashes")
    return DONE
