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
    "badReasons": [
        {
            "schema": "iglu:com.snowplowanalytics.snowplow.badrows/schema_violations/jsonschema/2-0-1",
            "field": "com.acme/click/1-0-0 $.<x>",
            "reason": "com.acme/click/1-0-0 $.<x>: string found",
            "count": 15,
            "apps": {"shop": 9, "<i>": 5, "": 1},
            "trackers": {"js-3": 15},
            "faults": ["<b> is wrong", "y", "z"],
            "examples": ['{"data":{"a":"<script>","failure":"first"}}', "not json <", '"x"'],
        }
    ],
    "timeline": {"grain": "minute", "counts": {"2026-01-02 03:00": 1000, "2026-01-02 04:10": 6}},
    "sources": [
        {"appId": "<app>", "platform": "web", "tracker": "js-3", "events": 900},
        {"appId": "", "platform": "web", "tracker": "", "events": 106},
    ],
    "started": "2026-01-02T05:00:00.000Z",
    "finished": "2026-01-02T05:00:12.500Z",
    "input": {"files": 3, "bytes": 4_500_000, "splits": 1},
    "settings": {"inputFolder": ["s3://logs/<x>"], "inputFormat": "thrift"},
    "assets": [{"uri": "s3://acme/geo<1>.mmdb", "bytes": 5_000_000, "sha256": "ab" * 32}],
    "fingerprint": {"digest": "0123456789abcdef", "keys": {"iglu-config": "1"}},
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
LOAD = {
    "step": "load",
    "seconds": 3,
    "tables": [{"table": "atomic.events", "rows": 1200, "rejected": 2, "change": "migrated to 1-0-2"}],
    "aside": [{"schema": "iglu:com.acme/odd/jsonschema/1-0-0", "reason": "no <columns>", "rows": 4}],
    "warnings": ["beware of <this>"],
}
WHOLE = {
    "run": "2026-01-02-03-04-05",
    "snowetl": "0.1.0",
    "started": "2026-01-02T05:00:00.000Z",
    "finished": "2026-01-02T05:10:00.000Z",
    "seconds": 600,
    "differences": [],
    "settings": {"inputFolder": ["logs"], "inputFormat": "thrift"},
    "fingerprint": {"digest": "fedcba98765432", "keys": {}},
}


class Balance(HTMLParser):
    VOID = frozenset(("meta", "wbr"))

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            assert not name.startswith(("src", "on"))
            assert name != "href" or ":" not in value
            assert ":" not in value or name != "style" or "url" not in value

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def check(page):
    balance = Balance()
    balance.feed(page)
    assert not balance.open
    assert "http://" not in page
    assert "https://" not in page


def test_a_page_shows_every_count_and_needs_no_network():
    links = [("bad rows", "../../bad/run=x/", "/bad/run=x/"), ("previous run", None, "s3://elsewhere/run=y")]
    page = render("run=2026-01-02-03-04-05", [ENRICH, TRANSFORM, LOAD], WHOLE, links)
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
        "done; 6 rows are put aside",
        "fedcba987654",
        "s3://acme/geo&lt;1&gt;.mmdb",
        "SHA-256 abababababab…",
        "migrated to 1-0-2",
        "rows put aside: no &lt;columns&gt;",
        "beware of &lt;this&gt;",
        "app shop, &lt;i&gt; · tracker js-3",
        "string found",
        "75%",  # of the bad rows with a schema: 15 of 20
        "No events: 2026-01-02 03:01 to 2026-01-02 04:10.",
        'href="../../bad/run=x/"',
        "s3://elsewhere/run=y",
        "2 h 10 min",  # from the collector until loaded
    ):
        assert shown in text
    assert page.count("<pre>") == 3
    assert page.index("&quot;failure&quot;") < page.index("&quot;a&quot;")
    assert "<script>" not in page
    assert "&lt;b&gt;" in page


def test_a_page_without_anything_is_still_a_page():
    check(render("run=x", []))
    check(render("run=x", [{"step": "enrich"}]))
    check(render("run=x", [TRANSFORM | {"records": 0, "seconds": 1}]))


@given(st.dictionaries(st.text(), st.dictionaries(st.text(), st.integers(1, 10**9), min_size=1), max_size=4), st.text())
def test_any_text_is_shown_as_text(types, run):
    check(render(run.replace("http", ""), [{"step": "enrich", "eventTypes": types}]).replace("http", ""))


def test_what_followed_the_load_is_told_with_its_slowest_parts() -> None:
    parts = [{"name": f"model.web.<m{number}>", "status": "success", "seconds": number} for number in range(12)]
    step = {"step": "dbt", "words": "12 nodes: 12 success", "seconds": 66.0, "parts": parts}
    page = render("run=x", [ENRICH, TRANSFORM, LOAD], WHOLE | {"after": [step]})
    check(page)
    page = page.replace("<wbr>", "")
    assert "After the load" in page and "12 nodes: 12 success" in page
    assert "model.web.&lt;m11&gt;" in page and "m1&gt;" not in page, "the ten slowest, and no markup of theirs"
    assert "After the load" not in render("run=x", [ENRICH, TRANSFORM, LOAD], WHOLE)
