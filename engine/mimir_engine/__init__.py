"""Body measurements with prediction intervals from neck-to-knee Dixon MRI."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.9.0"

#: Public names and their modules, which are imported on first use, so that importing the package
#: costs nothing.
_PUBLIC = {
    "LabelMap": "labels",
    "MimirError": "errors",
    "VolumePair": "fusion.volume_pair",
    "analyze": "measuring.one_study",
    "classify": "study",
    "find_module": "inference_module",
    "fuse": "fusion",
    "measure_directly": "direct",
    "measure_labels": "labels",
    "open_volumes": "measuring.study_volumes",
    "project": "projection",
    "read_label_map": "labels",
    "read_study": "study",
}

__all__ = ["__version__", *sorted(_PUBLIC)]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)
