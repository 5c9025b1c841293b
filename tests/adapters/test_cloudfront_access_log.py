from __future__ import annotations

import pytest

from tests.adapters.helpers import adapt, event, failures, input_data, parameters, payload, registry

PATH = "com.amazon.aws.cloudfront/wd_access_log"
_NAMES = (
    "xEdgeLocation scBytes cIp csMethod csHost csUriStem scStatus csReferer csUserAgent csUriQuery csCookie "
    "xEdgeResultType xEdgeRequestId xHostHeader csProtocol csBytes timeTaken xForwardedFor sslProtocol sslCipher "
    "xEdgeResponseResultType csProtocolVersion fleStatus fleEncryptedFields cPort timeToFirstByte "
    "xEdgeDetailedResultType scContentType scContentLen scRangeStart scRangeEnd"
)
_COLUMNS = (
    "2026-03-02 08:00:00 LHR61-C1 1523 198.18.0.7 GET d1.example.net /tea 200 https://shop.example.com/?q=a%2520b "
    "Tea%2520Browser/1.0%2520+x page%253D1 - Hit abc== shop.example.com https 310 0.25 - TLSv1.3 TLS_AES Hit HTTP/2.0 "
    "- - 51234 0.001 Hit text/html 5000000000 - -"
)
NAMES = _NAMES.split()
COLUMNS = _COLUMNS.split()


def line(count: int = 12, **changed: str) -> str:
    columns = list(COLUMNS)
    for name, text in changed.items():
        columns[NAMES.index(name) + 2 if name in NAMES else ("date", "time").index(name)] = text
    return "\t".join(columns[:count])


@pytest.mark.parametrize(("count", "version"), [(12, 0), (15, 1), (18, 2), (19, 3), (23, 4), (24, 5), (26, 6)])
def test_the_number_of_columns_decides_the_schema(count, version):
    schema, data = event(payload(PATH, line(count)))
    assert schema == f"com.amazon.aws.cloudfront/wd_access_log/jsonschema/1-0-{version}"
    assert list(data) == ["dateTime", *NAMES[: count - 2]]


def test_of_33_columns_those_are_kept_that_the_published_schema_has():
    schema, data = event(payload(PATH, line(33)))
    assert schema == "com.amazon.aws.cloudfront/wd_access_log/jsonschema/1-0-6"
    assert data == event(payload(PATH, line(26)))[1]
    assert event(payload(PATH, line(33, cPort="x")))[1] == data


def test_of_33_columns_all_are_kept_where_a_schema_of_one_s_own_is_named():
    own = "iglu:com.acme/access_log/jsonschema/1-0-0"
    using = registry(schemas={"cloudfrontAccessLog": {"with_33_fields": own}})
    schema, data = event(payload(PATH, line(33)), using)
    assert schema == own.removeprefix("iglu:")
    assert list(data) == ["dateTime", *NAMES]
    assert [data[name] for name in NAMES[-7:]] == [51234, 0.001, "Hit", "text/html", 5_000_000_000, None, None]
    assert failures(payload(PATH, line(33, cPort="x", scContentLen="1.5")), using) == [
        input_data("scContentLen", "1.5", "cannot be converted to Long"),
        input_data("cPort", "x", "cannot be converted to Long"),
    ]


def test_columns_are_typed_and_decoded():
    _, data = event(payload(PATH, line(26)))
    assert data["dateTime"] == "2026-03-02T08:00:00Z"
    assert (data["scBytes"], data["csBytes"], data["timeTaken"]) == (1523, 310, 0.25)
    assert data["csReferer"] == "https://shop.example.com/?q=a b"
    assert data["csUserAgent"] == "Tea Browser/1.0  x"
    assert data["csUriQuery"] == "page%3D1"
    assert data["csCookie"] == "-"


def test_doubles_print_as_in_java():
    [made] = parameters(payload(PATH, line(19, timeTaken="0.0001")))
    assert '"timeTaken":1.0E-4}' in made["ue_pr"]
    [made] = parameters(payload(PATH, line(19, timeTaken="3")))
    assert '"timeTaken":3.0}' in made["ue_pr"]


def test_the_context_is_that_of_the_line():
    given = payload(PATH, line(), referer_uri="r", network_userid="n", query={"aid": "dropped"})
    [made] = adapt(given)
    context = made.payload
    assert made.parameters["url"] == "https://shop.example.com/?q=a%2520b"
    assert "aid" not in made.parameters
    assert context.timestamp == 1_772_438_400_000
    assert context.ip_address == "198.18.0.7"
    assert context.useragent == "Tea%20Browser/1.0%20+x"
    assert (context.referer_uri, context.headers, context.network_userid) == (None, [], None)
    assert given.ip_address == "198.18.0.9"


def test_in_text_input_the_user_agent_is_decoded_once():
    def agent(text: str) -> str | None:
        return adapt(payload(PATH, line(csUserAgent=text), collector="tsv"))[0].payload.useragent

    assert agent("Tea%2520Browser/1.0%20+x") == "Tea Browser/1.0 +x"


def test_empty_columns_are_null_and_give_no_context():
    empty = dict.fromkeys(NAMES[:10], "")
    given = payload(PATH, line(**empty))
    _, data = event(given)
    assert data == {"dateTime": "2026-03-02T08:00:00Z", **dict.fromkeys(NAMES[:10])}
    [made] = adapt(given)
    assert "url" not in made.parameters
    assert (made.payload.ip_address, made.payload.useragent) == (None, None)


@pytest.mark.parametrize(("body", "count"), [("", 1), ("a\tb", 2), (line(26) + "\t", 27), ("\t" * 12, 13)])
def test_other_numbers_of_columns(body, count):
    expected = f"access log contained {count} fields, expected 12, 15, 18, 19, 23, 24 or 26"
    assert failures(payload(PATH, body)) == [input_data("body", body, expected)]


def test_no_body():
    assert failures(payload(PATH)) == [input_data("body", None, "empty body")]


def test_all_faults_are_told_the_date_first_then_columns_from_the_right():
    text = line(19, date="a", time="b", scBytes="2147483648", csReferer="%zz", csBytes="1.0", timeTaken="NaN")
    decoding = "exception URL-decoding (encoding UTF-8): URLDecoder: Illegal hex characters in escape (%) pattern - "
    found = failures(payload(PATH, text))
    assert found[:3] == [
        input_data("dateTime", "a b", 'could not convert access log timestamp: Invalid format: "aTb+00:00"'),
        input_data("timeTaken", "NaN", "cannot be converted to Double"),
        input_data("csBytes", "1.0", "cannot be converted to Int"),
    ]
    assert (found[3]["field"], found[3]["value"]) == ("csReferer", "%zz")
    assert found[3]["expectation"].startswith(decoding)
    assert found[4:] == [input_data("scBytes", "2147483648", "cannot be converted to Int")]
