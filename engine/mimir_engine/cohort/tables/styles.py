"""The three ways to name the columns of results. Imports nothing heavy."""

from __future__ import annotations

#: ``<name>_mean_in_<unit>``: the guaranteed names.
LONG = "long"
#: Valid in R and Stata.
SHORT = "short"
#: Those of the published engine, which has variances, and neither intervals nor direct
#: measurements.
PUBLISHED = "published"
STYLES = (LONG, SHORT, PUBLISHED)
