"""Remote adapters against a real HTTP server."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from snowetl.adapters.remote import RemoteAdapter, RemoteAdaptersConfig
from snowetl.errors import ConfigError
from tests.adapters.helpers import JSON, adapt, failures, input_data, parameters, payload, registry

PATH = "com.example.shop/v1"
EVENT = {"tv": "shop-v1", "e": "ue", "p": "srv", "ue_pr": "{}"}


class Service:
    """Answers requests as told, and keeps them."""

    def __init__(self) -> None:
        self.status = 200
        self.body: bytes = json.dumps({"events": [EVENT]}).encode()
        self.delay = 0.0
        self.drip = False
        self.location = ""
        self.requests: list[tuple[dict[str, str], str]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                service.requests.append(({name.lower(): text for name, text in self.headers.items()}, body))
                time.sleep(service.delay)
                self.send_response(service.status)
                self.send_header("Content-Length", str(len(service.body)))
                self.send_header("Retry-After", "0")
                if service.location:
                    self.send_header("Location", service.location)
                self.end_headers()
                if not service.drip:
                    self.wfile.write(service.body)
                    return
                for byte in service.body:
                    self.wfile.write(bytes((byte,)))
                    self.wfile.flush()
                    time.sleep(0.05)

            def log_message(self, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/adapt"


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def using(url: str, read_timeout: float = 5.0) -> Any:
    config = RemoteAdaptersConfig((RemoteAdapter("com.example.shop", "v1", url),), 1.0, read_timeout)
    return registry(remote=config)


def could_not(url: str, why: str) -> dict[str, Any]:
    return input_data("body", None, f"[REMOTE_ADAPTER] could not get response from remote adapter {url}: {why}")


def test_the_request_and_the_events(service):
    service.body = json.dumps({"events": [EVENT, {"e": "pv"}]}).encode()
    given = payload(PATH, '{"ü":"\x7f"}', "text/x", [("a", "1"), ("b", None), ("a", "2")], headers=["X: y"])
    made = adapt(given, using(service.url))
    assert [event.parameters for event in made] == [EVENT, {"e": "pv"}]
    assert all(event.payload is given for event in made)
    [(headers, body)] = service.requests
    assert headers["content-type"] == "application/json" and headers["accept"] == "*/*"
    assert body == (
        '{"contentType":"text/x","queryString":{"a":"2","b":null},"headers":["X: y"],"body":"{\\"ü\\":\\"\\u007f\\"}"}'
    )


def test_connections_are_used_again(service):
    remote = using(service.url)
    for _ in range(3):
        assert parameters(payload(PATH, "x"), remote) == [EVENT]
    assert len(service.requests) == 3


@pytest.mark.parametrize("body", [None, ""])
def test_without_a_body_nothing_is_asked(service, body):
    expected = input_data("body", None, f"empty body: not a valid remote adapter {service.url} payload")
    assert failures(payload(PATH, body, JSON, {"a": "b"}), using(service.url)) == [expected]
    assert service.requests == []


@pytest.mark.parametrize("status", [301, 400, 404, 500, 503])
def test_a_status_that_is_no_success_is_not_asked_again(service, status):
    service.status, service.body, service.location = status, b"why" * 100, service.url
    remote = using(service.url)
    expected = could_not(service.url, f"Request failed with status {status}")
    assert failures(payload(PATH, "x"), remote) == [expected]
    assert len(service.requests) == 1
    service.status, service.body = 201, json.dumps({"events": [EVENT]}).encode()
    assert parameters(payload(PATH, "x"), remote) == [EVENT]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("{x", {"error": "[REMOTE_ADAPTER] invalid json: expected \" got 'x' (line 1, column 2)"}),
        ("", {"error": "[REMOTE_ADAPTER] invalid json: exhausted input"}),
        ('{"events":[]}', {"expectation": "[REMOTE_ADAPTER] empty list of events"}),
        ("[]", {"expectation": "Attempt to decode value on failed cursor: DownField(events)"}),
        ('{"event":1}', {"expectation": "Attempt to decode value on failed cursor: DownField(events)"}),
        ('{"events":{"a":"b"}}', {"expectation": "C[A]: DownField(events)"}),
        ('{"events":[{"a":"b"},7]}', {"expectation": "[K, V]Map[K, V]: MoveRight,DownArray,DownField(events)"}),
        ('{"events":[{"a":null}]}', {"expectation": "String: DownField(a),DownArray,DownField(events)"}),
    ],
)
def test_answers_that_are_no_events(service, answer, message):
    service.body = answer.encode()
    [found] = failures(payload(PATH, "x"), using(service.url))
    [(key, text)] = message.items()
    assert (found["field"], found["value"]) == ("body", answer)
    decoding = "[REMOTE_ADAPTER] could not be decoded as a list of json objects: "
    assert found[key] == (text if text.startswith("[REMOTE") else decoding + text)


def test_nobody_there():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/adapt"
    [found] = failures(payload(PATH, "x"), using(url))
    assert found["value"] is None
    assert found["expectation"].startswith(could_not(url, "")["expectation"])
    assert "refused" in found["expectation"]


def test_an_answer_that_does_not_come(service):
    service.delay = 1.0
    [found] = failures(payload(PATH, "x"), using(service.url, 0.2))
    assert found["expectation"].endswith("no answer within 0.2 seconds")
    assert len(service.requests) == 1


@pytest.mark.slow
def test_an_answer_that_comes_in_drops(service):
    service.drip = True
    assert failures(payload(PATH, "x"), using(service.url, 0.3)) == [
        could_not(service.url, "no complete answer within 1.3 seconds")
    ]


def test_a_server_that_hangs_up():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/adapt"

        def hang_up() -> None:
            connection, _ = listening.accept()
            connection.recv(100)
            connection.close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        [found] = failures(payload(PATH, "x"), using(url))
        thread.join()
    assert found["expectation"].startswith(could_not(url, "")["expectation"])


class TestConfiguration:
    def test_all_keys(self):
        config = RemoteAdaptersConfig.parse(
            {
                "connectionTimeout": "500 ms",
                "readTimeout": "2 minutes",
                "maxConnections": 3,
                "configs": [{"vendor": "a", "version": "b", "url": "https://x.example/y"}],
            }
        )
        assert config == RemoteAdaptersConfig((RemoteAdapter("a", "b", "https://x.example/y"),), 0.5, 120.0, 3)

    def test_defaults(self):
        assert RemoteAdaptersConfig.parse({}) == RemoteAdaptersConfig((), 10.0, 45.0, 10)

    def test_B8_all_problems_are_told_at_once(self):
        given = {"readTimout": 1, "maxConnections": 0, "configs": [{"vendor": "a"}, 7]}
        with pytest.raises(ConfigError) as caught:
            RemoteAdaptersConfig.parse(given)
        assert str(caught.value).splitlines()[1:] == [
            "  - remoteAdapters: unknown key 'readTimout'; did you mean readTimeout. Known are: "
            "connectionTimeout, readTimeout, maxConnections, configs",
            "  - remoteAdapters.maxConnections must be a number from 1, not 0",
            "  - remoteAdapters.configs[0]: 'version' must be a text",
            "  - remoteAdapters.configs[0]: 'url' must be a text",
            "  - remoteAdapters.configs[1] must hold keys and values, not 7",
            "  - remoteAdapters.configs[1]: 'vendor' must be a text",
            "  - remoteAdapters.configs[1]: 'version' must be a text",
            "  - remoteAdapters.configs[1]: 'url' must be a text",
        ]

    @pytest.mark.parametrize("text", [7, 7.0, "7", "7s", "7 seconds", "7000ms", " 7.0 s "])
    def test_durations(self, text):
        assert RemoteAdaptersConfig.parse({"readTimeout": text}).read_timeout == 7.0

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            ([], "remoteAdapters must hold keys and values"),
            ({"timeout": 1}, "unknown key 'timeout'; did you mean readTimeout. Known are"),
            ({"readTimeout": "soon"}, "remoteAdapters.readTimeout must be a duration"),
            ({"readTimeout": "5 parsecs"}, "remoteAdapters.readTimeout must be a duration"),
            ({"connectionTimeout": 0}, "remoteAdapters.connectionTimeout must be a duration"),
            ({"connectionTimeout": True}, "remoteAdapters.connectionTimeout must be a duration"),
            ({"maxConnections": "3"}, "remoteAdapters.maxConnections must be a number from 1"),
            ({"maxConnections": 0}, "remoteAdapters.maxConnections must be a number from 1"),
            ({"configs": {}}, "remoteAdapters.configs must be a list"),
            ({"configs": [{}]}, "remoteAdapters.configs[0]: 'vendor' must be a text"),
            (
                {"configs": [{"vendor": "a", "version": "b", "url": "x"}]},
                "configs[0]: 'x' is not an address http:// or https://",
            ),
            (
                {"configs": [{"vendor": "a", "version": "b", "url": "file:///x"}]},
                "is not an address http:// or https://",
            ),
            ({"configs": [{"vendor": "a", "version": "b", "url": "http://x", "uri": "y"}]}, "unknown key 'uri'"),
        ],
    )
    def test_what_cannot_be_used(self, data, message):
        with pytest.raises(ConfigError) as caught:
            RemoteAdaptersConfig.parse(data)
        assert message in str(caught.value)
