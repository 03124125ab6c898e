"""The folder of the page of a cohort, in the folder of its results."""

from __future__ import annotations

import shutil
from pathlib import Path

from mimir_engine.cohort.output_files import GALLERY_FOLDER
from mimir_engine.files.atomic import output_errors

#: The page, its pictures of all studies, and copies of projections that lie elsewhere.
PAGE_FILE, THUMBNAILS, IMAGES = "index.html", "thumbnails", "images"


def holds_other_files(gallery: Path) -> bool:
    """Return whether a folder holds something that is no part of a page.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    with output_errors(gallery):
        held = {path.name for path in gallery.iterdir()} if gallery.is_dir() else set[str]()
    return not held <= {PAGE_FILE, THUMBNAILS, IMAGES}


def remove_gallery(results: Path) -> None:
    """Remove the page from a folder of results; a folder of that name with other files stays.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    gallery = results / GALLERY_FOLDER
    if gallery.is_dir() and not gallery.is_symlink() and not holds_other_files(gallery):
        with output_errors(gallery):
            shutil.rmtree(gallery)
