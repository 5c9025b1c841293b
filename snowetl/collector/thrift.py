"""Thrift records of the stream collectors (enrich 3.9.0 ``ThriftLoader``): CollectorPayload, and what came before."""

from __future__ import annotations

from typing import Any, Final

from snowetl.collector import ip
from snowetl.collector import thrift_reader as reader
from snowetl.collector.loader import Loaded, Loader, LoaderOptions, parse_querystring
from snowetl.collector.path import SNOWPLOW_TP1, parse_path
from snowetl.jvm import charsets
from snowetl.jvm.commons_codec import decode_base64
from snowetl.jvm.uuid import parse_uuid
from snowetl.model import badrow
from snowetl.model.badrow import Message, Origin
from snowetl.model.payload import CollectorPayload
from snowetl.model.schema import ParseError, SchemaCriterion, SchemaKey, VersionOverflow

_EXPECTED: Final = SchemaCriterion.parse("iglu:com.snowplowanalytics.snowplow/CollectorPayload/thrift/1-0-*")
_NO_PATH: Final = badrow.payload_field("path", None, "request does not contain a path")
# What a JVM from release 15 on says where a legacy record has no payload struct.
_NO_PAYLOAD: Final = 'Cannot read field "data" because "snowplowRawEvent.payload" is null'


class ThriftLoader(Loader):
    """Records are bare binary-protocol structs. With ``try_base64``, those that cannot be read are tried as base64."""

    name = "thrift"
    binary = True

    def __init__(self, origin: Origin, options: LoaderOptions = LoaderOptions()) -> None:  # noqa: B008 (immutable)
        super().__init__(origin)
        self._try_base64 = options.try_base64

    def load(self, record: bytes | str) -> Loaded:
        if type(record) is not bytes:
            record = record.encode("utf-8", "surrogatepass") if isinstance(record, str) else bytes(record)
        fields = reader.read_usual(record)
        try:
            loaded = self._look_closer(record) if fields is None else _from_collector_payload(fields)
        except reader.ThriftError as error:
            loaded = [badrow.simple_error(f"error deserializing raw event: {error}")]
        except charsets.UnknownCharset as unknown:
            loaded = [badrow.simple_error(f"error deserializing raw event: {unknown.args[0]}")]
        return self.violations(record, *loaded) if isinstance(loaded, list) else loaded

    def _look_closer(self, record: bytes) -> CollectorPayload | list[Message]:
        walker = reader.Walker(record)
        try:
            schema = walker.sniff_schema()
        except reader.ThriftError:
            if not self._try_base64:
                raise
            walker = reader.Walker(decode_base64(record.decode("latin-1")))
            schema = walker.sniff_schema()
        if schema is None:
            return _from_raw_event(walker.read_record(reader.RAW_EVENT))
        try:
            key = SchemaKey.parse(schema)
        except VersionOverflow as overflow:
            raise reader.ThriftError(f'For input string: "{overflow.number}"') from overflow
        except ParseError as error:
            return [badrow.simple_error(f"could not parse schema: {error.code}")]
        if not _EXPECTED.matches(key):
            return [badrow.simple_error(f"verifying record as {_EXPECTED} failed: found {key.uri}")]
        return _from_collector_payload(walker.read_record(reader.COLLECTOR_PAYLOAD))


def _from_collector_payload(fields: reader.Fields) -> CollectorPayload | list[Message]:
    encoding: Any = fields.get(reader.ENCODING)
    querystring = fields.get(reader.QUERYSTRING)
    pairs: Any = _pairs(querystring, encoding)
    path = fields.get(reader.PATH)
    api: Any = _NO_PATH if path is None else parse_path(path)
    user_id: Any = fields.get(reader.NETWORK_USERID)
    if user_id is not None:
        user_id = _user_id(user_id)
    if type(pairs) is dict or type(api) is dict or type(user_id) is dict:
        return [found for found in (pairs, api, user_id) if type(found) is dict]
    headers = fields.get(reader.HEADERS)
    address = fields.get(reader.IP_ADDRESS)
    return CollectorPayload(
        api[0],
        api[1],
        pairs,
        fields.get(reader.CONTENT_TYPE),
        fields.get(reader.BODY),
        fields.get(reader.COLLECTOR),
        encoding,
        fields.get(reader.HOSTNAME),
        fields.get(reader.TIMESTAMP, 0),
        ip.from_headers(headers, address) if headers else address,
        fields.get(reader.USER_AGENT),
        fields.get(reader.REFERER),
        headers or [],
        user_id,
    )


def _from_raw_event(fields: reader.Fields) -> CollectorPayload | list[Message]:
    get: Any = fields.get
    data = get(41)
    if data is None:
        raise reader.ThriftError(_NO_PAYLOAD)
    encoding = get(30)
    pairs: Any = _pairs(data.get(3), encoding)
    user_id: Any = get(80)
    if user_id is not None:
        user_id = _user_id(user_id)
    if type(pairs) is dict or type(user_id) is dict:
        return [found for found in (pairs, user_id) if type(found) is dict]
    headers = get(70) or []
    vendor, version = SNOWPLOW_TP1
    return CollectorPayload(
        vendor=vendor,
        version=version,
        querystring=pairs,
        content_type=None,
        body=None,
        collector=get(20),
        encoding=encoding,
        hostname=get(45),
        timestamp=get(1, 0),
        ip_address=ip.from_headers(headers, get(40)),
        useragent=get(50),
        referer_uri=get(60),
        headers=headers,
        network_userid=user_id,
    )


def _pairs(querystring: str | None, encoding: str | None) -> Any:
    """Pairs, or a fault. Raises for an unknown charset, even without a query string."""
    if encoding is None:
        raise reader.ThriftError("Null charset name")
    if querystring:
        return parse_querystring(querystring, encoding)
    charsets.lookup(encoding)
    return []


def _user_id(text: str) -> str | Message:
    return parse_uuid(text) or badrow.payload_field("networkUserId", text, "not valid UUID")
