"""Check what stations and fused volumes alone tell, from lost pixels to exchanged water and fat.

A check returns findings; it changes nothing. One file holds one check, and
``check_study`` runs them all. Stations are numbered from the head, beginning with 1.
"""

from mimir_engine.checks.check_study import check_study

__all__ = ["check_study"]
