"""What an event says of itself, as it stands in a page."""

from __future__ import annotations

import pytest

from snowetl.reporting.markup import text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("<b>&\"'", "&lt;b&gt;&amp;&quot;&#x27;"),
        ("a\x1b[31m", "a\\x1b[31m"),
        ("\x9b2J", "\\x9b2J"),
        ("txt\u202egpj.exe", "txt\\u202egpj.exe"),
        ("\u2066x\u2069\ufeff", "\\u2066x\\u2069\\ufeff"),
        ("\ud800", "\\ud800"),
        ("Żółć 日本 😀", "Żółć 日本 😀"),
    ],
)
def test_H6_a_page_shows_what_would_act_on_it(value: str, shown: str) -> None:
    assert text(value) == shown
