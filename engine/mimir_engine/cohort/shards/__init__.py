"""Divide a cohort into shards without a scheduler, watch their runs, and merge their results."""
