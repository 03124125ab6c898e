"""Check that the scan shows the body from neck to knee."""
