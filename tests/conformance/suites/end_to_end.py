"""``end_to_end.jsonl``: whole inputs as files through the real Spark job.

Cases with an enrichment we do not have are not supported, with one exception: PII pseudonymisation, which is on in
nearly all of them, only rewrites columns at the very end, so those cases run without it and without those columns.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import functools
import gzip
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from snowetl.enrich.compatibility import SKIP
from snowetl.enrich.enrichments import registered
from snowetl.enrich.enrichments.currency_conversion import ENDPOINT_VARIABLE
from snowetl.iglu.validation.patterns import full_match
from snowetl.model.fields import INDEX, NAMES
from snowetl.steps.base import Unwatched, World
from snowetl.steps.settings import EnrichSettings
from snowetl.steps.table import ENRICH
from snowetl.storage import lzop_writer
from snowetl.workers import open_pool
from tests.conformance.compare import differences, exact_json, unordered
from tests.conformance.runner import Mismatch, Unsupported
from tests.conformance.suites._api_request import answering
from tests.conformance.suites._later import unknown_clients
from tests.conformance.suites._registry import resolver_with
from tests.conformance.suites._remote import service
from tests.conformance.suites._sql_query import prepared
from tests.conformance.suites._yauaa import yauaa_is_missing
from tests.iglu.server import Answer, serving

FILES = "end_to_end.jsonl"

_JSON_COLUMNS = ("contexts", "derived_contexts", "unstruct_event")
_EVENT = INDEX["event"]
_SERVICES = frozenset(("remote_adapter", "http", "open_exchange_rates", "postgresql"))
_NOT_OURS = frozenset(("v_etl",))
"""The job names itself as the processor."""


def run(case: dict[str, Any], vectors: Path) -> list[Mismatch] | Unsupported:
    configs = case["enrichments"]
    missing = sorted({_name(config) for config in configs} - set(registered()))
    if missing:
        return Unsupported(f"enrichment {', '.join(missing)}")
    outside = sorted({service["kind"] for service in case.get("requires") or ()} - _SERVICES)
    if "yauaa_enrichment_config" in {_name(config) for config in configs} and yauaa_is_missing():
        return Unsupported(yauaa_is_missing())
    if outside:
        return Unsupported(f"outside service {', '.join(outside)}")
    return unknown_clients(_job(case, vectors), lambda: _job(case, vectors, iab_unknown_clients=SKIP))


def _job(case: dict[str, Any], vectors: Path, **switches: str) -> list[Mismatch]:
    configs = case["enrichments"]
    with (
        tempfile.TemporaryDirectory() as folder,
        resolver_with(case.get("extra_schemas") or {}, vectors) as resolver,
        _remote_adapters(case) as remote_adapters,
        _served(case, configs) as configs,
        _exchange_rates(case),
    ):
        work = Path(folder)
        _write_input(case, work / "in")
        flags = case.get("feature_flags") or {}
        settings = EnrichSettings(
            input_folder=str(work / "in"),
            input_format=case["input_format"],
            output_folder=str(work / "good"),
            bad_folder=str(work / "bad"),
            iglu_config=resolver,
            enrichments=[_with_files(c, case, vectors, work) for c in configs],
            etl_timestamp=case.get("etl_tstamp_ms"),
            accept_invalid=flags.get("acceptInvalid", False),
            pii_events="pii" in case["expect"],
            legacy_enrichment_order=flags.get("legacyEnrichmentOrder", False),
            try_base64=flags.get("tryBase64Decoding", False),
            adapters={"remoteAdapters": {"configs": remote_adapters}},
            **switches,  # type: ignore[arg-type]
        )
        with _executor() as workers:
            ENRICH.execute(ENRICH.plan(settings, World.of_now()), workers, Unwatched())
        good, bad = _lines(work / "good"), _lines(work / "bad")
    return list(_compare(case, good, bad))


@contextlib.contextmanager
def _remote_adapters(case: dict[str, Any]) -> Iterator[list[dict[str, str]]]:
    """The remote adapters a case needs, each answering as the case says."""
    with contextlib.ExitStack() as services:
        adapters = []
        for needed in _required(case, "remote_adapter"):
            url, _ = services.enter_context(service(needed))
            adapters.append({"vendor": needed["vendor"], "version": needed["version"], "url": url})
        yield adapters


@contextlib.contextmanager
def _exchange_rates(case: dict[str, Any]) -> Iterator[None]:
    """The rates of a case, the same for all days, from a server that speaks as Open Exchange Rates does."""
    rates: dict[str, float] = {}
    for needed in _required(case, "open_exchange_rates"):
        for pair in needed["rates"]:
            rates |= {pair["from"]: 1, pair["to"]: pair["rate"]}
    if not rates:
        yield
        return
    with (
        serving(lambda path: Answer(body=json.dumps({"rates": rates}).encode())) as server,
        mock.patch.dict(os.environ, {ENDPOINT_VARIABLE: server.uri}),
    ):
        yield


def _required(case: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one for one in case.get("requires") or () if one["kind"] == kind]


@contextlib.contextmanager
def _served(case: dict[str, Any], configs: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The APIs and databases a case needs, on free ports; the configurations with their addresses."""
    text = json.dumps(configs)
    with contextlib.ExitStack() as services:
        for needed in _required(case, "http"):
            seen: list[dict[str, Any]] = []
            address = services.enter_context(answering(needed["status"], needed["body"].encode(), seen))
            text = text.replace("{0.scheme}://{0.netloc}".format(urlsplit(needed["url"])), address)
        configs = json.loads(text)
        for needed in _required(case, "postgresql"):
            setup = "\n".join(needed["setup_sql"])
            for config in configs:
                at = (config["data"].get("parameters") or {}).get("database")
                if isinstance(at, dict) and "postgresql" in at:
                    at["postgresql"] |= prepared(at["postgresql"]["database"], setup)
        yield configs


