"""The panel's widgets, and the dialogs it opens: all that is Qt and not ``MIMIR.py``."""
