"""EmrEtlRunner (r87 to 1.0.4): its configuration, its options, and what it would have done, step by step."""
