"""The collector room: one raw record (bytes or a line) -> :class:`CollectorPayload`, one module per input format."""

from __future__ import annotations

from snowetl.collector.clj_tomcat import CljTomcatLoader
from snowetl.collector.cloudfront import CloudfrontLoader
from snowetl.collector.loader import Loader
from snowetl.collector.ndjson import NdjsonLoader
from snowetl.collector.thrift import ThriftLoader
from snowetl.collector.tsv import TsvLoader
from snowetl.errors import ConfigError
from snowetl.model.badrow import Origin

__all__ = ["Loader", "loader_for"]

_ACCEPTED = "thrift, cloudfront, clj-tomcat, tsv/<vendor>/<version>, ndjson/<vendor>/<version>"


def loader_for(input_format: str, origin: Origin, *, try_base64: bool = False) -> Loader:
    """The loader of an input format, as ``--input-format`` names it (enrich 3.9.0 ``Loader.getLoader``).

    ``origin`` goes into bad rows; ``try_base64`` lets Thrift records that cannot be read be tried as base64. Raises
    :class:`ConfigError` for another format.
    """
    if input_format == "cloudfront":
        return CloudfrontLoader(origin)
    if input_format == "clj-tomcat":
        return CljTomcatLoader(origin)
    if input_format == "thrift":
        return ThriftLoader(origin, try_base64=try_base64)
    family, slash, adapter = input_format.partition("/")
    if slash and "\n" not in adapter:
        if family == "tsv":
            return TsvLoader(origin, adapter)
        if family == "ndjson":
            return NdjsonLoader(origin, adapter)
    raise ConfigError(f"[{input_format}] is not a recognised Snowplow event collector; input formats are: {_ACCEPTED}")
