"""Dataflow Runner (0.1 to 0.7.5): clusters and playbooks, their templates, and the requests it made of them."""
