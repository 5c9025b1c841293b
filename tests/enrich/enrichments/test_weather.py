"""weather: one request for each day and place, the nearest stamp for each event."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from snowetl.enrich.draft import Draft
from snowetl.errors import ConfigError
from tests.enrich.enrichments.support import conf, draft, opened
from tests.iglu.server import Answer, Server, serving

GIVEN = {"apiKey": "s3cret", "cacheSize": 10, "geoPrecision": 2, "timeout": 5}
MAIN = {"temp": 281.5, "temp_min": 280, "temp_max": 283.10, "pressure": 1012, "humidity": 81}


def stamp(hour: int, **more: Any) -> dict[str, Any]:
    return {"dt": 1_772_409_600 + hour * 3600, "main": MAIN, "clouds": {"all": hour}} | more


def run(answer: Callable[[str], Answer], *events: dict[str, str], **given: Any) -> tuple[list[Draft], Server]:
    """The events after the step, which asked a server that gives ``answer``."""
    drafts = [draft(**event) for event in events]
    with serving(answer) as server:
        one = conf("weather_enrichment_config", **GIVEN | {"apiHost": server.uri} | given)
        with opened(one) as step:
            for made in drafts:
                step(made)
    return drafts, server


def event(hour: str = "08:00:00", latitude: str = "51.51", longitude: str = "-0.13") -> dict[str, str]:
    return {"geo_latitude": latitude, "geo_longitude": longitude, "derived_tstamp": f"2026-03-02 {hour}.000"}


def listed(*stamps: dict[str, Any]) -> Callable[[str], Answer]:
    return lambda path: Answer(body=json.dumps({"cod": "200", "list": list(stamps)}).encode())


def error(made: Draft) -> Any:
    (failure,) = made.failures
    assert failure["enrichment"]["identifier"] == "weather"
    return failure["message"]["error"]


def test_the_nearest_stamp_becomes_an_entity() -> None:
    (made,), _ = run(listed(stamp(0), stamp(9, wind={"speed": 4.390, "deg": 190}), stamp(12)), event())
    (entity,) = made.entities
    assert entity.schema == "iglu:org.openweathermap/weather/jsonschema/1-0-0"
    data = json.loads(entity.json)["data"]
    assert data == {
        "dt": "2026-03-02T09:00:00.000Z",
        "main": MAIN,
        "wind": {"speed": 4.39, "deg": 190},
        "clouds": {"all": 9},
    }


def test_what_is_asked() -> None:
    _, server = run(listed(stamp(0)), event(latitude="51.5142"))
    url = urlsplit(server.paths[0])
    assert url.path == "/data/2.5/history/city"
    assert parse_qs(url.query) == {
        "appid": ["s3cret"],
        "lat": ["51.5142"],
        "lon": ["-0.13"],
        "start": ["1772409600"],
        "end": ["1772496000"],
        "cnt": ["24"],
    }


def test_events_of_one_day_and_place_share_an_answer() -> None:
    near = event("23:59:59", latitude="51.6")
    far = event(latitude="52.3")
    _, server = run(listed(stamp(0)), event(), near, far, event())
    assert len(server.requests) == 2


def test_failures_are_remembered() -> None:
    drafts, server = run(lambda path: Answer(401), event(), event())
    assert [error(made) for made in drafts] == ["Check your API key"] * 2
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (Answer(403), "Check your API key"),
        (Answer(404), "Request failed with status 404"),
        (Answer(body=b'{"list":[]}'), "Server response has no weather stamps"),
        (Answer(body=b'{"message":"no data","cod":"404"}'), "no data"),
        (Answer(body=b"{}"), "the answer has no list of weather stamps"),
        (Answer(body=b"<html>"), "invalid json"),
    ],
)
def test_failures(answer: Answer, text: str) -> None:
    (made,), _ = run(lambda path: answer, event())
    assert text in error(made)


def test_each_missing_input_is_named() -> None:
    (made,), server = run(listed(stamp(0)), {"geo_latitude": "1.0"})
    assert [one["message"]["field"] for one in made.failures] == ["geo_longitude", "derived_tstamp"]
    assert server.requests == []


def test_nobody_answers() -> None:
    made = draft(**event())
    with opened(conf("weather_enrichment_config", **GIVEN | {"timeout": 1, "apiHost": "http://127.0.0.1:1"})) as step:
        step(made)
    assert "Connection refused" in error(made)
    assert "s3cret" not in error(made)


def test_a_broken_configuration() -> None:
    with pytest.raises(ConfigError, match="apiHost.*cacheSize"):
        conf("weather_enrichment_config", apiKey="k", geoPrecision=1, timeout=1)
