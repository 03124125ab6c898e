"""Synthetic bodies with known measurements, as DICOM studies or as projections.

``population`` draws a person, ``anatomy`` builds the body of elliptic columns (``body``), whose
true volumes are known; ``scanner`` draws the properties of the scan. ``render_station`` computes
voxels, which ``dicom_study`` writes as a zip in UK Biobank's form. ``render_projection`` computes
the projection without voxels, for training, and ``projection_folder`` writes many of them.
Results on phantoms say nothing about people.
"""
