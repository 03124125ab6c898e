"""Slicer's DICOM database: its neck-to-knee Dixon studies, their files, and imports."""
