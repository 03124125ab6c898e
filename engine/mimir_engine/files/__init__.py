"""Write and read files: atomic writing, CSV, untrusted tables and JSON, optional packages."""
