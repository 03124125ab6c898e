"""Read, check and stitch one study, and write its volumes to an output folder.

They are written to a temporary folder there, and moved to their places when all of them are
complete: first the volumes, last the file that describes them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Optional

from mimir_engine.cohort.sources import NamedSource
from mimir_engine.cohort.volumes.study_volumes import (
    Piece,
    PhaseStations,
    station_volumes,
    stitched_volumes,
)
from mimir_engine.cohort.volumes.volume_layout import VolumeLayout
from mimir_engine.cohort.volumes.volume_names import STATIONS
from mimir_engine.cohort.volumes.written_study import WrittenStudy
from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import output_errors
from mimir_engine.files.leftovers import temporary_folder
from mimir_engine.study.finding import NOTE, Finding
from mimir_engine.study.read_options import ReadOptions
