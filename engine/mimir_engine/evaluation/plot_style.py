"""Colours that all figures share."""

from __future__ import annotations

#: Reference bands drawn, as quantile levels: the middle 90 % and the middle half.
BANDS = ((0.05, 0.95, "#e4eaf0"), (0.25, 0.75, "#bccbd9"))


ESTIMATE, TRUTH, WARNING, QUIET = "#1f5fa8", "#d97a00", "#b3261e", "#5f6b76"
