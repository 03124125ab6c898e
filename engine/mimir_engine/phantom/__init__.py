"""Synthetic bodies with known measurements, as DICOM studies or straight as projections.

``population`` draws a person, ``anatomy`` builds the body out of elliptic columns (``body``), which
knows its true volumes; ``scanner`` draws what the scanner does to it; ``render`` makes voxels of it
and ``dicom_study`` a zip in UK Biobank's form; ``direct`` makes the projection without voxels, for
training, and ``projections`` many of them. What is learned from phantoms holds for no person.
"""
