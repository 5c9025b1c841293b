"""``oracle/*.jsonl.gz``: raw records of every kind, and what the reference program made of them."""

from __future__ import annotations

import base64
import copy
import functools
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from snowetl.collector import thrift_reader as reader
from snowetl.enrich.compatibility import Compatibility
from snowetl.enrich.config import EnrichConfig
from snowetl.enrich.enrichments import registered
from snowetl.enrich.pipeline import Enricher
from snowetl.errors import ConfigError
from snowetl.jvm import charsets
from snowetl.jvm.strings import to_utf8
from snowetl.model.badrow import BadRow
from snowetl.model.event import EnrichedEvent
from snowetl.model.fields import NAMES
from tests.conformance.compare import deep_recursion, differences, event_differences, exact_json
from tests.conformance.runner import Mismatch, Unsupported
from tests.conformance.suites import _later
from tests.conformance.suites._yauaa import yauaa_is_missing

FILES = "oracle/*.jsonl.gz"
_PII_EVENT = "pii_transformation"
_NO_ENGINE = "JavascriptScriptEnrichment.engine()"
ETL_TSTAMP = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
_REFUSED_COLUMNS = "access log contained 33 fields"
_HUGE = "BigInteger would overflow supported range"
_LONG_MONTH = 27 * 86_400_000
_TIMESTAMP = re.compile(r"(-?[0-9]+)-([0-9]{2})-([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2})\.([0-9]{3})")


def oracle_folder(vectors: Path, name: str) -> Path:
    """A folder beside the oracle's cases; a link that was copied as a small text file is followed."""
    folder = vectors / "oracle" / name
    return folder.parent / folder.read_text("utf-8").strip() if folder.is_file() else folder


def resolver(vectors: Path) -> dict[str, Any]:
    """The resolver the oracle was made with: Iglu Central, then its own schemas."""

    def repository(name: str, priority: int, prefixes: list[str], folder: Path) -> dict[str, Any]:
        connection = {"http": {"uri": folder.resolve().as_uri()}}
        return {"name": name, "priority": priority, "vendorPrefixes": prefixes, "connection": connection}

    return {
        "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-1",
        "data": {
            "cacheSize": 2000,
            "repositories": [
                repository("Iglu Central", 1, ["com.snowplowanalytics"], vectors.parent / "iglu-central"),
                repository("Oracle Extra", 2, [], oracle_folder(vectors, "iglu-extra")),
            ],
        },
    }


def profile(folder: Path, assets: Path) -> list[dict[str, Any]]:
    """The enabled enrichment configurations of a profile, with the place of its files filled in."""
    texts = [path.read_text("utf-8") for path in sorted(folder.glob("*.json"))]
    parsed = [json.loads(text.replace("@ASSETS@", str(assets.resolve()))) for text in texts]
    return [config for config in parsed if config["data"].get("enabled") is True]


def unsupported(configs: list[dict[str, Any]]) -> str | None:
    names = sorted({config["schema"].split("/")[1] for config in configs} - set(registered()))
    return f"enrichment {', '.join(names)}" if names else None


@functools.cache
def _enricher(
    vectors: Path, input_format: str, profile_name: str, era: Compatibility | None = None
) -> Enricher | Unsupported:
    configs = profile(vectors / "oracle" / "profiles" / profile_name, oracle_folder(vectors, "assets"))
    missing = unsupported(configs)
    if missing:
        return Unsupported(missing)
    if profile_name == "yauaa" and yauaa_is_missing():
        return Unsupported(yauaa_is_missing())
    return Enricher(
        EnrichConfig.load(
            resolver=resolver(vectors),
            enrichments=configs,
            input_format=input_format,
            etl_tstamp=ETL_TSTAMP,
            processor=("oracle", "3.9.0"),
            on_registry_failure="bad-rows",
            pii_events=True,
            compatibility=era or Compatibility.of(),
        )
    )


