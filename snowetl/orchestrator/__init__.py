"""Plans and runs batches: every step of a run in order, resumable at each."""
