"""The parts of the Slicer module MIMIR.

``engine`` finds the bundled engine and runs it in its own process, ``database`` finds studies in
Slicer's DICOM database, ``analysis`` measures studies, ``scene`` shows results as nodes,
``presenter`` decides what the panel shows, and only ``panel`` needs Qt.
"""
