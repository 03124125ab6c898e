"""Create the engine's exceptions, and turn unexpected ones into those."""

from __future__ import annotations

import logging

from MIMIRLib.engine.import_engine import EngineUnavailable, import_engine
from MIMIRLib.translate import tr as _

_log = logging.getLogger(__name__)


def mimir_error(code: str, what: str, remedy: str = "") -> Exception:
    """Return the engine's ``MimirError``; see there for the arguments."""
    error: Exception = import_engine().MimirError(code, what, remedy)
    return error


def error_for_user(error: Exception) -> Exception:
    """Return an exception whose text can be shown: ``CODE: what is wrong. What to do.``

    An unexpected exception becomes ``INTERNAL_ERROR``. Its text may hold private data, so it only
    goes to Slicer's own log, which stays on this computer.
    """
    if isinstance(error, (EngineUnavailable, import_engine().MimirError)):
        return error
    _log.error("MIMIR failed", exc_info=error)
    return mimir_error(
        "INTERNAL_ERROR",
        _("MIMIR failed ({kind})").format(kind=type(error).__name__),
        _("See Slicer's error log, and please report the problem."),
    )
