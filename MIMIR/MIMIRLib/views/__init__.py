"""Slicer's views: what they show of the chosen result."""
