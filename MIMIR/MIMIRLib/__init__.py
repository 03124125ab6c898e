"""What the module MIMIR is made of.

``engine_place`` finds the engine; ``analysis`` runs it in a process of its own; ``database`` finds
studies in Slicer's DICOM database; ``scene`` turns results into nodes; ``panel`` shows all of it,
and is the only part that needs Qt.
"""
