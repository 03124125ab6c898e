"""Interval levels: the share of intervals that hold the true value. Imports nothing heavy."""

#: Level of the intervals unless another is asked for.
DEFAULT_LEVEL = 0.95
#: Levels that a user may ask for.
MIN_LEVEL, MAX_LEVEL = 0.5, 0.999
