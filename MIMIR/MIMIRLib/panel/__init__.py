"""The panel's widgets and dialogs: everything that needs Qt, except ``MIMIR.py``."""
