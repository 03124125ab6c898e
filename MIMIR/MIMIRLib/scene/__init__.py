"""Results as nodes of a MRML scene; nothing here needs Slicer's application."""
