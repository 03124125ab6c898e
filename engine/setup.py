"""Pack the included inference module, which lies beside the engine in a checkout.

All else about the package is in ``pyproject.toml``.
"""

from __future__ import annotations

import os
import shutil

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

#: In a source distribution, and in a checkout.
PLACES = (os.path.join("weights", "phantom"), os.path.join("..", "weights", "phantom"))


def included_module() -> str:
    """Return the folder of the included module."""
    return next(place for place in PLACES if os.path.isdir(place))


class BuildWithModule(build_py):
    """Build the package with ``weights/phantom`` in it, where the engine looks for modules."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:  # which finds the checkout's own
            target = os.path.join(self.build_lib, "mimir_engine", "weights", "phantom")
            shutil.copytree(included_module(), target, dirs_exist_ok=True)


class SourceWithModule(sdist):
    """Make a source distribution with ``weights/phantom`` in it."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        super().make_release_tree(base_dir, files)
        target = os.path.join(base_dir, "weights", "phantom")
        shutil.copytree(included_module(), target, dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithModule, "sdist": SourceWithModule})
