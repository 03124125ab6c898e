"""Train inference modules: images and targets in, a calibrated inference module out.

`data_selection` → `fit` or `crossvalidate` (with `folds`, `recipe`, `batches`, `loss`) →
`calibration` → `package`.
"""
