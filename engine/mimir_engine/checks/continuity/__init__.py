"""Check that slices and stations continue each other."""
