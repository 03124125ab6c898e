"""Read a study into stations with their geometry, from the headers of its slices and their pixels.

``series_stacks`` sorts slices into stacks, ``pairing`` and ``repeats`` choose water and fat of each
place, ``pixels`` reads them; ``read_study`` does all of this, ``scan_study`` all but the pixels.
"""

from mimir_engine.headers.contrast import Contrast, classify
from mimir_engine.headers.scanner import Scanner
from mimir_engine.source.source_name import source_name
from mimir_engine.study.dixon_study import DixonStudy
from mimir_engine.study.read import read_study
from mimir_engine.study.station import Station

__all__ = ["Contrast", "DixonStudy", "Scanner", "Station", "classify", "read_study", "source_name"]
