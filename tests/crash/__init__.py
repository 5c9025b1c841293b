"""The crash matrix: end a verb at any moment, run it again, and compare with a run that nobody disturbed."""
