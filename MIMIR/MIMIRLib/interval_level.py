"""Interval levels: the engine's, for code that runs before the engine is found."""

#: Level of the intervals unless another is chosen.
DEFAULT_LEVEL = 0.95
#: Levels that a user may choose.
MIN_LEVEL, MAX_LEVEL = 0.5, 0.999
