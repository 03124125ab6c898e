"""What the panel shows and lets the user do, as a pure function of what is the case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

#: Memory that the three fused volumes of one study take in the scene (gigabytes): 370 slices of
#: 174 x 224 voxels, float32.
GIGABYTES_A_STUDY = 0.17
#: More memory than this for volumes is worth a warning (gigabytes).
MUCH_MEMORY_GIGABYTES = 2.0


@dataclass(frozen=True)
class Facts:
    """What the panel's state hangs on.

    Attributes:
        database_problem: Why studies cannot be listed, in a sentence; empty where they can.
        studies: Studies listed.
        shown: Of them, those that the filter leaves.
        ticked: Studies ticked.
        ticked_hidden: Of them, those that the filter hides.
        ticked_doubtful: Of them, those that are not complete.
        modules: Inference modules found.
        modules_ticked: Of them, those ticked.
        only_demonstration: Whether all of these are demonstrations.
        volumes: Whether fused volumes are to be shown.
        allow_unvalidated: Whether studies outside a module's validation are measured, too.
        own_module_selected: Whether an inference module is selected that the user has added.
        any_module_selected: Whether any is.
        busy: Whether something goes on: a run, an import.
        fraction: How much of it is done, 0 to 1; None where nobody knows.
        progress: The same in a sentence.
        message: What came of the last thing asked for, in a sentence.
        results: Studies with results in the scene.
    """

    database_problem: str = ""
    studies: int = 0
    shown: int = 0
    ticked: int = 0
    ticked_hidden: int = 0
    ticked_doubtful: int = 0
    modules: int = 0
    modules_ticked: int = 0
    only_demonstration: bool = False
    volumes: bool = True
    allow_unvalidated: bool = False
    own_module_selected: bool = False
    any_module_selected: bool = False
    busy: bool = False
    fraction: Optional[float] = None
    progress: str = ""
    message: str = ""
    results: int = 0


@dataclass(frozen=True)
class PanelState:
    """What the panel's widgets show.

    Attributes:
        empty_sentence: Shown instead of the list of studies; empty where the list is shown.
        ticked_sentence: How many studies are ticked.
        warnings: What the user should know before pressing Apply; a sentence each.
        can_edit: Whether studies, inference modules and options can be changed.
        can_apply: Whether Apply can be pressed.
        apply_hint: What Apply will do, or what is missing.
        can_cancel: Whether something goes on that can be cancelled.
        can_verify_module, can_remove_module: What can be done with the module selected.
        percent: Of the progress bar; -1 for a bar that only says "busy", None for no bar.
        status: A sentence below the bar: progress while something goes on, else its outcome.
        has_results: Whether the section of results is of use.
    """

    empty_sentence: str
    ticked_sentence: str
    warnings: tuple[str, ...]
    can_edit: bool
    can_apply: bool
    apply_hint: str
    can_cancel: bool
    can_verify_module: bool
    can_remove_module: bool
    percent: Optional[int]
    status: str
    has_results: bool


def panel_state(facts: Facts) -> PanelState:
    """The state of the panel where these are the facts."""
    missing = _missing(facts)
    return PanelState(
        empty_sentence=_empty_sentence(facts),
        ticked_sentence=_ticked_sentence(facts),
        warnings=_warnings(facts),
        can_edit=not facts.busy,
        can_apply=not facts.busy and not missing,
        apply_hint=missing or f"Measures {_studies(facts.ticked)}.",
        can_cancel=facts.busy,
        can_verify_module=not facts.busy and facts.any_module_selected,
        can_remove_module=not facts.busy and facts.own_module_selected,
        percent=_percent(facts.fraction) if facts.busy else None,
        status=facts.progress if facts.busy else facts.message,
        has_results=facts.results > 0,
    )


def _empty_sentence(facts: Facts) -> str:
    if facts.database_problem:
        return facts.database_problem
    if facts.studies == 0:
        return (
            "Slicer's DICOM database holds no neck-to-knee Dixon study. Import a folder or"
            " UK Biobank's zip archives by the buttons below; or get the phantom from the Sample"
            " Data module, category MIMIR."
        )
    if facts.shown == 0:
        return "No study fits the filter."
    return ""


def _ticked_sentence(facts: Facts) -> str:
    if facts.ticked == 0:
        return "No study is ticked."
    verb = "is" if facts.ticked == 1 else "are"
    sentence = f"{_studies(facts.ticked)} {verb} ticked"
    if facts.ticked_hidden:
        hidden = "the filter hides it" if facts.ticked == 1 else f"{facts.ticked_hidden} hidden"
        return f"{sentence} ({hidden})."
    return f"{sentence}."


def _missing(facts: Facts) -> str:
    """What must be done before Apply makes sense; empty where nothing."""
    if facts.modules == 0:
        return "Add an inference module first: none was found."
    if facts.ticked == 0:
        return "Tick at least one study."
    if facts.modules_ticked == 0:
        return "Tick at least one inference module."
    return ""


def _warnings(facts: Facts) -> tuple[str, ...]:
    gigabytes = facts.ticked * GIGABYTES_A_STUDY
    said = {
        "The ticked inference modules are demonstrations: their numbers say nothing about"
        " people.": facts.modules_ticked > 0 and facts.only_demonstration,
        f"{_studies(facts.ticked_doubtful)} of those ticked may not be complete: what cannot be"
        " measured is listed with its reason.": facts.ticked_doubtful > 0,
        "Studies outside an inference module's validation are measured, too. Such values are"
        " flagged; nobody knows how wrong they are.": facts.allow_unvalidated,
        f"The fused volumes of {_studies(facts.ticked)} take some {gigabytes:.0f} GB of memory;"
        " without them the tables are the same.": (
            facts.volumes and gigabytes > MUCH_MEMORY_GIGABYTES
        ),
    }
    return tuple(sentence for sentence, holds in said.items() if holds)


def _percent(fraction: Optional[float]) -> int:
    return -1 if fraction is None else round(100 * min(max(fraction, 0.0), 1.0))


def _studies(count: int) -> str:
    return "1 study" if count == 1 else f"{count} studies"
