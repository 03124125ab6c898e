"""Many studies: naming them, predicting them, and going on where a killed run was."""
