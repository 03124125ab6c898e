"""Bodies of population 2: smooth shapes, painted slice by slice."""
