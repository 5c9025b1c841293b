"""The HTTP client against real servers: down, slow, dripping, huge, broken, moved; and what it never tells."""

from __future__ import annotations

import base64
import gzip
import io
import socket
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import urllib3

from snowetl.http import Http, HttpError, Policy, Response, redacted
from tests.iglu.server import Answer, Server, dripping, serving, zipped

HASTY = Policy(connect=0.5, read=0.3, deadline=0.6, retries=0)
HEAD = b"HTTP/1.1 200 OK\r\n"


def always(answer: Answer) -> Callable[[str], Answer]:
    return lambda path: answer


def failure(url: str, policy: Policy = HASTY, **options: object) -> HttpError:
    with pytest.raises(HttpError) as caught, Http(policy, sleep=lambda seconds: None) as http:
        http.request("GET", url, **options)  # type: ignore[arg-type]
    return caught.value


def test_an_answer() -> None:
    with serving(always(Answer(201, b"body", (("X-Name", "x"),)))) as server, Http() as http:
        response = http.get(f"{server.uri}/path?q=1", {"Accept": "text/plain"})
    assert isinstance(response, Response)
    assert (response.status, response.body, response.headers["x-name"]) == (201, b"body", "x")
    ((path, headers),) = server.requests
    assert path == "/path?q=1"
    assert (headers["accept"], headers["user-agent"], headers["accept-encoding"]) == ("text/plain", "snowetl", "gzip")


def test_connections_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    connect = urllib3.connection.HTTPConnection.connect

    def counted(self: urllib3.connection.HTTPConnection) -> None:
        opened.append(self)
        connect(self)

    monkeypatch.setattr(urllib3.connection.HTTPConnection, "connect", counted)
    with serving(always(zipped(b"x" * 100_000))) as server, Http() as http:
        for _ in range(3):
            assert http.get(server.uri).body == b"x" * 100_000
    assert len(opened) == 1


# --- neighbours that are sick -------------------------------------------------------------------------------------


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = failure(f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert "refused" in str(error) and not error.sent and error.passing


def test_an_unknown_host() -> None:
    error = failure("http://no-such-host.invalid/")
    assert not error.sent


@pytest.mark.parametrize("url", ["http://", "http://[::1", "http://host:port/", "gopher://x/"])
def test_what_is_not_an_address(url: str) -> None:
    error = failure(url, Policy(retries=0))
    assert not error.sent


def test_a_server_that_accepts_and_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = failure(f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert str(error) == "no answer within 0.3 seconds" and error.sent


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "at_once"),
    [
        (HEAD + b"content-length: 100\r\n\r\n" + b"x" * 100, 0),
        (HEAD + b"content-length: 100\r\n\r\n" + b"x" * 100, 40),
        (HEAD + b"x: " + b"y" * 200 + b"\r\n\r\n", 20),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 50, 50),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 50, 10),
    ],
    ids=["from the first byte", "in the body", "in a header", "in chunks", "in answers before the answer"],
)
def test_H3_a_dripping_answer_meets_the_deadline(answer: bytes, at_once: int) -> None:
    with dripping(answer, at_once=at_once) as uri:
        error = failure(uri)
    assert str(error) == "no complete answer within 0.6 seconds"
    assert not error.passing


@pytest.mark.slow
def test_H3_the_deadline_holds_for_all_attempts_together() -> None:
    pauses: list[float] = []
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(HttpError):
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Http(Policy(read=0.2, deadline=0.7, retries=1000, first_wait=0.01), sleep=pauses.append) as http:
            http.get(url)
    assert 1 <= len(pauses) <= 4


