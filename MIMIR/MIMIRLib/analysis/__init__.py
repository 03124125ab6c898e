"""Measure studies from Slicer: what to measure, the workflow, its progress, a blocking call."""
