"""Many studies: name and divide them, measure them, resume and merge runs, forget people."""
