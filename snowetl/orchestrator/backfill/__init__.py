"""Years of archive as many runs of one size: planned once, worked off several at a time, swapped in at the end."""
