"""The user's choices, kept in the scene: saved with it and there again when it is loaded."""

from __future__ import annotations

from typing import Annotated

from slicer.parameterNodeWrapper import Choice, WithinRange, parameterNodeWrapper


@parameterNodeWrapper
class MIMIRParameters:
    """What to measure, and how.

    study_uids: UIDs of the studies ticked.
    module_names: Names of the inference modules ticked.
    level: Share of the intervals that hold the true value.
    device: Where the networks run.
    volumes: Show the fused volumes, too.
    allow_unvalidated: Measure also studies that a module was not validated on.
    """

    study_uids: list[str]
    module_names: list[str]
    level: Annotated[float, WithinRange(0.5, 0.999)] = 0.95
    device: Annotated[str, Choice(["auto", "cpu", "cuda", "mps"])] = "auto"
    volumes: bool = True
    allow_unvalidated: bool = False
