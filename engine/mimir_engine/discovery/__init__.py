"""Studies in folders and archives: what is one study, and what are many."""
