"""What went wrong, as a sentence: the edge where errors stop and people begin."""

from __future__ import annotations

import logging

from MIMIRLib.engine_place import EngineUnavailable

_log = logging.getLogger(__name__)


def problem_sentence(error: Exception) -> str:
    """``CODE: what is wrong. What to do.``; of what nobody foresaw only the kind is told.

    The rest is in Slicer's own log, which stays on this computer.
    """
    if isinstance(error, EngineUnavailable) or is_told_by_engine(error):
        return str(error)
    _log.error("MIMIR failed", exc_info=error)
    return (
        f"INTERNAL_ERROR: MIMIR failed ({type(error).__name__}). See Slicer's error log, and"
        " please report it."
    )


def is_told_by_engine(error: Exception) -> bool:
    """Whether the error is one of the engine's own, which are all fit to be shown."""
    from mimir_engine import MimirError

    return isinstance(error, MimirError)