def run(case: dict[str, Any], vectors: Path) -> list[Mismatch] | Unsupported:
    if _NO_ENGINE in json.dumps(case["expect"]):
        return list(_without_engine(case, vectors))
    enricher = _enricher(vectors, case["format"], case["profile"])
    if isinstance(enricher, Unsupported):
        return enricher
    record = _record(case)
    outcome = _compared(case, record, enricher)
    before = _enricher(vectors, case["format"], case["profile"], _later.AS_IN_3_9) if outcome else enricher
    assert not isinstance(before, Unsupported)
    outcome = _later.unknown_clients(outcome, lambda: _compared(case, record, before))
    if _later.is_other_cookie_header(_headers(record)):
        outcome = [_later.cookie_header(mismatch) for mismatch in outcome]
    rule = _charset_rule(record) if outcome and isinstance(record, bytes) else ""
    return [mismatch._replace(field=mismatch.field + rule) for mismatch in outcome]


def _compared(case: dict[str, Any], record: bytes | str, enricher: Enricher) -> list[Mismatch]:
    results = list(enricher.process(record))
    expect = case["expect"]
    told = [result for result in results if isinstance(result, EnrichedEvent) and result["event"] == _PII_EVENT]
    results = [result for result in results if result not in told]
    outcome = _outcome(expect, results)
    if len(told) != len(expect.get("pii_tsv") or ()) and not outcome:
        outcome.append(Mismatch("pii", expect.get("pii_tsv"), [dict(event) for event in told]))
    return outcome


def _headers(record: bytes | str) -> list[str]:
    """The headers of a Thrift record."""
    if isinstance(record, str):
        return []
    try:
        headers = reader.Walker(record).read_record(reader.COLLECTOR_PAYLOAD).get(reader.HEADERS)
    except reader.ThriftError:
        return []
    return [str(header) for header in headers] if isinstance(headers, list) else []


def _record(case: dict[str, Any]) -> bytes | str:
    return base64.b64decode(case["record_base64"]) if "record_base64" in case else case["line"]


def _without_engine(case: dict[str, Any], vectors: Path) -> Iterator[Mismatch]:
    """The JVM that made the case had no JavaScript engine: all that is asked is that no event is lost."""
    expect = case["expect"]
    try:
        enricher = _enricher(vectors, case["format"], case["profile"])
    except ConfigError as error:
        yield Mismatch("reference-without-engine", expect, str(error))
        return
    assert not isinstance(enricher, Unsupported)
    results = list(enricher.process(_record(case)))
    for result in results:
        if isinstance(result, EnrichedEvent):
            line = result.to_tsv()
            if line.count("\t") != len(NAMES) - 1 or "\n" in line or "\r" in line:
                yield Mismatch("line", f"{len(NAMES)} columns", line)
        elif isinstance(result, BadRow):
            exact_json(result.to_json())
    of_record = [
        result for result in results if not (isinstance(result, EnrichedEvent) and result["event"] == _PII_EVENT)
    ]
    if len(of_record) != len(expect["good"]) + len(expect["bad"]):
        yield Mismatch("results", expect, [repr(result)[:400] for result in results])
    yield Mismatch("reference-without-engine", expect, [repr(result)[:200] for result in results])


def _charset_rule(record: bytes) -> str:
    """What to add to the fields of a record whose charset we read otherwise than the JVM, or not at all."""
    try:
        encoding = str(reader.Walker(record).read_record(reader.COLLECTOR_PAYLOAD).get(reader.ENCODING)).lower()
    except reader.ThriftError:
        return ""
    if encoding in charsets.not_read():
        return "(charset not read)"
    return "(ISO-2022)" if "2022" in encoding else ""


def _outcome(expect: dict[str, Any], results: list[Any]) -> list[Mismatch]:
    if expect.get("exception"):
        kind = "reference-exception" if results else "nothing-came-out"
        return [Mismatch(kind, expect["exception"], [repr(result)[:200] for result in results])]
    return list(_compare(expect, results))


