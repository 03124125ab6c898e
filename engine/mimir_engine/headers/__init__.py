"""DICOM headers to slices: encodings, contrasts, times, scales and series."""
