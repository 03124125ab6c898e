"""Synthetic bodies with known measurements, as DICOM studies or as projections.

``population`` draws a person. Its body is built of elliptic columns (population 1: ``anatomy``,
``body``) or of smooth shapes (population 2: ``smooth_body``); the true volumes of both are known.
``scanner`` draws the properties of the scan, ``shift`` changes one thing. ``scan`` gives the
stations without files, ``dicom_study`` writes them as a zip in UK Biobank's form.
``render_projection`` computes projections of population 1 without voxels, for training, and
``projection_folder`` writes many of them.
Results on phantoms say nothing about people.
"""
