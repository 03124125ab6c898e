"""Find the inference modules that made the results of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mimir_engine.cohort.measure_studies import describe_module
from mimir_engine.errors import MimirError
from mimir_engine.inference_module import find_modules
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.inference_module.other_profile import with_profiles


def modules_of_run(
    run: Mapping[str, Any], given: Sequence[str] = (), profiles: Iterable[Path] = ()
) -> list[InferenceModule]:
    """Find the inference modules of a run, and check that they are the same.

    Args:
        run: What its results depend on: the first line of its ledger.
        given: Names, or folders of modules that `find_modules` would not find; by default the
            names that the run notes.
        profiles: The files of ``--profile`` that the run was given.

    Raises:
        MimirError: ``RESULTS_DIFFER`` if they are not those that made the results; what
            `find_modules` and `with_profiles` raise.
    """
    try:
        noted = [dict(module) for module in run["modules"]]
        own = [f"{module['name']}={module['column_prefix']}" for module in noted]
    except (LookupError, TypeError, ValueError) as error:
        raise MimirError(
            "LEDGER_DAMAGED",
            "the first line of the ledger does not name the inference modules",
            "Restore the file from a copy.",
        ) from error
    modules = with_profiles(find_modules(given or own), profiles)
    found = [describe_module(module) for module in modules]
    if found == noted:
        return modules
    pairs = zip(noted, found)
    other = [key for then, now in pairs for key in {**then, **now} if then.get(key) != now.get(key)]
    different = ", ".join(dict.fromkeys(other)) or "number"
    raise MimirError(
        "RESULTS_DIFFER",
        "the inference modules that were found are not those of the results"
        f" (different {different})",
        "Name the folders of the modules with --modules, and give the same --profile as the run.",
    )
