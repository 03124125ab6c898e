"""Reading a study: zip, folder tree or list of files to stations with their geometry.

``source`` lists files, ``header`` turns them into slice records, ``assembly`` groups those into
stations, ``pixels`` loads what was chosen; ``read_study`` goes through all four.
"""

from mimir_engine.study.contrast import Contrast, classify
from mimir_engine.study.read import name_of, read_study
from mimir_engine.study.station import DixonStudy, Scanner, Station

__all__ = ["Contrast", "DixonStudy", "Scanner", "Station", "classify", "name_of", "read_study"]
