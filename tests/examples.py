"""How thorough a property test is, in proportion to the Hypothesis profile (``--hypothesis-profile=dev`` or ``ci``)."""

from __future__ import annotations

from typing import Any

from hypothesis import settings


def examples(factor: float, **options: Any) -> settings:
    """``factor`` times the examples of the profile; ``options`` as of ``hypothesis.settings``."""
    return settings(max_examples=max(1, round(settings.default.max_examples * factor)), **options)
