from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from snowetl.reporting.html import render

ENRICH = {
    "step": "enrich",
    "seconds": 12.5,
    "records": 1000,
    "discarded": {"header line": 10},
    "events": 1200,
    "badRows": {"schema_violations": 20, "adapter_failures": 1},
    "badRowSchemas": {"iglu:com.snowplowanalytics.snowplow.badrows/schema_violations/jsonschema/2-0-1": 20},
    "badExamples": {
        "iglu:com.snowplowanalytics.snowplow.badrows/schema_violations/jsonschema/2-0-1": ['{"a":"<script>"}'] * 5
    },
    "eventTypes": {"page_view": {"2026-01-02 03": 1000, "2026-01-02 04": 5}, "<b>": {"2026-01-02 03": 1}},
    "splits": [{"index": 3, "seconds": 4.2, "records": 500, "files": ["a", "b", "c"]}],
}
TRANSFORM = {
    "step": "transform",
    "seconds": 4,
    "records": 1200,
    "events": 1190,
    "duplicatesByKind": {"natural": 7},
    "badRows": {"loader_parsing_error": 3},
    "tables": {"output=good/vendor=a/name=b/format=tsv/model=1": {"parts": 1, "lines": 1190, "bytes": 9}},
    "splits": [{"index": 0, "seconds": 1, "records": 1200, "files": ["x", "y", "z"], "fileCount": 1500}],
}
LOAD = {"step": "load", "seconds": 3, "tables": [{"table": "atomic.events", "rows": 1200, "rejected": 2}]}


class Balance(HTMLParser):
    VOID = frozenset(("meta", "wbr"))

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        assert not any(name.startswith(("src", "href", "on")) for name, _ in attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def check(page):
    balance = Balance()
    balance.feed(page)
    assert not balance.open
    assert "http://" not in page
    assert "https://" not in page


def test_a_page_shows_every_count_and_needs_no_network():
    page = render("run=2026-01-02-03-04-05", [ENRICH, TRANSFORM, LOAD])
    check(page)
    text = page.replace("<wbr>", "")
    for shown in (
        "1,200",
        "schema_violations",
        "discarded: header line",
        "atomic.events, put aside",
        "12.5 s",
        "and 1 more",
        "and 1,498 more",
        "natural duplicates dropped",
    ):
        assert shown in text
    assert page.count("<pre>") == 3
    assert "<script>" not in page
    assert "&lt;b&gt;" in page


def test_a_page_without_anything_is_still_a_page():
    check(render("run=x", []))
    check(render("run=x", [{"step": "enrich"}]))
    check(render("run=x", [TRANSFORM | {"records": 0, "seconds": 1}]))


@given(st.dictionaries(st.text(), st.dictionaries(st.text(), st.integers(1, 10**9), min_size=1), max_size=4), st.text())
def test_any_text_is_shown_as_text(types, run):
    check(render(run.replace("http", ""), [{"step": "enrich", "eventTypes": types}]).replace("http", ""))
