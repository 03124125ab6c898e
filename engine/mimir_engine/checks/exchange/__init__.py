"""Find where water and fat are exchanged."""
