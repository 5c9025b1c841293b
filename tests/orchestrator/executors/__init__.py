"""Executors of EMR, tried on stand-ins of AWS."""
