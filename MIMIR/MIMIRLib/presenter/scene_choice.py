"""Read what the user has chosen of the scene: volumes as a study, and a segmentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional

from MIMIRLib.scene.scene_pair import ScenePair
from MIMIRLib.translate import tr as _

if TYPE_CHECKING:
    from MIMIRLib.parameter_node import MIMIRParameterNode


@dataclass(frozen=True)
class SceneChoice:
    """What the user has chosen of the scene.

    Attributes:
        pairs: One study of the chosen volumes; none if none are chosen, or something is wrong.
        problem: What is wrong with the chosen volumes, as a next step; empty if nothing is.
        segmentation: Node of a segmentation or a label map; None without one.
    """

    pairs: tuple[ScenePair, ...] = ()
    problem: str = ""
    segmentation: Optional[Any] = None


def scene_choice(parameters: MIMIRParameterNode) -> SceneChoice:
    """Return the choice that a parameter node keeps."""
    nodes = (parameters.water, parameters.fat, parameters.in_phase, parameters.opposed_phase)
    chosen = [node for node in nodes if node is not None]
    segmentation = parameters.segmentation
    if not chosen:
        return SceneChoice(segmentation=segmentation)
    if parameters.water is None or parameters.fat is None:
        problem = _("Choose the water volume and the fat volume, or neither.")
    elif len({node.GetID() for node in chosen}) < len(chosen):
        problem = _("Choose a different volume for each contrast.")
    else:
        return SceneChoice((ScenePair(*nodes),), segmentation=segmentation)
    return SceneChoice(problem=problem, segmentation=segmentation)
