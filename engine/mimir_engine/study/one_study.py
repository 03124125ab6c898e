"""Check that all images are of one study of one person."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mimir_engine.errors import MimirError
from mimir_engine.headers.slices import Slice

_REMEDY = (
    "Give each study its own folder or archive. A folder whose subfolders hold one study each is"
    " read as that many studies."
)


def check_one_study(slices: Sequence[Slice]) -> None:
    """Refuse images of several persons or studies.

    An empty identifier contradicts nothing, nor does one that differs only in case and blanks.

    Raises:
        MimirError: ``MIXED_PATIENTS``, ``MIXED_STUDIES``.
    """
    patients = {" ".join(text.split()).casefold() for text in {s.series.patient for s in slices}}
    studies = {s.series.study_uid for s in slices}
    for identifiers in (patients, studies):
        identifiers.discard("")
    if len(patients) > 1:
        what = f"the source contains images of {len(patients)} patients"
        letters = {re.sub(r"[\W_]|(?<!\d)0+", "", text) for text in patients}
        if len(letters) == 1:
            raise MimirError(
                "MIXED_PATIENTS",
                f"{what}, whose numbers differ only in zeros or punctuation marks",
                "If it is one patient, write the number in the same way in all images. " + _REMEDY,
            )
        raise MimirError("MIXED_PATIENTS", what, _REMEDY)
    if len(studies) > 1:
        what = f"the source contains images of {len(studies)} studies"
        raise MimirError("MIXED_STUDIES", what, _REMEDY)
