"""Keep a list of findings, the selected one, and the picture of the images that they concern."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from MIMIRLib.presenter.panel_words import panel_words
from MIMIRLib.presenter.table_row import Cell, Row
from MIMIRLib.translate import tr as _

#: Headers of the columns of ``finding_row``.
FINDING_COLUMNS = (_("Severity"), _("Finding"), _("Study"))
#: Words for the engine's severities, the most serious first.
SEVERITY_WORDS = {"stop": _("stop"), "warning": _("warning"), "note": _("note")}

#: The fields of the engine's ``Finding``; results of earlier versions have code and sentence only.
Finding = Mapping[str, Any]


@dataclass(frozen=True)
class StudyFindings:
    """The findings of one study.

    Attributes:
        key: The study's UID or file name.
        label: The study's name for people.
        findings: Each with the fields of the engine's ``Finding``.
        stations: From head to foot, each with ``from_mm`` and ``to_mm``; empty if not known.
        picture: PNG of the images, with outlines; empty if there is none.
    """

    key: str
    label: str
    findings: Sequence[Finding]
    stations: Sequence[Mapping[str, Any]] = ()
    picture: bytes = b""


@dataclass(frozen=True)
class Place:
    """The place of a finding.

    Attributes:
        key: The study's UID or file name.
        z_mm: Patient z; the same in LPS and RAS.
        side: ``right`` or ``left`` side of the patient; empty for the middle.
    """

    key: str
    z_mm: float
    side: str


class FindingList:
    """The findings of some studies, and the selected one.

    Attributes:
        rows: All findings, for the panel's list, the most serious first.
    """

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._all: dict[str, tuple[StudyFindings, Finding]] = {}
        self._selected = ""

    def show(self, studies: Sequence[StudyFindings]) -> bool:
        """Replace the findings; return False if they are the same as before."""
        pairs = [(study, finding) for study in studies for finding in study.findings]
        pairs.sort(key=lambda pair: _rank(pair[1]))
        shown = {f"{number} {study.key}": (study, f) for number, (study, f) in enumerate(pairs)}
        is_new, self._all = shown != self._all, shown
        if is_new:
            self._selected = ""
            self.rows = [finding_row(key, study, f) for key, (study, f) in shown.items()]
        return is_new

    def select(self, key: str) -> None:
        """Select a finding, by the key of its row."""
        self._selected = key

    @property
    def text(self) -> str:
        """The selected finding with its number and what to do; empty if none is selected."""
        _study, finding = self._all.get(self._selected, (None, None))
        return "" if finding is None else describe_finding(finding)

    @property
    def picture(self) -> bytes:
        """PNG of the selected finding's study; empty if there is none."""
        study, _finding = self._all.get(self._selected, (None, None))
        return b"" if study is None else study.picture

    @property
    def place(self) -> Optional[Place]:
        """The place of the selected finding; None if it concerns the whole study."""
        study, finding = self._all.get(self._selected, (None, None))
        if study is None or finding is None:
            return None
        number = finding.get("station")
        ends: Mapping[str, Any] = finding
        if ends.get("from_mm") is None and number and number <= len(study.stations):
            ends = study.stations[number - 1]
        if ends.get("from_mm") is None or ends.get("to_mm") is None:
            return None
        return Place(study.key, (ends["from_mm"] + ends["to_mm"]) / 2, finding.get("side", ""))


def finding_row(key: str, study: StudyFindings, finding: Finding) -> Row:
    """Return a finding as a row of the panel's list."""
    sentence = finding_sentence(finding)
    return Row(
        key,
        (
            Cell(SEVERITY_WORDS[_severity(finding)], _rank(finding), finding["code"]),
            Cell(sentence, tooltip=sentence),
            Cell(study.label),
        ),
    )


def describe_finding(finding: Finding) -> str:
    """Return a finding in some lines: what was found, its number, and what to do."""
    severity = SEVERITY_WORDS[_severity(finding)]
    head = f"{severity[:1].upper()}{severity[1:]}: {finding_sentence(finding)}"
    value, threshold = finding.get("value"), finding.get("threshold")
    number = ""
    if value is not None and threshold is not None:
        number = _("Measured: {value:.3g} {unit}; limit: {threshold:.3g} {unit}.").format(
            value=value, threshold=threshold, unit=finding.get("unit", "")
        )
        number = number.replace(" ;", ";").replace(" .", ".")
    return "\n".join(filter(None, (head, number, panel_words(finding.get("remedy", "")))))


def finding_sentence(finding: Finding) -> str:
    """Return a finding as a full sentence."""
    text = finding["sentence"]
    return f"{text[:1].upper()}{text[1:]}."


def _severity(finding: Finding) -> str:
    return finding.get("severity", "warning")


def _rank(finding: Finding) -> int:
    return list(SEVERITY_WORDS).index(_severity(finding))
