"""Table and picture of `mimir demo`."""
