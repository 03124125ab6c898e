"""Tables and pictures of `mimir demo`."""
