"""The usual scans of an inference module, which scans and batches are compared with."""

from __future__ import annotations

from typing import Optional

from mimir_engine.errors import MimirError
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.inference_module.number_reference import NumberReference


def module_reference(module: InferenceModule) -> Optional[NumberReference]:
    """Return the numbers of a module's usual scans; None if it does not describe them."""
    profile = module.profile()
    return None if profile is None else profile.numbers


def require_reference(module: InferenceModule) -> NumberReference:
    """Return the numbers of a module's usual scans.

    Raises:
        MimirError: ``REFERENCE_MISSING``.
    """
    reference = module_reference(module)
    if reference is None:
        raise MimirError(
            "REFERENCE_MISSING",
            f"inference module '{module.name}' does not describe what its scans are like",
            "Package it again with `mimir package`, from images made by this version.",
        )
    return reference
