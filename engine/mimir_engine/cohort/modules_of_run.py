"""Find the inference modules that results were made with, by what their ledger says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mimir_engine.errors import MimirError
from mimir_engine.inference_module import InferenceModule, find_module, find_modules, module_sha256
from mimir_engine.inference_module.other_profile import with_profiles


def modules_of_run(
    run: Mapping[str, Any], given: Sequence[str] = (), profiles: Iterable[Path] = ()
) -> list[InferenceModule]:
    """Find the inference modules of a run, in its order, with its prefixes of columns.

    Args:
        run: What the results depend on, as the first line of a ledger has it.
        given: Names or folders of these modules; by default they are looked up by name.
        profiles: Scan profiles that the run was given instead of those of its modules.

    Raises:
        MimirError: ``MODULES_OF_RUN`` if a module or a profile is another one than that of the
            run; as `find_modules` and `with_profiles`.
    """
    try:
        noted = [
            (str(m["name"]), str(m["column_prefix"]), str(m["sha256"]), m.get("profile_sha256"))
            for m in run["modules"]
        ]
    except (LookupError, TypeError, AttributeError) as error:
        raise _other("the ledger does not say with which inference modules") from error
    found = find_modules(given) if given else [find_module(name) for name, *_ in noted]
    by_hash = {module_sha256(module): module for module in found}
    modules = []
    for name, prefix, sha256, _ in noted:
        if sha256 not in by_hash:
            raise _other(f"with another version of the inference module '{name}'")
        modules.append(replace(by_hash[sha256], column_prefix=prefix))
    modules = with_profiles(modules, profiles)
    for module, (name, _, _, profile_sha256) in zip(modules, noted):
        profile = module.profile()
        if (profile.sha256 if profile else None) != profile_sha256:
            raise _other(f"with another scan profile for the inference module '{name}'")
    return modules


def _other(what: str) -> MimirError:
    return MimirError(
        "MODULES_OF_RUN",
        f"these results were made {what}",
        "Give the folder of that module, or the file of that profile.",
    )
