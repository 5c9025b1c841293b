"""Iglu: schemas by key, from registries, and the validation of data against them (reference client 1.5.0)."""
