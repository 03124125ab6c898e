"""Columns of a cohort's tables, what they mean, and how they are called."""
