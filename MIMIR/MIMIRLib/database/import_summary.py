"""Say in some short sentences what an import added and what it left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from MIMIRLib.database.import_sources import Rejected
from MIMIRLib.translate import tr as _

#: Failed sources of the same kind whose names are listed.
MAX_NAMES = 3


def import_summary(
    studies: int,
    dixon: int,
    images: int,
    rejected: Rejected,
    failures: Sequence[tuple[Path, Exception]],
) -> str:
    """Return the outcome of an import.

    Args:
        studies: Number of new studies.
        dixon: Number of those with a Dixon scan.
        images: Number of new images.
        rejected: What was not read.
        failures: Sources that failed, each with its error.
    """
    return " ".join(
        [*_added(studies, dixon, images, bool(failures)), *_left_out(rejected), *_failed(failures)]
    )


def _added(studies: int, dixon: int, images: int, has_failed: bool) -> Iterable[str]:
    if studies:
        text = _("{studies} added, {dixon} of them with a Dixon scan; {images} images.")
        if studies == 1:
            text = _("1 study with a Dixon scan added; {images} images.")
            if not dixon:
                text = _("1 study added, which has no Dixon scan; {images} images.")
        many = _("{count} studies").format(count=studies)
        yield text.format(studies=many, dixon=dixon, images=images)
    elif images:
        yield _("{images} images of known studies added.").format(images=images)
    elif not has_failed:
        yield _("No new images were found. They may be in the database already.")


def _left_out(rejected: Rejected) -> Iterable[str]:
    if rejected.others == 1:
        yield _("1 file was not read: it is not DICOM.")
    elif rejected.others:
        text = _("{count} files were not read: they are not DICOM.")
        yield text.format(count=rejected.others)
    if rejected.damaged == 1:
        yield _("1 DICOM file was refused: it is damaged or incomplete.")
    elif rejected.damaged:
        text = _("{count} DICOM files were refused: they are damaged or incomplete.")
        yield text.format(count=rejected.damaged)


def _failed(failures: Sequence[tuple[Path, Exception]]) -> Iterable[str]:
    """Yield one sentence for each kind of error, with the names of the first sources."""
    kinds: dict[str, list[tuple[str, Exception]]] = {}
    for path, error in failures:
        kinds.setdefault(str(getattr(error, "code", error)), []).append((path.name, error))
    for alike in kinds.values():
        if len(alike) == 1:
            yield "{}: {}".format(*alike[0])
            continue
        names = ", ".join(name for name, _error in alike[:MAX_NAMES])
        if len(alike) > MAX_NAMES:
            more = len(alike) - MAX_NAMES
            names = _("{names} and {count} more").format(names=names, count=more)
        text = _("{count} sources were not imported ({names}). The first: {error}")
        yield text.format(count=len(alike), names=names, error=alike[0][1])
