"""Keep the user's choices in the scene, so that they are saved and loaded with it."""

from __future__ import annotations

from typing import Annotated

import slicer
from slicer.parameterNodeWrapper import Choice, WithinRange, parameterNodeWrapper

from MIMIRLib.interval_level import DEFAULT_LEVEL, MAX_LEVEL, MIN_LEVEL
from MIMIRLib.translate import tr as _

#: The engine's devices, and their names for people.
DEVICES = {
    "auto": _("Automatic"),
    "cpu": _("CPU"),
    "cuda": _("NVIDIA GPU (CUDA)"),
    "mps": _("Apple GPU (MPS)"),
}
#: The engine's runtimes, and their names for people.
RUNTIMES = {"auto": _("Automatic"), "onnx": _("ONNX Runtime"), "torch": _("PyTorch")}


@parameterNodeWrapper
class MIMIRParameterNode:
    """The studies, inference modules and options to measure with.

    study_uids: UIDs of the ticked studies.
    water, fat, in_phase, opposed_phase: Volumes of the scene that are measured as one study.
    segmentation: A segmentation or a label map of the one study that is measured.
    module_names: Names of the ticked inference modules.
    level: Share of the intervals that contain the true value.
    device: Device for the networks.
    runtime: What runs the networks.
    volumes: Show the fused volumes.
    allow_unvalidated: Also measure studies outside the inference modules' validated range.
    """

    study_uids: list[str]
    water: slicer.vtkMRMLScalarVolumeNode
    fat: slicer.vtkMRMLScalarVolumeNode
    in_phase: slicer.vtkMRMLScalarVolumeNode
    opposed_phase: slicer.vtkMRMLScalarVolumeNode
    segmentation: slicer.vtkMRMLDisplayableNode
    module_names: list[str]
    level: Annotated[float, WithinRange(MIN_LEVEL, MAX_LEVEL)] = DEFAULT_LEVEL
    device: Annotated[str, Choice(list(DEVICES))] = "auto"
    runtime: Annotated[str, Choice(list(RUNTIMES))] = "auto"
    volumes: bool = True
    allow_unvalidated: bool = False
