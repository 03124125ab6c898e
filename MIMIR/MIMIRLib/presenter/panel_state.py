"""Decide what the panel shows and enables, given the facts in ``PanelState``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from MIMIRLib.job import Progress
from MIMIRLib.translate import tr as _

#: Memory of the three fused volumes and the parts of the body of one study in the scene
#: (gigabytes): 370 slices of 174 x 224 voxels, float32 and uint8.
GIGABYTES_PER_STUDY = 0.187
#: The panel warns if the volumes need more memory (gigabytes).
MAX_GIGABYTES_WITHOUT_WARNING = 2.0


@dataclass(frozen=True)
class PanelState:
    """The facts that the panel depends on; its properties are what the panel shows and enables.

    Attributes:
        database_error: Why studies cannot be listed, in a sentence; empty if they can.
        new_database: Folder where Slicer's DICOM database would be made; empty if there is one.
        studies: Number of studies in the list.
        shown: Number of listed studies that match the filter.
        ticked: Number of ticked studies.
        ticked_hidden: Number of ticked studies that the filter hides.
        ticked_doubtful: Number of ticked studies that seem incomplete and have not been read.
        ticked_refused: Number of ticked studies that cannot be measured.
        ticked_exchanged: Number of those, and of the scene's, that could be measured with water and
            fat exchanged back.
        ticked_unread: Number of ticked studies whose headers have not been read.
        ticked_unchecked: Number of ticked studies whose images are being checked, or will be.
        of_scene: Number of studies that are made of volumes chosen in the scene: 0 or 1.
        scene_problem: Why the volumes chosen in the scene make no study; empty if nothing is wrong.
        has_segmentation: Whether a segmentation is chosen.
        is_scanning: Whether headers are being read, or images checked.
        study_text: What the headers of the selected study tell; empty if they were not read.
        modules_ticked: Number of ticked inference modules.
        only_demonstration: Whether all ticked inference modules are demonstrations.
        volumes: Whether fused volumes will be shown.
        allow_unvalidated: Whether studies outside a module's validated range are measured, too.
        own_module_selected: Whether the selected inference module was added by the user.
        module_text: Description of the selected inference module, its title in the first line;
            empty if none is selected.
        progress: The progress of the current job; None if no job is running.
        interrupted: Numbers of all and of the measured studies of an interrupted run; None if there
            is none.
        message: The outcome of the last action, in a sentence.
        results: Number of studies with results in the scene.
    """

    database_error: str = ""
    new_database: str = ""
    studies: int = 0
    shown: int = 0
    ticked: int = 0
    ticked_hidden: int = 0
    ticked_doubtful: int = 0
    ticked_refused: int = 0
    ticked_exchanged: int = 0
    ticked_unread: int = 0
    ticked_unchecked: int = 0
    of_scene: int = 0
    scene_problem: str = ""
    has_segmentation: bool = False
    is_scanning: bool = False
    study_text: str = ""
    modules_ticked: int = 0
    only_demonstration: bool = False
    volumes: bool = True
    allow_unvalidated: bool = False
    own_module_selected: bool = False
    module_text: str = ""
    progress: Optional[Progress] = None
    interrupted: Optional[tuple[int, int]] = None
    message: str = ""
    results: int = 0

    @property
    def is_busy(self) -> bool:
        """True while a job is running: it can be cancelled, and nothing else can be changed."""
        return self.progress is not None

    @property
    def needs_steps(self) -> bool:
        """True while a job is running, headers are being read or images checked."""
        return self.is_busy or self.is_scanning

    @property
    def can_apply(self) -> bool:
        """True if Apply can be pressed."""
        return not self.is_busy and not self._missing

    @property
    def apply_hint(self) -> str:
        """The effect of Apply, or what is missing."""
        return self._missing or _("Measures {studies}.").format(studies=_studies(self._measured))

    @property
    def can_repair(self) -> bool:
        """True if water and fat of ticked studies can be exchanged back."""
        most = 1 if self.has_segmentation else self.ticked_exchanged  # it belongs to one study
        return not self.is_busy and 0 < self.ticked_exchanged <= most

    @property
    def repair_text(self) -> str:
        """The text of the button that exchanges water and fat back; empty to hide it."""
        if self.ticked_exchanged == 0:
            return ""
        text = _("Exchange water and fat back, and measure {studies}")
        return text.format(studies=_studies(self.ticked_exchanged))

    @property
    def module_title(self) -> str:
        """The selected inference module in a line; empty if none is selected."""
        return self.module_text.partition("\n")[0]

    @property
    def module_details(self) -> str:
        """The rest of its description, folded at first; empty if there is none."""
        return self.module_text.partition("\n")[2]

    @property
    def can_verify_module(self) -> bool:
        """True if an inference module is selected and can be verified."""
        return not self.is_busy and self.module_text != ""

    @property
    def can_remove_module(self) -> bool:
        """True if the selected inference module can be removed."""
        return not self.is_busy and self.own_module_selected

    @property
    def percent(self) -> Optional[int]:
        """Value of the progress bar; -1 for a busy bar without value, None for no bar."""
        if self.progress is None:
            return None
        fraction = self.progress.fraction
        return -1 if fraction is None else round(100 * min(max(fraction, 0.0), 1.0))

    @property
    def status(self) -> str:
        """A sentence below the bar: the progress of a job, or the last outcome."""
        return self.message if self.progress is None else self.progress.sentence

    @property
    def resume_text(self) -> str:
        """What was interrupted, with the choice to go on; empty to offer nothing."""
        if self.interrupted is None or self.is_busy:
            return ""
        total, done = self.interrupted
        text = _("A run of {total} studies was interrupted after {done}.")
        if total == 1:
            text = _("A run of 1 study was interrupted before its results were shown.")
        return text.format(total=total, done=done)

    @property
    def empty_sentence(self) -> str:
        """Shown instead of the list of studies; empty if the list is shown."""
        if self.database_error:
            return self.database_error
        if self.new_database:
            return _(
                "Slicer has no DICOM database yet. It keeps the studies that you import. Its folder"
                " would be {folder}."
            ).format(folder=self.new_database)
        if self.studies == 0:
            return _(
                "Slicer's DICOM database contains no neck-to-knee Dixon study. Import a folder or"
                ' UK Biobank\'s zip archives with the buttons below, or press "Try it": MIMIR then'
                " makes a synthetic body, measures it and shows the result."
            )
        return _("No study matches the filter.") if self.shown == 0 else ""

    @property
    def offers_database(self) -> bool:
        """True if the button that makes a DICOM database is shown."""
        return self.new_database != ""

    @property
    def offers_trial(self) -> bool:
        """True if the button that measures a phantom is shown."""
        return self.studies == 0 and not self.database_error

    @property
    def ticked_sentence(self) -> str:
        """The number of studies ticked, and whether volumes of the scene are measured, too."""
        if not self.of_scene:
            return self._ticked_words
        if self.ticked == 0:
            return _("No study is ticked; the volumes chosen in the scene are measured.")
        of_scene = _("The volumes chosen in the scene are measured, too.")
        return f"{self._ticked_words} {of_scene}"

    @property
    def _ticked_words(self) -> str:
        if self.ticked == 0:
            return _("No study is ticked.")
        if self.ticked == 1:
            hidden = _("1 study is ticked (hidden by the filter).")
            return hidden if self.ticked_hidden else _("1 study is ticked.")
        text = _("{count} studies are ticked.")
        if self.ticked_hidden:
            text = _("{count} studies are ticked ({hidden} hidden by the filter).")
        return text.format(count=self.ticked, hidden=self.ticked_hidden)

    @property
    def study_lines(self) -> str:
        """The selected study, and the progress of reading; empty if there is neither."""
        lines = [self.study_text]
        if self.is_scanning and self.ticked_unread:
            text = _("Reading the headers of {studies}.")
            lines.append(text.format(studies=_studies(self.ticked_unread)))
        if self.is_scanning and self.ticked_unchecked:
            text = _("Checking the images of {studies}.")
            lines.append(text.format(studies=_studies(self.ticked_unchecked)))
        return "\n".join(filter(None, lines))

    @property
    def warnings(self) -> list[str]:
        """Warnings before Apply is pressed, one sentence each."""
        gigabytes = self._chosen * GIGABYTES_PER_STUDY
        demonstration = _(
            "The ticked inference modules are demonstrations: their values say nothing about"
            " people."
        )
        incomplete = _("{studies} may be incomplete. If so, the reasons are listed after the run.")
        refused = _("{studies} cannot be measured. The list gives the reasons.")
        unvalidated = _(
            "Studies outside an inference module's validated range are measured, too. Their values"
            " are flagged; their errors are unknown."
        )
        large = _(
            "The fused volumes of {studies} need about {gigabytes:.0f} GB of memory. The tables"
            " do not need them."
        )
        direct = _("No inference module is ticked: the studies are only measured directly.")
        candidates = (
            (direct, self.modules_ticked == 0 and self._chosen > 0),
            (demonstration, self.modules_ticked > 0 and self.only_demonstration),
            (incomplete.format(studies=_studies(self.ticked_doubtful)), self.ticked_doubtful > 0),
            (refused.format(studies=_studies(self.ticked_refused)), self.ticked_refused > 0),
            (unvalidated, self.allow_unvalidated),
            (
                large.format(studies=_studies(self._chosen), gigabytes=gigabytes),
                self.volumes and gigabytes > MAX_GIGABYTES_WITHOUT_WARNING,
            ),
        )
        return [sentence for sentence, applies in candidates if applies]

    @property
    def _missing(self) -> str:
        """The next step before Apply can be pressed; empty if it can."""
        if self.scene_problem:
            return self.scene_problem
        if self._chosen == 0:
            return _("Tick at least one study.")
        if self._measured == 0:
            return _("None of the ticked studies can be measured. The list gives the reasons.")
        if self.has_segmentation and self._chosen > 1:
            return _("The segmentation belongs to one study: choose that study alone.")
        return ""

    @property
    def _chosen(self) -> int:
        """The number of ticked studies and of those of the scene."""
        return self.ticked + self.of_scene

    @property
    def _measured(self) -> int:
        """The number of studies that Apply measures."""
        return self._chosen - self.ticked_refused


def _studies(count: int) -> str:
    return _("1 study") if count == 1 else _("{count} studies").format(count=count)
