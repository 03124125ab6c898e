"""Stitch many studies: volumes of each, arranged in a folder, and a table of them."""
