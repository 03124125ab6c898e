"""Inference modules: trained networks with their scales, one folder each.

``format`` and ``target`` define a module and its ``module.json``; ``folder`` loads, writes,
verifies and finds modules, ``add_module`` adds them, ``import_published`` converts those of the
published layout; ``weights``, ``statistics``, ``profile_file`` are files beside ``module.json``;
``scan_profile`` describes the scans that a module knows, ``fit_profile`` makes it;
``acceptance`` compares a study with what a module was validated on. torch is imported only to
read published weights.
"""

from mimir_engine.inference_module.acceptance import Accepts
from mimir_engine.inference_module.folder import (
    check_columns,
    check_projection,
    find_module,
    find_modules,
    load_module,
    module_folders,
    module_sha256,
    rewrite_module,
    verify_module,
    write_module,
)
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.inference_module.target import Target

__all__ = [
    "Accepts",
    "InferenceModule",
    "Target",
    "check_columns",
    "check_projection",
    "find_module",
    "find_modules",
    "load_module",
    "module_folders",
    "module_sha256",
    "rewrite_module",
    "verify_module",
    "write_module",
]
