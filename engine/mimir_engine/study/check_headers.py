"""Check that headers are those of one complete study, before they are sorted."""

from __future__ import annotations

from collections.abc import Sequence

from mimir_engine.errors import MimirError
from mimir_engine.headers.slices import REQUIRED_CONTRASTS, Headers, path_of
from mimir_engine.source.passed_over import joined
from mimir_engine.study.one_study import check_one_study

#: Series that are named when no Dixon images are found.
MAX_NAMED_SERIES = 8
#: Suffixes of stitched volumes, which have no headers of DICOM.
VOLUME_SUFFIXES = (".nii", ".nii.gz", ".nrrd")


def check_headers(headers: Headers) -> None:
    """Refuse a source without water or fat, of several studies, or with absent files.

    Raises:
        MimirError: ``NO_DIXON``, ``CONTRAST_MISSING``, ``MIXED_PATIENTS``, ``MIXED_STUDIES``,
            ``SLICE_MISSING``.
    """
    _check_contrasts(headers)
    check_one_study(headers.slices)
    _check_file_lists(headers)


def _check_contrasts(headers: Headers) -> None:
    if not headers.slices:
        seen = joined(headers.passed_over)
        names = [f"'{one.name}' ({one.reason})" for one in seen[:MAX_NAMED_SERIES]]
        more = f" and {len(seen) - len(names)} others" if len(seen) > len(names) else ""
        found = f": it has {', '.join(names)}{more}" if names else ""
        raise MimirError(
            "NO_DIXON",
            f"the source contains no Dixon water or fat images{found}",
            "Give stitched volumes with --water and --fat."
            if any(name.lower().endswith(VOLUME_SUFFIXES) for name in headers.names)
            else "Give the series with the stations of the neck-to-knee Dixon scan.",
        )
    contrasts = {s.contrast for s in headers.slices}
    for contrast in REQUIRED_CONTRASTS:
        if contrast not in contrasts:
            raise MimirError(
                "CONTRAST_MISSING",
                f"the study has no {contrast.value} images",
                "Fetch the complete study.",
            )


def _check_file_lists(headers: Headers) -> None:
    """Refuse a source whose own list of files names water or fat images that are not there."""
    for manifest in headers.manifests:
        absent = manifest.absent(headers.names, REQUIRED_CONTRASTS)
        if absent:
            raise _absent("manifest", absent)
    used = [path_of(s.entry) for s in headers.slices] if headers.dicomdirs else []
    for dicomdir in headers.dicomdirs:
        absent = dicomdir.absent(headers.names, used)
        if absent:
            raise _absent("DICOMDIR", absent)


def _absent(where: str, files: Sequence[str]) -> MimirError:
    return MimirError(
        "SLICE_MISSING",
        f"the {where} names {len(files)} images of the scan that are absent, such as '{files[0]}'",
        "Fetch the complete study.",
    )
