"""How good predictions are, and whether their uncertainty is true.

`predictions` (any table of reference and prediction) → `agreement`, `uncertainty`,
`sparsification`, `age_gap` → `evaluate` (all of them, by subgroup, with intervals by `bootstrap`)
→ `tables`, `figures`.
"""