def _compare(expect: dict[str, Any], results: list[Any]) -> Iterator[Mismatch]:
    order = "".join("b" if isinstance(result, BadRow) else "g" for result in results)
    expected_order = expect.get("order") or "g" * len(expect["good"]) + "b" * len(expect["bad"])
    expected_order = "".join(expected_order)
    if order != expected_order:
        rule = "(huge number)" if any(_HUGE in repr(result) for result in results) else ""
        rule = rule or _later.headset(expected_order, results)
        rule = "(33 columns)" if _REFUSED_COLUMNS in repr(expect) else rule
        yield Mismatch(f"order{rule}", expected_order, [order, *(repr(result)[:400] for result in results)])
        return
    good = [result for result in results if not isinstance(result, BadRow)]
    bad = [result for result in results if isinstance(result, BadRow)]
    for index, (expected, event) in enumerate(zip(expect["good"], good, strict=True)):
        for mismatch in event_differences(f"good.{index}", expected, _as_written(event)):
            yield _explained(mismatch, expected)
    for index, (expected, row) in enumerate(zip(expect["bad"], bad, strict=True)):
        payload = expected["data"]["payload"]
        columns = payload.get("enriched", {}) if isinstance(payload, dict) else {}
        for mismatch in bad_row_differences(f"bad.{index}", expected, row):
            yield _explained(mismatch, columns)


def _as_written(event: EnrichedEvent) -> dict[str, str | None]:
    """The columns as a reader of the output file gets them (lone surrogates are written as ``?``)."""
    return {name: None if value is None else to_utf8(value).decode() for name, value in event.to_dict().items()}


def bad_row_differences(path: str, expected: dict[str, Any], row: BadRow) -> Iterator[Mismatch]:
    """Compare whole bad rows, the JSON columns of their events parsed; parameters are a set."""
    text = to_utf8(row.to_json()).decode()
    with deep_recursion():
        yield from list(_bad_row_differences(path, expected, json.loads(text)))


def _bad_row_differences(path: str, expected: dict[str, Any], got: dict[str, Any]) -> Iterator[Mismatch]:
    expected = copy.deepcopy(expected)
    for side in (expected, got):
        payload = side["data"].get("payload")
        if isinstance(payload, dict) and "enriched" in payload:
            for column in ("contexts", "unstruct_event", "derived_contexts"):
                text = payload["enriched"].get(column)
                if isinstance(text, str) and text != "@ANY@":
                    payload["enriched"][column] = _parsed(text)
            payload["raw"]["parameters"].sort(key=lambda parameter: str(parameter["name"]))
    yield from differences(path, expected, got)


def _parsed(text: str) -> Any:
    try:
        return exact_json(text)
    except ValueError:
        return text


def _explained(mismatch: Mismatch, expected: dict[str, Any]) -> Mismatch:
    """Name the rule in the field where one is at work: ``derived_tstamp(calendar)``, ``v_collector(one cell)``."""
    column = mismatch.field.rpartition(".")[2]
    rule = _RULES.get(column)
    if rule is None or not isinstance(mismatch.got, str) or not rule[1](mismatch, expected):
        return mismatch
    return mismatch._replace(field=f"{mismatch.field}({rule[0]})")


def _is_calendar(mismatch: Mismatch, expected: dict[str, Any]) -> bool:
    """The reference subtracted months from the collector's time where we subtract milliseconds."""
    created, sent, collector = (
        _millis(expected.get(name)) for name in ("dvce_created_tstamp", "dvce_sent_tstamp", "collector_tstamp")
    )
    if created is None or sent is None or collector is None:
        return False
    waited = sent - created
    return waited >= _LONG_MONTH and _millis(mismatch.got) == collector - waited


def _is_one_cell(mismatch: Mismatch, expected: dict[str, Any]) -> bool:
    """The reference wrote line breaks or tabs into the middle of its line."""
    text = str(mismatch.expected)
    return mismatch.got == re.sub("[\r\n]", "", text).replace("\t", "    ") != text


_RULES: dict[str, tuple[str, Callable[[Mismatch, dict[str, Any]], bool]]] = {
    "derived_tstamp": ("calendar", _is_calendar),
    "v_collector": ("one cell", _is_one_cell),
}


def _millis(text: str | None) -> int | None:
    """Milliseconds since the epoch of a column's text, whose year may be of any size and sign."""
    match = _TIMESTAMP.fullmatch(text or "")
    if match is None:
        return None
    year, month, day, hour, minute, second, milli = (int(group) for group in match.groups())
    days = 365 * (year - 1) + sum((year - 1) // n * sign for n, sign in ((4, 1), (100, -1), (400, 1)))
    days += (datetime(2000 + year % 400, month, day) - datetime(2000 + year % 400, 1, 1)).days
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + milli