@pytest.mark.slow
def test_H3_a_bomb_is_not_unpacked_beyond_the_limit() -> None:
    bomb = gzip.compress(b"\0" * (200 << 20), 9)
    with serving(always(Answer(body=bomb, headers=(("content-encoding", "gzip"),)))) as server:
        tracemalloc.start()
        try:
            error = failure(server.uri, Policy(max_bytes=1 << 20))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert str(error) == "the answer is larger than 1,048,576 bytes" and not error.passing
    assert peak < 16 << 20


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "zstd", "deflate"])
def test_H3_an_encoding_that_was_not_asked_for_is_not_unpacked(encoding: str) -> None:
    bomb = gzip.compress(gzip.compress(b"\0" * (1 << 20), 9), 9)
    with serving(always(Answer(body=bomb, headers=(("content-encoding", encoding),)))) as server:
        error = failure(server.uri)
    assert str(error) == f"the answer is encoded as '{encoding}', which was not asked for" and not error.passing


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 1_000_000])
def test_gzip_in_members(size: int) -> None:
    parts = (b"ab" * size, b"", b"cd" * size)
    body = b"".join(map(gzip.compress, parts)) + b"\0\0"
    with serving(always(Answer(body=body, headers=(("content-encoding", "gzip"),)))) as server, Http() as http:
        assert http.get(server.uri).body == b"".join(parts)


def test_an_answer_as_large_as_the_limit() -> None:
    with serving(always(Answer(body=b"x" * 1000))) as server:
        with Http(Policy(max_bytes=1000)) as http:
            assert len(http.get(server.uri).body) == 1000
        assert "larger than 999 bytes" in str(failure(server.uri, Policy(max_bytes=999)))


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"content-length: 100\r\n\r\nshort",
        HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nab",
        HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\nab\r\n",
        HEAD + b"content-encoding: gzip\r\ncontent-length: 5\r\n\r\nnogzi",
        HEAD + b"content-encoding: gzip\r\n\r\n" + gzip.compress(b"x" * 1000, mtime=0)[:20],
        b"HTTP/1.1 2xx OK\r\n\r\n",
        b"not HTTP at all\r\n\r\n",
        b"",
    ],
)
def test_broken_answers(answer: bytes) -> None:
    with dripping(answer, at_once=len(answer)) as uri:
        error = failure(uri)
    assert str(error) and error.sent


def test_endless_headers() -> None:
    with dripping(HEAD + b"".join(b"x%d: y\r\n" % n for n in range(100_000)), at_once=1 << 21) as uri:
        assert "headers" in str(failure(uri))


def test_H3_a_line_of_a_wrong_answer_does_not_fill_the_message() -> None:
    with dripping(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000, at_once=1 << 21) as uri:
        assert len(str(failure(uri))) < 2000


# --- patience -----------------------------------------------------------------------------------------------------


def test_what_passes_is_waited_for_longer_each_time() -> None:
    waits: list[float] = []
    answers = [Answer(503), Answer(429), Answer(body=b"ok")]
    with serving(lambda path: answers.pop(0)) as server, Http(sleep=waits.append) as http:
        assert http.get(server.uri).body == b"ok"
    assert 0.1 <= waits[0] <= 0.2 <= waits[1] <= 0.4


def test_retry_after_counts_where_it_is_longer_and_in_time() -> None:
    waits: list[float] = []
    answers = [Answer(503, headers=(("retry-after", "7"),)), Answer(body=b"ok")]
    with serving(lambda path: answers.pop(0)) as server, Http(sleep=waits.append) as http:
        assert http.get(server.uri).body == b"ok"
    assert waits == [7.0]
    with serving(always(Answer(503, headers=(("retry-after", "3600"),)))) as server, Http(sleep=waits.append) as http:
        assert http.get(server.uri).status == 503
        assert len(server.requests) == 1


def test_the_last_answer_comes_back_whatever_it_says() -> None:
    with serving(always(Answer(500, b"oops"))) as server, Http(sleep=lambda seconds: None) as http:
        assert http.get(server.uri)[::2] == (500, b"oops")
        assert len(server.requests) == 6


def test_permanent_answers_are_believed() -> None:
    with serving(always(Answer(403))) as server, Http() as http:
        assert http.get(server.uri).status == 403
    assert len(server.requests) == 1


def test_what_may_have_arrived_is_not_sent_again_without_leave() -> None:
    policy = Policy(retries=3, resend=False)
    with serving(always(Answer(body=b"ab", breaks_off=True))) as server:
        failure(server.uri, policy)
        assert len(server.requests) == 1
    with serving(always(Answer(503))) as server, Http(policy) as http:
        assert http.get(server.uri).status == 503
        assert len(server.requests) == 1


