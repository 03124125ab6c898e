"""Say in a sentence or two how a run ended."""

from __future__ import annotations

from dataclasses import dataclass

from MIMIRLib.translate import tr as _


@dataclass(frozen=True)
class RunCounts:
    """Numbers of studies.

    Attributes:
        total: All studies of the run.
        measured: Those that this run has measured.
        earlier: Those that were measured before, under the same conditions.
        failed: Those that could not be measured.
        without_volumes: Those whose volumes were lost when an earlier run was interrupted.
    """

    total: int = 0
    measured: int = 0
    earlier: int = 0
    failed: int = 0
    without_volumes: int = 0

    @property
    def is_nothing_left(self) -> bool:
        """True if all studies that can be measured were measured before."""
        return self.earlier > 0 and self.measured == 0 and self.earlier + self.failed == self.total


def done_sentence(counts: RunCounts) -> str:
    """Return the outcome of a run that went to its end."""
    sentences = [_measured(counts)]
    if counts.failed:
        sentences[0] = sentences[0].removesuffix(".") + _(
            "; {count} could not be measured. The reasons are listed below."
        ).format(count=counts.failed)
    if counts.earlier and not counts.is_nothing_left:
        text = _("{count} were measured with these choices before.")
        if counts.earlier == 1:
            text = _("1 was measured with these choices before.")
        sentences.append(text.format(count=counts.earlier))
    if counts.without_volumes:
        text = _("{count} are shown without volumes; press Apply to measure them again.")
        if counts.without_volumes == 1:
            text = _("1 is shown without volumes; press Apply to measure it again.")
        sentences.append(text.format(count=counts.without_volumes))
    return " ".join(sentences)


def kept_sentence(counts: RunCounts, is_panel: bool = True) -> str:
    """Return what remains of a run that was cancelled or has failed.

    Args:
        counts: The studies.
        is_panel: Apply measures the other ones.
    """
    shown = counts.measured + counts.earlier
    if counts.measured == 0:
        return _("The scene is unchanged.")
    text = _("{shown} of {total} studies were measured and are shown")
    if shown == 1:
        text = _("1 of {total} studies was measured and is shown")
    text = text.format(shown=shown, total=counts.total)
    left = counts.total - shown - counts.failed
    if not is_panel:
        return f"{text}."
    if left > 1:
        return text + _("; press Apply to measure the other {left}.").format(left=left)
    return text + (_("; press Apply to measure the other one.") if left else ".")


def _measured(counts: RunCounts) -> str:
    if counts.is_nothing_left:
        if counts.earlier == 1:
            return _("1 study is measured with these choices; Apply measures it again.")
        text = _("All {count} studies are measured with these choices; Apply measures them again.")
        return text.format(count=counts.earlier)
    return {0: _("No study measured."), 1: _("1 study measured.")}.get(
        counts.measured, _("{count} studies measured.").format(count=counts.measured)
    )
