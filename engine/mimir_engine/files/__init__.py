"""Write files atomically, read untrusted tables and JSON, check for optional packages."""
