"""Amazon S3 and what speaks its protocol: ``s3://``, ``s3a://`` and ``s3n://`` urls, through boto3.

Staged files are multipart uploads left open: S3 shows them to nobody until they are completed. ``SNOWETL_S3_ENDPOINT``
or boto3's own ``AWS_ENDPOINT_URL_S3``/``AWS_ENDPOINT_URL`` names another endpoint (path-style addressing is used then).
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from io import BufferedReader
from itertools import chain, islice
from typing import Any, BinaryIO, cast

from botocore.exceptions import BotoCoreError, ClientError

from snowetl.errors import StorageError, UsageError
from snowetl.storage.base import FileInfo, StagedFile, at_once, each_once
from snowetl.storage.globs import Glob, compile_globs, has_magic, is_hidden
from snowetl.storage.s3_errors import ABSENT, DENIED, code_of, explained
from snowetl.storage.s3_streams import MAX_TRIES, NONCE, ObjectReader, S3StagedFile, pauses

_BUFFER = 1 << 20
_DELETE_BATCH = 1000
_PASSING_DELETE_ERRORS = ("InternalError", "SlowDown", "ServiceUnavailable")


class S3FileSystem:
    """Objects of all buckets the standard AWS credential chain opens."""

    def __init__(self) -> None:
        self._clients: dict[int, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"_clients": {}}  # clients stay in their process

    @property
    def client(self) -> Any:
        """The boto3 client of this process; a forked one gets its own, for connections cannot be shared."""
        process = os.getpid()
        if process not in self._clients:
            self._clients = {process: self._new_client()}
        return self._clients[process]

    def _new_client(self) -> Any:
        import boto3
        from botocore.config import Config

        own_endpoint = os.environ.get("SNOWETL_S3_ENDPOINT") or None
        custom = own_endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        config = Config(
            retries={"mode": "adaptive", "max_attempts": int(os.environ.get("AWS_MAX_ATTEMPTS") or MAX_TRIES)},
            connect_timeout=10,
            read_timeout=60,
            max_pool_connections=32,
            tcp_keepalive=True,
        )
        if custom:
            config = config.merge(Config(s3={"addressing_style": "path"}))
            if "AWS_REQUEST_CHECKSUM_CALCULATION" not in os.environ:  # others often do not know S3's newer checksums
                older = Config(
                    request_checksum_calculation="when_required", response_checksum_validation="when_required"
                )
                config = config.merge(older)
        session = boto3.session.Session()
        region = session.region_name or "us-east-1"
        return session.client("s3", endpoint_url=own_endpoint, region_name=region, config=config)

    def list(self, pattern: str) -> list[FileInfo]:
        return [*self.walk(pattern)]

    def walk(self, pattern: str) -> Iterator[FileInfo]:
        """S3 lists keys in the order of their UTF-8 bytes, which is that of their characters."""
        scheme, bucket, key = _split(pattern)
        with explained(pattern, "list"):
            if has_magic(key):
                yield from each_once([self._list_glob(scheme, bucket, glob) for glob in compile_globs(key)])
            else:
                yield from self._list_literal(pattern, scheme, bucket, key)

    def folders(self, url: str) -> Iterator[str]:
        _, bucket, key = _split(url)
        prefix = _folder(key)
        with explained(url, "list"):
            listing = self.client.get_paginator("list_objects_v2")
            for page in listing.paginate(Bucket=bucket, Prefix=prefix, Delimiter="/"):
                for found in page.get("CommonPrefixes", ()):
                    yield found["Prefix"][len(prefix) : -1]

    def open(self, url: str, start: int = 0, end: int | None = None, *, expected: FileInfo | None = None) -> BinaryIO:
        _, bucket, key = _split(url)
        reader = ObjectReader(self.client, url, bucket, key, start, end, expected)
        return cast(BinaryIO, BufferedReader(reader, _BUFFER))

    def stage(self, url: str) -> StagedFile:
        _, bucket, key = _split(url)
        return S3StagedFile(self.client, url, bucket, key)

    def commit(self, token: str) -> None:
        staged = json.loads(token)
        where = {"Bucket": staged["bucket"], "Key": staged["key"]}
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(staged["parts"], 1)]
        with explained(staged["url"], "publish"):
            try:
                self.client.complete_multipart_upload(
                    **where, UploadId=staged["upload"], MultipartUpload={"Parts": parts}
                )
            except (ClientError, BotoCoreError) as error:
                # it was committed before, or this completion has succeeded although its answer was lost
                if self._nonce(**where) == staged["nonce"]:
                    return
                if code_of(error) == "NoSuchUpload":
                    raise StorageError(
                        f"the staged upload of {staged['url']} is gone (aborted, or expired by a lifecycle rule), "
                        "so it cannot be published; run the step again"
                    ) from None
                raise

    def commit_all(self, tokens: Sequence[str]) -> None:
        at_once(self.commit, tokens)

    def abort(self, token: str) -> None:
        staged = json.loads(token)
        with explained(staged["url"], "abort"):
            self._abort(staged["bucket"], staged["key"], staged["upload"])

    def put(self, url: str, data: bytes) -> None:
        _, bucket, key = _split(url)
        with explained(url, "write"):
            self.client.put_object(Bucket=bucket, Key=key, Body=data)

    def get(self, url: str) -> bytes:
        with self.open(url) as stream:
            return stream.read()

    def info(self, url: str) -> FileInfo | None:
        _, bucket, key = _split(url)
        with explained(url, "look at"):
            head = self._head(bucket, key) if key else None
        if head is None:
            return None
        return _info_of(url, head)

    def exists(self, url: str) -> bool:
        _, bucket, key = _split(url)
        with explained(url, "look at"):
            head, refusal = self._head_of_path(bucket, key)
            if head is not None:
                return True
            answer = self.client.list_objects_v2(Bucket=bucket, Prefix=_folder(key), MaxKeys=1)
            if refusal is not None and not answer.get("KeyCount"):
                raise refusal
            return bool(answer.get("KeyCount"))

    def delete_tree(self, url_prefix: str) -> None:
        scheme, bucket, key = _split(url_prefix)
        if not key.strip("/"):
            raise UsageError(f"refusing to delete the whole bucket {url_prefix}; name a folder in it")
        with explained(url_prefix, "delete"):
            self._abort_uploads(bucket, key)
            keys = chain([key.rstrip("/")], (item["Key"] for item in self._pages(bucket, _folder(key))))
            batches = iter(lambda: [{"Key": each} for each in islice(keys, _DELETE_BATCH)], [])
            at_once(lambda batch: self._delete(scheme, bucket, batch), batches)

    def sweep(self, folder: str) -> None:
        _, bucket, key = _split(folder)
        with explained(folder, "sweep"):
            self._abort_uploads(bucket, key)

    def create_exclusive(self, url: str, data: bytes) -> bool:
        _, bucket, key = _split(url)
        nonce = uuid.uuid4().hex
        with explained(url, "create"):
            for pause in pauses():
                try:
                    self.client.put_object(Bucket=bucket, Key=key, Body=data, IfNoneMatch="*", Metadata={NONCE: nonce})
                    return True
                except ClientError as error:
                    code = code_of(error)
                    if code == "PreconditionFailed":
                        # ours, if an attempt whose answer was lost did write it
                        return self._nonce(bucket, key) == nonce
                    if code != "ConditionalRequestConflict":
                        raise
                time.sleep(pause)
        raise StorageError(f"cannot create {url}: others keep writing there at the same time; try again later")

    def replace(self, url: str, data: bytes, expected: bytes) -> bool:
        _, bucket, key = _split(url)
        where, nonce = {"Bucket": bucket, "Key": key}, uuid.uuid4().hex
        with explained(url, "replace"):
            for pause in pauses():
                try:
                    found = self.client.get_object(**where)
                    if found["Body"].read() != expected:
                        return False
                    self.client.put_object(**where, Body=data, IfMatch=found["ETag"], Metadata={NONCE: nonce})
                    return True
                except ClientError as error:
                    code = code_of(error)
                    if code in ABSENT:
                        return False
                    if code == "PreconditionFailed":
                        # ours, if an attempt whose answer was lost did write it
                        return self._nonce(bucket, key) == nonce
                    if code != "ConditionalRequestConflict":
                        raise
                time.sleep(pause)
        return False

    def _list_literal(self, pattern: str, scheme: str, bucket: str, key: str) -> Iterator[FileInfo]:
        found = False
        head, refusal = self._head_of_path(bucket, key)
        if head is not None:
            yield _info_of(f"{scheme}://{bucket}/{key}", head)
            return
        prefix = _folder(key)
        for item in self._pages(bucket, prefix):
            found = True
            below = item["Key"][len(prefix) :].split("/")
            if below[-1] and not any(map(is_hidden, below)):
                yield _info(scheme, bucket, item)
        if not found:
            if refusal is not None:
                raise refusal
            raise UsageError(f"there is nothing at {pattern}; check bucket, path and region, or list the folder above")

    def _list_glob(self, scheme: str, bucket: str, glob: Glob) -> Iterator[FileInfo]:
        base = _folder(glob.base)
        for item in self._pages(bucket, base + glob.literal_start):
            below = item["Key"][len(base) :].split("/")
            if below[-1] and glob.matches(below):
                yield _info(scheme, bucket, item)

    def _pages(self, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            yield from page.get("Contents", ())

    def _head(self, bucket: str, key: str) -> dict[str, Any] | None:
        try:
            return cast("dict[str, Any]", self.client.head_object(Bucket=bucket, Key=key))
        except ClientError as error:
            if code_of(error) in ABSENT:
                return None
            raise

    def _head_of_path(self, bucket: str, key: str) -> tuple[dict[str, Any] | None, ClientError | None]:
        """The object at a path that may be a folder; handles the answer of S3 to those who may not read it.

        A role that may read ``raw/*`` is refused ``raw``, whether there is such an object or not: the listing of the
        folder decides.
        """
        if not key or key.endswith("/"):
            return None, None
        try:
            return self._head(bucket, key), None
        except ClientError as error:
            if code_of(error) not in DENIED:
                raise
            return None, error

    def _nonce(self, Bucket: str, Key: str) -> str | None:  # noqa: N803 (named as in the S3 API)
        head = self._head(Bucket, Key)
        return None if head is None else head["Metadata"].get(NONCE)

    def _abort(self, bucket: str, key: str, upload: str) -> None:
        try:
            self.client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
        except ClientError as error:
            if code_of(error) != "NoSuchUpload":
                raise

    def _abort_uploads(self, bucket: str, key: str) -> None:
        path = key.rstrip("/")
        pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=path)
        uploads = (
            upload
            for page in pages
            for upload in page.get("Uploads", ())
            if upload["Key"] == path or upload["Key"].startswith(path + "/")
        )
        at_once(lambda upload: self._abort(bucket, upload["Key"], upload["UploadId"]), uploads)

    def _delete(self, scheme: str, bucket: str, batch: list[dict[str, str]]) -> None:  # type: ignore[valid-type]
        for pause in pauses():
            answer = self.client.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
            errors = answer.get("Errors", [])
            if not errors:
                return
            if any(error["Code"] not in _PASSING_DELETE_ERRORS for error in errors):
                break
            batch = [{"Key": error["Key"]} for error in errors]
            time.sleep(pause)
        key, code = errors[0]["Key"], errors[0]["Code"]
        raise StorageError(
            f"cannot delete {scheme}://{bucket}/{key}: {code}; check the permission s3:DeleteObject and run again"
        )


def _split(url: str) -> tuple[str, str, str]:
    """(scheme, bucket, key) of ``s3://bucket/key``."""
    scheme, _, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    if not bucket:
        raise UsageError(f"{url} names no bucket; write {scheme or 's3'}://bucket/path")
    return scheme, bucket, key


def _folder(key: str) -> str:
    key = key.rstrip("/")
    return key + "/" if key else ""


def _info(scheme: str, bucket: str, item: dict[str, Any]) -> FileInfo:
    etag, modified = item["ETag"].strip('"'), _millis(item["LastModified"])
    return FileInfo(f"{scheme}://{bucket}/{item['Key']}", item["Size"], etag, modified)


def _info_of(url: str, head: dict[str, Any]) -> FileInfo:
    return FileInfo(url, head["ContentLength"], head["ETag"].strip('"'), _millis(head["LastModified"]))


def _millis(time_: datetime) -> int:
    return int(time_.timestamp() * 1000)
