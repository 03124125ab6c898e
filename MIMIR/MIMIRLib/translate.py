"""Slicer's translation function; text stays English where Slicer's application is absent."""

from __future__ import annotations

try:
    from slicer.i18n import tr as tr
except ImportError:  # the tests run on Slicer's MRML core, which has no translations

    def tr(text: str) -> str:
        """Return the text unchanged."""
        return text
