"""Measure studies on the workers of a Dask cluster: chunks of paths out, outcomes back."""