@functools.cache
def _session() -> Any:
    from snowetl.workers.spark_session import open_session

    session, _ = open_session("conformance", "local[1]")
    atexit.register(session.stop)
    return session


@contextlib.contextmanager
def _executor() -> Iterator[Any]:
    _session()
    with open_pool("local[1]", 1, "conformance") as executor:
        yield executor


def _name(config: dict[str, Any]) -> str:
    return str(config["schema"].split("/")[1])


def _write_input(case: dict[str, Any], folder: Path) -> None:
    folder.mkdir()
    if case.get("lzo_file_base64"):
        (folder / "part.lzo").write_bytes(base64.b64decode(case["lzo_file_base64"]))
    elif case.get("records_base64"):
        data, index = lzop_writer.write([base64.b64decode(record) for record in case["records_base64"]])
        (folder / "part.lzo").write_bytes(data)
        (folder / "part.lzo.index").write_bytes(index)
    else:
        (folder / "part.txt").write_bytes("".join(line + "\n" for line in case["lines"]).encode("utf-8"))


def _with_files(config: dict[str, Any], case: dict[str, Any], vectors: Path, work: Path) -> dict[str, Any]:
    """The configuration with its files taken from the vectors, picked by their content."""
    config = json.loads(json.dumps(config))
    for part in _parts_with_database(config["data"].get("parameters") or {}):
        asset = case["assets"][part["database"]]
        folder = work / "assets" / asset["sha256"]
        folder.mkdir(parents=True, exist_ok=True)
        content = asset.get("content_base64")
        data = base64.b64decode(content) if content else _by_hash(vectors)[asset["sha256"]].read_bytes()
        (folder / part["database"]).write_bytes(data)
        part["uri"] = folder.resolve().as_uri()
    return config


def _parts_with_database(parameters: Any) -> Iterator[dict[str, Any]]:
    if isinstance(parameters, dict):
        if "database" in parameters and "uri" in parameters:
            yield parameters
        for value in parameters.values():
            yield from _parts_with_database(value)


@functools.cache
def _by_hash(vectors: Path) -> dict[str, Path]:
    files = [path for path in (vectors / "assets").rglob("*") if path.is_file() and path.stat().st_size < 1 << 20]
    return {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in files}


def _lines(folder: Path) -> list[str]:
    lines = []
    for path in sorted(folder.glob("run=*/part-*")):
        lines += gzip.decompress(path.read_bytes()).decode("utf-8").split("\n")[:-1]
    return lines


