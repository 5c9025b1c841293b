"""The archive of raw files: copies, verified, of what each run took. The originals stay where they are."""
