"""What scanners do to scans: numbers of scans, drift between batches, sites."""
