"""The measure of linear time tells linear from quadratic work."""

from __future__ import annotations

import pytest

from tests.growth import Work, assert_linear


def _linear(size: int) -> Work:
    return lambda: sum(range(size * 20))


def _quadratic(size: int) -> Work:
    return lambda: [sum(range(size)) for _ in range(size)]


def test_linear_work_passes() -> None:
    assert_linear(_linear, 100_000)


def test_quadratic_work_does_not() -> None:
    with pytest.raises(AssertionError, match="4 times the input took"):
        assert_linear(_quadratic, 3000)
