"""Verified copies of files: the copy has the same bytes, or an error is raised.

Within S3 the storage copies by itself, and tells of both objects what shows that they are equal: the same ETag, or the
same checksum of the whole object. Where neither is available (uploads in parts, keys of KMS, other storages), both are
read and compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from snowetl.errors import StorageError
from snowetl.storage import filesystem
from snowetl.storage.base import FileInfo, FileSystem, changed
from snowetl.storage.s3_errors import ABSENT, code_of, explained

_CHUNK = 4 << 20
ONE_REQUEST = 5 << 30
"""S3 copies no larger object in one request."""
PART = 1 << 30
_GONE = {"PreconditionFailed": "was replaced", "412": "was replaced", **dict.fromkeys(ABSENT, "has vanished")}


def copy_verified(file: FileInfo, url: str) -> bool:
    """Copy ``file``, as it was listed, to ``url``, unless it is there; whether it was copied now.

    An existing copy is left unchanged. Raises ``StorageError`` where that is something else, where ``file`` is not
    what was listed any more, where the copy differs; ``UsageError``.
    """
    source, target = filesystem(file.url), filesystem(url)
    client = getattr(target, "client", None) if source is target else None
    there = target.info(url)
    if there is not None and there.size != file.size:
        raise _another(file, url)
    if there is None:
        _copy_within_s3(client, file, url) if client is not None else _copy(source, file, target, url)
    if not _is_same(client, file, url):
        raise (
            _another(file, url)
            if there is not None
            else StorageError(
                f"{url} is not what {file.url} is, although it was copied from there: delete it, and run again"
            )
        )
    return there is None


def _another(file: FileInfo, url: str) -> StorageError:
    return StorageError(
        f"{url} is there already, and is not what {file.url} is: it is not replaced. Does another pipeline copy to "
        "this folder? Give each its own"
    )


# --- through this machine ---------------------------------------------------------------------------------------------


def _copy(source: FileSystem, file: FileInfo, target: FileSystem, url: str) -> None:
    staged = target.stage(url)
    try:
        for data in _chunks(source, file.url, file):
            staged.write(data)
        target.commit(staged.close())
    except BaseException:
        staged.abort()
        raise


def _is_same_when_read(file: FileInfo, url: str) -> bool:
    return _digest(filesystem(file.url), file.url, file) == _digest(filesystem(url), url)


def _digest(files: FileSystem, url: str, expected: FileInfo | None = None) -> str:
    digest = hashlib.sha256()
    for data in _chunks(files, url, expected):
        digest.update(data)
    return digest.hexdigest()


def _chunks(files: FileSystem, url: str, expected: FileInfo | None = None) -> Iterator[bytes]:
    with files.open(url, expected=expected) as stored:
        while data := stored.read(_CHUNK):
            yield data


# --- within S3 --------------------------------------------------------------------------------------------------------


def _copy_within_s3(client: Any, file: FileInfo, url: str) -> None:
    here = _place(file.url)
    what = {"CopySource": here, "CopySourceIfMatch": f'"{file.etag}"'}
    with explained(url, "write"):
        try:
            if client.head_object(**here)["ETag"].strip('"') != file.etag:  # not every S3 heeds the condition
                raise changed(file, "was replaced")
            if file.size <= ONE_REQUEST:
                client.copy_object(**_place(url), **what)
            else:
                _copy_in_parts(client, file.size, _place(url), what)
        except ClientError as error:
            if code_of(error) in _GONE:
                raise changed(file, _GONE[code_of(error)]) from None
            raise


def _copy_in_parts(client: Any, size: int, there: dict[str, str], what: dict[str, Any]) -> None:
    upload = client.create_multipart_upload(**there)["UploadId"]
    try:
        parts = []
        for number, start in enumerate(range(0, size, PART), 1):
            piece = f"bytes={start}-{min(start + PART, size) - 1}"
            answer = client.upload_part_copy(**there, **what, UploadId=upload, PartNumber=number, CopySourceRange=piece)
            parts.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
        client.complete_multipart_upload(**there, UploadId=upload, MultipartUpload={"Parts": parts})
    except BaseException:
        client.abort_multipart_upload(**there, UploadId=upload)
        raise


def _is_same(client: Any, file: FileInfo, url: str) -> bool:
    if client is None:
        return _is_same_when_read(file, url)
    with explained(url, "look at"):
        first, second = (client.head_object(**_place(each), ChecksumMode="ENABLED") for each in (file.url, url))
    if first["ETag"].strip('"') != file.etag:
        raise changed(file, "was replaced")
    if first["ContentLength"] != second["ContentLength"]:
        return False
    if first["ETag"] == second["ETag"]:
        return True
    checksums = _checksums(first).items() & _checksums(second).items()
    return bool(checksums) or _is_same_when_read(file, url)


def _checksums(head: dict[str, Any]) -> dict[str, str]:
    """Checksums of the whole object, by their names; those of its parts are others in another upload."""
    if head.get("ChecksumType") != "FULL_OBJECT":
        return {}
    return {name: value for name, value in head.items() if name.startswith("Checksum") and name != "ChecksumType"}


def _place(url: str) -> dict[str, str]:
    bucket, _, key = url.partition("://")[2].partition("/")
    return {"Bucket": bucket, "Key": key}
