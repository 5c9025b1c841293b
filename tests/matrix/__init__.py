"""Every Spark with every Python that the project is for: ``python -m tests.matrix``, or ``make test-matrix``."""
