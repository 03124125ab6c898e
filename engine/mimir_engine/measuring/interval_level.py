"""Interval levels: the share of intervals that contain the true value. Imports nothing heavy."""

from mimir_engine.errors import MimirError

#: Level of the intervals unless another is asked for.
DEFAULT_LEVEL = 0.95
#: Levels that a user may ask for.
MIN_LEVEL, MAX_LEVEL = 0.5, 0.999


def check_level(level: float) -> None:
    """Refuse a level that is out of range.

    Raises:
        MimirError: ``LEVEL_INVALID``.
    """
    if not MIN_LEVEL <= level <= MAX_LEVEL:
        raise MimirError(
            "LEVEL_INVALID",
            f"level {level:g} is out of range",
            f"Use a level from {MIN_LEVEL} to {MAX_LEVEL}.",
        )
