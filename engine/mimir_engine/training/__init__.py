"""Training of inference modules: projections and targets in, a calibrated inference module out.

`dataset` → `fit` (with `recipe`, `augmentation`, `loss`) → `calibration` → `package`.
"""
