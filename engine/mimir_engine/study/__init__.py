"""Read a study from a zip archive, folder or list of files into stations with their geometry.

``source`` lists files, ``frames`` and ``slices`` read headers, ``assemble`` groups slices into
stations, ``pixels`` reads the chosen ones; ``read_study`` does all four.
"""

from mimir_engine.study.contrast import Contrast, classify
from mimir_engine.study.dixon_study import DixonStudy
from mimir_engine.study.read import read_study
from mimir_engine.study.scanner import Scanner
from mimir_engine.study.source_name import source_name
from mimir_engine.study.station import Station

__all__ = ["Contrast", "DixonStudy", "Scanner", "Station", "classify", "read_study", "source_name"]
