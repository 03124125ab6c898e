"""Measure studies from Slicer: requests, the job, its progress, a blocking call."""
