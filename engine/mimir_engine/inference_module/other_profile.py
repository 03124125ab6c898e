"""Compare scans with profiles that a user gives instead of those of the modules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from mimir_engine.errors import MimirError
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.inference_module.profile_file import read_profile


def with_profiles(
    modules: Sequence[InferenceModule], paths: Iterable[Path]
) -> list[InferenceModule]:
    """Let modules compare scans with profiles that a user gives.

    Raises:
        MimirError: ``PROFILE_INVALID``; ``PROFILE_MISMATCH`` if a profile was made with none of
            the modules.
    """
    given = {}
    for path in paths:
        profile = read_profile(path)
        if all(profile.network != module.weights[0].sha256 for module in modules):
            raise MimirError(
                "PROFILE_MISMATCH",
                f"{path.name} was made with another inference module",
                "Make it again with `mimir profile --module` and this module.",
            )
        given[profile.network] = profile
    return [
        replace(module, other_profile=given.get(module.weights[0].sha256)) for module in modules
    ]
