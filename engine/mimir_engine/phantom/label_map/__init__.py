"""The true labels of a phantom, on the grid of its fused volumes.

``names`` says which labels there are, ``map_layout`` where the voxels lie and which station shows
them. ``ellipse_painter`` and ``smooth_painter`` paint the tissues of both populations,
``label_map`` labels voxels by them, ``truth`` measures the labels, ``label_file``
writes them.
"""

from mimir_engine.phantom.label_map.label_file import write_labels
from mimir_engine.phantom.label_map.label_map import label_scan, phantom_labels
from mimir_engine.phantom.label_map.truth import label_truths

__all__ = ["label_scan", "label_truths", "phantom_labels", "write_labels"]
