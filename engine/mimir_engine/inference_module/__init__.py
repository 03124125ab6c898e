"""Inference modules: trained networks with their scales, each in a folder of its own.

``format`` and ``target`` say what one is and how ``module.json`` holds it, ``folder`` loads,
writes, verifies and finds them, ``store`` adds them, ``published`` converts those of the published
layout; ``weights``, ``statistics`` and ``features`` are the files beside ``module.json``,
``acceptance`` says which studies a module was validated on. Nothing here needs torch before weights
are read or written.
"""

from mimir_engine.inference_module.acceptance import Accepts, outside_validation
from mimir_engine.inference_module.folder import (
    check_columns,
    check_projection,
    file_sha256,
    find_module,
    find_modules,
    list_modules,
    load_module,
    module_folders,
    module_sha256,
    new_folder,
    verify_module,
    write_module,
    write_module_anew,
)
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.inference_module.target import Target

__all__ = [
    "Accepts",
    "InferenceModule",
    "Target",
    "check_columns",
    "check_projection",
    "file_sha256",
    "find_module",
    "find_modules",
    "list_modules",
    "load_module",
    "module_folders",
    "module_sha256",
    "new_folder",
    "outside_validation",
    "verify_module",
    "write_module",
    "write_module_anew",
]
