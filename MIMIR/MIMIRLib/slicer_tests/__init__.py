"""Tests inside Slicer, with its DICOM database, scene and widgets, on a phantom study.

``run_all`` runs them; Slicer's own ways to run a module's tests lead here. Without a main window
those that look at views are left out.
"""

from __future__ import annotations

import sys
import unittest

#: The files of this package that hold tests, in the order in which they are run.
TEST_FILES = (
    "panel_tests",
    "panel_shape_tests",
    "run_tests",
    "finding_tests",
    "view_tests",
    "console_tests",
    "report_tests",
    "readme_tests",
    "bad_input_tests",
    "reader_tests",
    "dicom_plugin_tests",
    "all_in_one_tests",
    "scene_file_tests",
    "identity_tests",
    "table_tests",
    "geometry_tests",
    "scene_source_tests",
    "start_tests",
)


def run_all() -> unittest.TestResult:
    """Run all tests on a phantom study in a temporary DICOM database."""
    from MIMIRLib.slicer_tests.phantom_database import phantom_database

    names = [f"{__name__}.{file}" for file in TEST_FILES]
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    with phantom_database():
        return unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
