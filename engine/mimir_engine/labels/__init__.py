"""Measure the labels of a segmentation: volume and fat fraction of each."""
