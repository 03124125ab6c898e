"""Remove people who withdrew from results that exist."""