def _compare(case: dict[str, Any], good: list[str], bad: list[str]) -> Iterator[Mismatch]:
    expect = case["expect"]
    if "pii" in expect:
        told = [line for line in good if line.split("\t")[_EVENT] == "pii_transformation"]
        good = [line for line in good if line not in told]
        yield from differences("pii", len(expect["pii"]), len(told))
        for index, (expected, line) in enumerate(zip(expect["pii"], told, strict=False)):
            yield from _event(case, f"pii.{index}", expected, line, {})
    later = case.get("outcome_at_3_9_0")
    wanted = (later or expect)["good_count"], (later or expect)["bad_count"]
    if (len(good), len(bad)) != wanted:
        yield Mismatch("counts", wanted, [len(good), len(bad), *[row[:1000] for row in bad[:3]]])
        return
    if later:
        return
    differs = case.get("differences_at_3_9_0", [])
    for index, (expected, line) in enumerate(zip(expect["good"], good, strict=False)):
        changes = {
            field: entry for entry in differs if entry.get("event") == index for field in entry["fields"]
            if entry["why"] != "ua_not_url_decoded" or "also" in entry
        }  # fmt: skip
        yield from _event(case, f"good.{index}", expected, line, changes)
    for index, (entry, line) in enumerate(zip(expect["bad"], bad, strict=False)):
        change = next((d for d in differs if d.get("bad") == index), None)
        yield from _bad_row(f"bad.{index}", entry, line, change)


def _event(
    case: dict[str, Any], path: str, expected: dict[str, Any], line: str, changes: dict[str, Any]
) -> Iterator[Mismatch]:
    columns = dict(zip(NAMES, line.split("\t"), strict=True))
    ignored = set(case.get("ignore_fields", ())) | _NOT_OURS
    checked = case.get("columns_checked", len(NAMES))
    for column, wanted in expected.items():
        if column in ignored or column not in NAMES[:checked]:
            continue
        if column in changes:
            if "value" not in changes[column]:
                continue
            wanted = changes[column]["value"]
        got = columns[column] or None
        child = f"{path}.{column}"
        if isinstance(wanted, dict):
            if not full_match(wanted["regex"])(got or ""):
                yield Mismatch(child, wanted, got)
        elif column in _JSON_COLUMNS and wanted and got:
            one, other = exact_json(wanted), exact_json(got)
            if column == "derived_contexts":
                yield from unordered(child, one.pop("data"), other.pop("data"))
            yield from differences(child, one, other)
        elif (wanted or None) != got:
            yield Mismatch(child, wanted, got)


def _bad_row(path: str, entry: dict[str, Any], line: str, change: dict[str, Any] | None) -> Iterator[Mismatch]:
    row = json.loads(line)
    if change is not None:
        if row["schema"] != change["schema"]:
            yield Mismatch(f"{path}.schema", change["schema"], row["schema"])
        wanted, left = change["failure_messages_any_order"], list(row["data"]["failure"]["messages"])
        for message in wanted:
            found = next((other for other in left if _fits(message, other)), None)
            if found is None:
                yield Mismatch(f"{path}.messages", message, left)
            else:
                left.remove(found)
        if left:
            yield Mismatch(f"{path}.messages", [], left)
        return
    expected = json.loads(json.dumps(entry["row"]))
    for ignored in [*entry.get("ignore", ()), "data.failure.timestamp", "data.processor"]:
        for document in (expected, row):
            _drop(document, ignored.removeprefix("$.").split("."))
    yield from differences(path, expected, row)


def _fits(wanted: Any, got: Any) -> bool:
    if isinstance(wanted, dict) and set(wanted) == {"regex"}:
        return isinstance(got, str) and re.fullmatch(wanted["regex"], got, re.DOTALL) is not None
    if isinstance(wanted, dict) and isinstance(got, dict):
        return set(wanted) == set(got) and all(_fits(value, got[key]) for key, value in wanted.items())
    return bool(wanted == got)


def _drop(document: Any, keys: list[str]) -> None:
    for key in keys[:-1]:
        document = document.get(key, {}) if isinstance(document, dict) else {}
    if isinstance(document, dict):
        document.pop(keys[-1], None)
