"""Downloads of the files enrichments read: by HTTP, from S3, HDFS, and from public buckets of Google Cloud Storage.

A download is conditional: whoever knows the version (ETag) of what he has gets no second copy of it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import quote, urlsplit

from snowetl.errors import AssetError
from snowetl.http import Http, HttpError, Policy
from snowetl.storage import filesystem
from snowetl.storage.base import scheme_of

POLICY = Policy(connect=10.0, read=60.0, deadline=1800.0, max_bytes=8 << 30, retries=4, first_wait=0.5)
_BLOCK = 1 << 20
_PUBLIC_BUCKET = "snowplow-hosted-assets"
_WEB_PAGES = (b"<!doctype html", b"<html")
_S3 = frozenset(("s3", "s3a", "s3n"))


class _Web(NamedTuple):
    """Where HTTP finds a file, and what to say when the server refuses it to those it does not know."""

    url: str
    refused: str = ""


def download(uri: str, target: Path, known: str = "") -> str | None:
    """Write what lies at ``uri`` to ``target``; the version of it (``""`` if the server tells none).

    ``None``, and nothing written, where that is still the version ``known``. Raises ``SnowetlError`` with the cause,
    ``OSError`` for a target that cannot be written.
    """
    web = _web(uri)
    return _from_storage(uri, target, known) if web is None else _from_web(web, target, known)


def _web(uri: str) -> _Web | None:
    """How to ask for it by HTTP; ``None`` for what :func:`~snowetl.storage.filesystem` reads."""
    scheme, parts = scheme_of(uri), urlsplit(uri)
    if scheme in ("http", "https"):
        return _Web(uri)
    path = f"{parts.netloc}{quote(parts.path)}"
    if scheme == "gs":
        server = os.environ.get("STORAGE_EMULATOR_HOST") or "https://storage.googleapis.com"
        server = server if "://" in server else f"http://{server}"  # as Google's own clients take it
        return _Web(
            f"{server.rstrip('/')}/{path}",
            "gs: addresses are read without credentials. Make the object public, or copy it to S3, to a web server or "
            "to this machine",
        )
    if scheme in _S3 and (parts.netloc.startswith(_PUBLIC_BUCKET) or not _has_aws_credentials()):
        return _Web(_s3_url(parts.netloc, quote(parts.path)), "it was asked for without AWS credentials")
    return None


def _s3_url(bucket: str, path: str) -> str:
    variables = ("SNOWETL_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    endpoint = next((os.environ[name] for name in variables if os.environ.get(name)), "")
    if endpoint:
        return f"{endpoint.rstrip('/')}/{bucket}{path}"
    return f"https://{bucket}.s3.amazonaws.com{path}"


def _has_aws_credentials() -> bool:
    import boto3

    return boto3.session.Session().get_credentials() is not None


def _from_web(web: _Web, target: Path, known: str) -> str | None:
    """Raises :class:`AssetError` after some attempts; answers that say "no" (4xx) are believed at once."""
    headers = {}
    if known:
        headers["if-none-match" if known.endswith('"') else "if-modified-since"] = known
    with target.open("w+b") as file:
        try:
            with Http(POLICY) as http:
                answer = http.request("GET", web.url, headers=headers, into=file)
        except HttpError as error:
            raise AssetError(str(error)) from None
        if answer.status == 304 and known:
            return None
        if answer.status != 200:
            refused = f" ({web.refused})" if web.refused and answer.status in (401, 403, 404) else ""
            raise AssetError(f"HTTP {answer.status}{refused}")
        _check_no_page(file)
    return answer.headers.get("etag") or answer.headers.get("last-modified") or ""


def _check_no_page(file: BinaryIO) -> None:
    """A page that asks to log in, or tells of an error, has status 200 on many servers."""
    file.seek(0)
    start = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(_WEB_PAGES):
        raise AssetError("the server answers with a web page, not with the file")


def _from_storage(uri: str, target: Path, known: str) -> str | None:
    files = filesystem(uri)
    listed = files.list(uri)
    if len(listed) != 1 or listed[0].url.rpartition("/")[2] != uri.rpartition("/")[2]:
        raise AssetError(f"it is a folder of {len(listed)} files; name one file")
    [found] = listed
    if found.etag and found.etag == known:
        return None
    if found.size > POLICY.max_bytes:
        raise AssetError(f"it is larger than {POLICY.max_bytes:,} bytes")
    with files.open(found.url, expected=found) as source, target.open("wb") as file:
        while block := source.read(_BLOCK):
            file.write(block)
    return found.etag
