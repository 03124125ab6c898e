"""Events of a run, for panels, logs and consoles alike.

- ``engine``: version, path, python. The engine that runs; the first event of every run.
- ``passed_over``: name, reason, files (their number). Files of the sources that are not measured;
  before ``run``.
- ``ledger_damaged``: lines (their number). Lines of the ledger that are damaged, and passed over.
- ``run``: studies, already_done; of ``mimir infer`` also modules, runtime, device.
- ``cluster``: scheduler (its address), workers, threads (numbers), sentences (what a user should
  know). Where studies are measured or stitched, if not on this machine; after ``run``.
- ``recorded_sex``: known, studies (numbers). Studies whose sex a table of ``--sex`` has; before
  ``run``.
- ``step``: name, step. Work on a study has reached this step: ``read``, ``postpone`` (its reader
  has died or took too long; it is read once more after the others) or ``predict``.
- ``study``: name, state (``done`` or ``failed``), findings (codes), code, reason, done, total,
  seconds_left; details (the study's folder) if those are kept; unusual (a sentence for each
  module that does not know such scans); of ``mimir fuse`` volumes and left_out (names). One per
  study.
- ``scan``: name, study_uid, state (``readable`` or ``refused``), code, reason, scanner, stations
  (from_mm, to_mm, slices by contrast), findings (code, sentence), passed_over (name, reason,
  files), done, total. One per study of ``mimir scan``, in place of ``run``, ``step``, ``study``.
- ``drift``: reference (a module's name), code (``BATCH_DRIFTED``) and meaning, both empty without
  drift, groups (group, scans, verdict, sentence). After all studies: how the batch compares with
  the scans of a module.
- ``finished``: done, failed, output; of ``mimir scan`` done, refused. The last event: all files are
  written.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any, Callable

import mimir_engine

#: Receives each event; its key ``event`` names its kind.
Listener = Callable[[Mapping[str, Any]], None]


def engine_event() -> dict[str, Any]:
    """Describe this engine: version and path."""
    return {
        "event": "engine",
        "version": mimir_engine.__version__,
        "path": mimir_engine.__path__[0],
        "python": platform.python_version(),
    }
