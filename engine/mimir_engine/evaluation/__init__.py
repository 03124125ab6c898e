"""Evaluate predictions and their uncertainty against reference values.

`predictions` (any table of reference and prediction) → `agreement`, `uncertainty`,
`sparsification`, `age_gap` → `evaluate` (all of them, by subgroup, with intervals by `bootstrap`)
→ `tables`, `figures`.
"""
