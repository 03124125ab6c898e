"""Training of inference modules: projections and targets in, a calibrated inference module out.

`selection` → `fit` or `crossvalidate` (with `folds`, `recipe`, `augmentation`, `loss`) →
`calibration` → `package`.
"""