def test_a_download_starts_over(tmp_path: Path) -> None:
    answers = [Answer(503, b"busy"), Answer(body=b"first", breaks_off=True), Answer(body=b"whole")]
    with (
        serving(lambda path: answers.pop(0)) as server,
        Http(sleep=lambda seconds: None) as http,
        (tmp_path / "file").open("wb") as file,
    ):
        response = http.request("GET", server.uri, into=file)
    assert (response.status, response.body) == (200, b"")
    assert (tmp_path / "file").read_bytes() == b"whole"


def test_what_goes_wrong_with_the_file_is_not_the_servers_fault() -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(28, "No space left on device")

    with serving(always(Answer(body=b"x"))) as server, pytest.raises(OSError, match="No space"), Http() as http:
        http.request("GET", server.uri, into=Full())
    assert len(server.requests) == 1


# --- redirects, secrets, proxies ----------------------------------------------------------------------------------


def test_keys_and_passwords_do_not_follow_a_redirect_to_another_host() -> None:
    with (
        serving(always(Answer(body=b"other"))) as other,
        serving(
            lambda path: Answer(302, headers=(("location", "/b" if path == "/a" else f"{other.uri}/c"),))
        ) as server,
        Http() as http,
    ):
        response = http.request("GET", f"{server.uri}/a", headers={"apikey": "k"}, auth=("me", "word"))
    assert response.body == b"other"
    basic = "Basic " + base64.b64encode(b"me:word").decode()
    assert [(path, headers.get("apikey"), headers.get("authorization")) for path, headers in server.requests] == [
        ("/a", "k", basic),
        ("/b", "k", basic),
    ]
    ((_, headers),) = other.requests
    assert not headers.keys() & {"apikey", "authorization"}


def test_redirects_end_and_stay_on_the_web() -> None:
    with serving(always(Answer(301, headers=(("location", "/again"),)))) as server:
        assert str(failure(server.uri)) == "more than 5 redirects"
        server.answer = always(Answer(301, headers=(("location", "file:///etc/passwd"),)))
        with Http() as http:
            assert http.get(server.uri).status == 301


def test_a_password_in_the_address_is_sent_as_such_and_never_told() -> None:
    with serving(always(Answer(body=b"x"))) as server, Http() as http:
        http.get(server.uri.replace("http://", "http://me:w%40rd@"))
        ((_, headers),) = server.requests
    assert headers["authorization"] == "Basic " + base64.b64encode(b"me:w@rd").decode()
    assert "w%40rd" not in str(failure("http://me:w%40rd@[::1"))


def test_proxies_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    def through(server: Server) -> str:
        with Http(HASTY) as http:
            return http.get("http://far.away.invalid/x").body.decode()

    with serving(always(Answer(body=b"by proxy"))) as proxy:
        monkeypatch.setenv("http_proxy", proxy.uri)
        assert through(proxy) == "by proxy"
        assert proxy.paths == ["http://far.away.invalid/x"]
        monkeypatch.setenv("no_proxy", "away.invalid")
        with pytest.raises(HttpError):
            through(proxy)


def test_it_serves_threads() -> None:
    with serving(lambda path: Answer(body=path.encode())) as server, Http() as http:
        got: dict[int, bytes] = {}

        def ask(number: int) -> None:
            got[number] = http.get(f"{server.uri}/{number}").body

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert got == {number: b"/%d" % number for number in range(8)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://me:word@host/x", "see https://***@host/x"),
        ("GET /x?app_id=abc&lat=1", "GET /x?app_id=***&lat=1"),
        ("https://h/?edition=City&license_key=abc#x", "https://h/?edition=City&license_key=***#x"),
        ("https://h/?monkeys=3", "https://h/?monkeys=3"),
        ("password pa55 wrong", "password *** wrong"),
    ],
)
def test_what_is_redacted(text: str, expected: str) -> None:
    assert redacted(text, ["pa55"]) == expected
