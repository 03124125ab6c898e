"""Say in the panel's words what the engine says in those of its command line."""

from __future__ import annotations

import re

from MIMIRLib.engine.requirements import decoder_command
from MIMIRLib.translate import tr as _

#: What the engine says about its options, and what the panel says instead.
_PANEL_WORDS = (
    (
        "or allow unvalidated studies (--allow-unvalidated): their values are flagged.",
        _('or tick "Measure outside the validated range, too": their values are flagged.'),
    ),
    ("Close other programs, or allow more with --memory.", _("Close other programs.")),
    ("Close other programs, or allow more memory with --memory.", _("Close other programs.")),
    (
        "If it is very large or lies on a slow disk, allow more time (--timeout; in Slicer's Python"
        " console: timeout).",
        _("Copy it to a fast disk, and try again."),
    ),
    (
        "Verify the module with `mimir modules verify`.",
        _("Select the inference module in the list, and press Verify."),
    ),
    (
        "Exchange them back (--swap-repair; in Slicer the button), or get another reconstruction.",
        _('Press "Exchange water and fat back", or get another reconstruction.'),
    ),
    (
        "Give each a unique name with --sources.",
        _("Measure them one after the other, or rename the files."),
    ),
    (
        "Choose another folder, or give the study a unique name with --sources.",
        _("Measure it alone."),
    ),
    ("Choose a --name.", _("Rename the file or folder: use letters, digits, - and _ only.")),
    ("Leave --name out.", _("Add it as it is.")),
    (
        "Restore the file from a copy, choose another folder, or use --overwrite to start again.",
        _("Press Discard, and measure the studies again."),
    ),
    (
        "Choose another folder, or use --overwrite to start again.",
        _("Press Discard, and measure the studies again."),
    ),
    (
        "Choose another folder, or --overwrite to start again.",
        _("Press Discard, and measure the studies again."),
    ),
    (
        "Start again with --overwrite or in another folder.",
        _("Press Discard, and measure the studies again."),
    ),
)
#: An option or a command of the engine, and an installation by hand.
_OPTION = re.compile(r"(?<!\S)['`(\"]?--[a-z]|`mimir|\bpip install\b")
_IN_BRACKETS = re.compile(r" \([^()]*--[a-z][^()]*\)")
_DECODER = re.compile(r", or install a decoder: pip install '[^']*'")
_SENTENCE = re.compile(r"(?<=[.!?]) +(?=[A-Z'`])")


def panel_words(text: str) -> str:
    """Return a text of the engine without options and commands of its command line.

    A remedy that the panel does not know is left out: it would need the command line.

    Examples:
        >>> panel_words("MODULE_INVALID: it is bad. Choose a --name.")
        'MODULE_INVALID: it is bad. Rename the file or folder: use letters, digits, - and _ only.'
        >>> panel_words("SITE_INVALID: it is bad. Run `mimir harmonise`.")
        'SITE_INVALID: it is bad.'
    """
    return "\n".join(map(_line, text.split("\n")))


def _line(text: str) -> str:
    for engine, panel in _PANEL_WORDS:
        text = text.replace(engine, panel)
    text = _DECODER.sub(lambda _engine: _decoder(), text)
    if not _OPTION.search(text):
        return text
    sentences = _SENTENCE.split(_IN_BRACKETS.sub("", text))
    kept = [one for one in sentences if not _OPTION.search(one)]
    if sentences[0] not in kept:  # what is wrong, not what to do
        kept.insert(0, re.sub(r"--(?=[a-z])|`", "", sentences[0]))
    return " ".join(kept)


def _decoder() -> str:
    """Return how compressed images can be read in this Slicer."""
    command = decoder_command()
    if not command:
        return _(
            ", or measure it with MIMIR's command line: the decoder needs a newer NumPy than that"
            " of this Slicer"
        )
    return _(
        ", or install a decoder: enter {command} in Slicer's Python console, and try again"
    ).format(command=command)
