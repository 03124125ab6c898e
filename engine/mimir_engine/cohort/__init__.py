"""Measure many studies: name them, work through them, resume a stopped run, write results."""
