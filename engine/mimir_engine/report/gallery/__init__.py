"""The page of a cohort: its studies in pictures and numbers, to sort, filter and mark."""
