"""All that a report says about a study, except its images; Slicer keeps it in the scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mimir_engine.cohort.made_with import NOT_NOTED, MadeWith
from mimir_engine.cohort.study_folder import StudyFolder
from mimir_engine.errors import one_line
from mimir_engine.files.json_file import from_json, to_json
from mimir_engine.measuring.study_result import StudyResult


@dataclass(frozen=True)
class MeasuredStudy:
    """A study's result, and where it comes from.

    Attributes:
        result: Measurements and findings.
        scanner: Vendor, model and field strength, as known.
        stations: Number of stations; 0 if it is not known.
        made_with: What made the numbers.
    """

    result: StudyResult
    scanner: str = ""
    stations: int = 0
    made_with: MadeWith = NOT_NOTED

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        made_with = to_json(self.made_with)
        return {**asdict(self), "made_with": made_with}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> MeasuredStudy:
        """Read what `to_json` and JSON made of a study.

        Raises:
            ValueError, TypeError, LookupError: These are not the fields of a study.
        """
        return cls(
            StudyResult.from_json(fields["result"]),
            str(fields["scanner"]),
            int(fields["stations"]),
            from_json(fields["made_with"], MadeWith),
        )


def measured_study(folder: StudyFolder) -> MeasuredStudy:
    """Return the study whose result a folder holds; what its description lacks is left out."""
    scanner = folder.description.get("scanner")
    known = scanner if isinstance(scanner, Mapping) else {}
    tesla = known.get("field_strength_t")
    field = f"{tesla:.1f} T" if isinstance(tesla, (int, float)) and tesla else ""
    texts = (known.get("vendor"), known.get("model"), field)
    stations = folder.description.get("stations")
    return MeasuredStudy(
        folder.result,
        one_line(" ".join(str(text).strip() for text in texts if text)),
        stations if isinstance(stations, int) else 0,
        folder.made_with,
    )
