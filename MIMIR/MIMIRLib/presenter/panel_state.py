"""Decide what the panel shows and enables, as a pure function of facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from MIMIRLib.translate import tr as _

#: Memory of the three fused volumes of one study in the scene (gigabytes): 370 slices of 174 x 224
#: voxels, float32.
GIGABYTES_PER_STUDY = 0.17
#: The panel warns if the volumes need more memory (gigabytes).
MAX_GIGABYTES_WITHOUT_WARNING = 2.0


@dataclass(frozen=True)
class Facts:
    """The facts that the panel's state depends on.

    Attributes:
        database_error: Why studies cannot be listed, in a sentence; empty if they can.
        studies: Studies in the list.
        shown: Of them, those that match the filter.
        ticked: Studies ticked.
        ticked_hidden: Of them, those that the filter hides.
        ticked_doubtful: Of them, those that are not complete.
        modules: Inference modules found.
        modules_ticked: Of them, those ticked.
        only_demonstration: Whether all of these are demonstrations.
        volumes: Whether fused volumes will be shown.
        allow_unvalidated: Whether studies outside a module's validated range are measured, too.
        own_module_selected: Whether the selected inference module was added by the user.
        any_module_selected: Whether an inference module is selected.
        busy: Whether a job is running.
        fraction: Share of it that is done, 0 to 1; None if unknown.
        progress: The same in a sentence.
        message: The outcome of the last action, in a sentence.
        results: Studies with results in the scene.
    """

    database_error: str = ""
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
    """The state of the panel's widgets.

    Attributes:
        empty_sentence: Shown instead of the list of studies; empty if the list is shown.
        ticked_sentence: The number of studies ticked.
        warnings: Warnings before Apply is pressed, one sentence each.
        can_edit: Whether studies, inference modules and options can be changed.
        can_apply: Whether Apply can be pressed.
        apply_hint: The effect of Apply, or what is missing.
        can_cancel: Whether a job can be cancelled.
        can_verify_module, can_remove_module: Possible actions on the selected module.
        percent: Value of the progress bar; -1 for a busy bar without value, None for no bar.
        status: A sentence below the bar: the progress of a job, or the last outcome.
        has_results: Whether the section of results is shown.
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
    """Return the state of the panel for these facts."""
    missing = _missing(facts)
    return PanelState(
        empty_sentence=_empty_sentence(facts),
        ticked_sentence=_ticked_sentence(facts),
        warnings=_warnings(facts),
        can_edit=not facts.busy,
        can_apply=not facts.busy and not missing,
        apply_hint=missing or _("Measures {studies}.").format(studies=_studies(facts.ticked)),
        can_cancel=facts.busy,
        can_verify_module=not facts.busy and facts.any_module_selected,
        can_remove_module=not facts.busy and facts.own_module_selected,
        percent=_percent(facts.fraction) if facts.busy else None,
        status=facts.progress if facts.busy else facts.message,
        has_results=facts.results > 0,
    )


def _empty_sentence(facts: Facts) -> str:
    if facts.database_error:
        return facts.database_error
    if facts.studies == 0:
        return _(
            "Slicer's DICOM database contains no neck-to-knee Dixon study. Import a folder or UK"
            " Biobank's zip archives with the buttons below, or get the phantom from the module"
            " Sample Data, category MIMIR."
        )
    return _("No study matches the filter.") if facts.shown == 0 else ""


def _ticked_sentence(facts: Facts) -> str:
    if facts.ticked == 0:
        return _("No study is ticked.")
    if facts.ticked == 1:
        hidden = _("1 study is ticked (hidden by the filter).")
        return hidden if facts.ticked_hidden else _("1 study is ticked.")
    text = _("{count} studies are ticked.")
    if facts.ticked_hidden:
        text = _("{count} studies are ticked ({hidden} hidden by the filter).")
    return text.format(count=facts.ticked, hidden=facts.ticked_hidden)


def _missing(facts: Facts) -> str:
    """Return what to do before Apply can be pressed; empty if nothing."""
    if facts.modules == 0:
        return _("No inference module was found. Add one first.")
    if facts.ticked == 0:
        return _("Tick at least one study.")
    return _("Tick at least one inference module.") if facts.modules_ticked == 0 else ""


def _warnings(facts: Facts) -> tuple[str, ...]:
    warnings = []
    if facts.modules_ticked > 0 and facts.only_demonstration:
        warnings.append(
            _(
                "The ticked inference modules are demonstrations: their values say nothing"
                " about people."
            )
        )
    if facts.ticked_doubtful > 0:
        warnings.append(
            _("{studies} may be incomplete. If so, the reasons are listed after the run.").format(
                studies=_studies(facts.ticked_doubtful)
            )
        )
    if facts.allow_unvalidated:
        warnings.append(
            _(
                "Studies outside an inference module's validated range are measured, too. Their"
                " values are flagged; their errors are unknown."
            )
        )
    gigabytes = facts.ticked * GIGABYTES_PER_STUDY
    if facts.volumes and gigabytes > MAX_GIGABYTES_WITHOUT_WARNING:
        warnings.append(
            _(
                "The fused volumes of {studies} need some {gigabytes:.0f} GB of memory. Without"
                " them the tables are the same."
            ).format(studies=_studies(facts.ticked), gigabytes=gigabytes)
        )
    return tuple(warnings)


def _percent(fraction: Optional[float]) -> int:
    return -1 if fraction is None else round(100 * min(max(fraction, 0.0), 1.0))


def _studies(count: int) -> str:
    return _("1 study") if count == 1 else _("{count} studies").format(count=count)
