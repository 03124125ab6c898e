"""Slicer's DICOM database: which neck-to-knee Dixon studies it holds, their files, and imports."""
