"""Measure the labels of a segmentation: volume and fat fraction of each."""

from mimir_engine.labels.label_file import read_label_map
from mimir_engine.labels.label_map import LabelMap
from mimir_engine.labels.label_measurement import LabelMeasurement
from mimir_engine.labels.measure_labels import examine_labels, measure_labels

__all__ = ["LabelMap", "LabelMeasurement", "examine_labels", "measure_labels", "read_label_map"]
