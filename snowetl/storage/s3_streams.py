"""Objects of S3 as streams: ranged reads that go on after a cut connection, writes as multipart uploads."""

from __future__ import annotations

import io
import json
import random
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from snowetl.errors import SnowetlError, StorageError
from snowetl.storage.base import FileInfo, changed
from snowetl.storage.s3_errors import code_of, explained, is_passing

NONCE = "snowetl-nonce"
"""Object metadata that tells our own write from another one's."""

_PART = 8 << 20
_PARTS_OF_A_SIZE = 1000  # then their size doubles, so that the 10,000 parts S3 allows hold 5 TB
MAX_TRIES = 8
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 10.0


def pauses() -> Iterator[float]:
    """Seconds to wait after each failed try: growing, with jitter."""
    for attempt in range(MAX_TRIES):
        yield min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE) * (0.5 + random.random() / 2)


_CHANGED = {
    **dict.fromkeys(("PreconditionFailed", "412"), "was replaced"),
    **dict.fromkeys(("NoSuchKey", "NoSuchVersion", "404"), "has vanished"),
}


class ObjectReader(io.RawIOBase):
    """Bytes ``start`` to ``end`` of an object. After a cut it asks for the rest, of the same version of the object;
    with ``expected`` it asks for that version from the beginning.
    """

    def __init__(
        self, client: Any, url: str, bucket: str, key: str, start: int, end: int | None, expected: FileInfo | None
    ) -> None:
        self._client = client
        self._url = url
        self._where = {"Bucket": bucket, "Key": key}
        self._offset = start
        self._end = end
        self._body: Any = None
        self._expected = expected
        self._etag = None if expected is None else f'"{expected.etag}"'

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._end is not None and self._offset >= self._end:
            return 0
        with explained(self._url, "read"):
            data = self._read(len(buffer))
        self._offset += len(data)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._drop()
        super().close()

    def _read(self, size: int) -> bytes:
        wait = pauses()
        while True:
            if self._body is None:
                self._body = self._request()  # which boto3 retries by itself
            try:
                return bytes(self._body.read(size)) if self._body else b""
            except (BotoCoreError, OSError) as error:
                self._drop()
                pause = next(wait, None)
                if pause is None or not is_passing(error):
                    raise
                time.sleep(pause)

    def _request(self) -> Any:
        """The body from the current offset on; ``b""`` behind the end of the object."""
        options: dict[str, str] = {}
        if self._offset or self._end is not None:
            options["Range"] = f"bytes={self._offset}-{'' if self._end is None else self._end - 1}"
        if self._etag:
            options["IfMatch"] = self._etag
        try:
            answer = self._client.get_object(**self._where, **options)
        except ClientError as error:
            code = code_of(error)
            if self._expected is not None and code in _CHANGED:
                raise changed(self._expected, _CHANGED[code]) from None
            if code in ("InvalidRange", "416"):
                if self._expected is not None and self._offset < self._expected.size:
                    raise changed(self._expected, "has shrunk") from None
                return b""
            if code in ("PreconditionFailed", "412"):
                raise StorageError(
                    f"{self._url} was replaced while it was read; let its writer finish and run again"
                ) from None
            raise
        self._etag = answer["ETag"]
        return answer["Body"]

    def _drop(self) -> None:
        if self._body:
            with suppress(OSError, BotoCoreError):
                self._body.close()
        self._body = None


class S3StagedFile:
    """A multipart upload that is left open: invisible until it is completed with the token ``close`` gives."""

    def __init__(self, client: Any, url: str, bucket: str, key: str) -> None:
        self._client = client
        self._url = url
        self._where = {"Bucket": bucket, "Key": key}
        self._nonce = uuid.uuid4().hex
        self._buffer: list[bytes] = []
        self._buffered = 0
        self._etags: list[str] = []
        with explained(url, "write"):
            upload = client.create_multipart_upload(**self._where, Metadata={NONCE: self._nonce})
        self._upload: str = upload["UploadId"]

    def write(self, data: bytes) -> None:
        self._buffer.append(data)
        self._buffered += len(data)
        while self._buffered >= self._part_size:
            whole = b"".join(self._buffer)
            part, rest = whole[: self._part_size], whole[self._part_size :]
            self._buffer, self._buffered = [rest], len(rest)
            self._send(part)

    def close(self) -> str:
        if self._buffered or not self._etags:
            self._send(b"".join(self._buffer))
            self._buffer, self._buffered = [], 0
        return json.dumps(
            {
                "url": self._url,
                "bucket": self._where["Bucket"],
                "key": self._where["Key"],
                "upload": self._upload,
                "nonce": self._nonce,
                "parts": self._etags,
            }
        )

    def abort(self) -> None:
        self._buffer, self._buffered = [], 0
        try:
            with explained(self._url, "abort"):
                self._client.abort_multipart_upload(**self._where, UploadId=self._upload)
        except SnowetlError as error:
            if code_of(error.__cause__) != "NoSuchUpload":
                raise

    @property
    def _part_size(self) -> int:
        return _PART << len(self._etags) // _PARTS_OF_A_SIZE

    def _send(self, data: bytes) -> None:
        with explained(self._url, "write"):
            answer = self._client.upload_part(
                **self._where, UploadId=self._upload, PartNumber=len(self._etags) + 1, Body=data
            )
        self._etags.append(answer["ETag"])
