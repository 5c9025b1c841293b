"""The files enrichments read (MaxMind, referers, user agent rules): where they lie, and how to get them here."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

from snowetl.enrich.enrichments.base import Asset
from snowetl.errors import AssetError, SnowetlError
from snowetl.http import Http, HttpError, Policy, redacted
from snowetl.storage import filesystem
from snowetl.storage.base import scheme_of

_POLICY = Policy(connect=10.0, read=60.0, deadline=1800.0, max_bytes=8 << 30, retries=4, first_wait=0.5)
_BLOCK = 1 << 20


def local_path(uri: str) -> Path | None:
    """Where a plain path or a ``file:`` address lies; ``None`` for what must be fetched."""
    if scheme_of(uri) != "file":
        return None
    return Path(unquote(urlsplit(uri).path) if uri[:5].lower() == "file:" else uri)


def fetch(asset: Asset, folder: Path, enrichment: str = "") -> Path:
    """The local path of an asset; what is not on this machine is downloaded into ``folder``.

    ``enrichment`` names in messages who wants it. Raises :class:`AssetError`: address, enrichment, cause, remedy.
    """
    wanted_by = f"which the enrichment {enrichment} needs" if enrichment else "which an enrichment needs"
    local = local_path(asset.uri)
    if local is not None:
        if not local.is_file():
            raise AssetError(f"there is no file {local}, {wanted_by}. Check its 'uri' and 'database'")
        return local
    target = folder / f"{hashlib.sha256(asset.uri.encode()).hexdigest()[:8]}-{_base_name(asset.uri)}"
    try:
        _download(asset.uri, target)
    except OSError as error:
        raise AssetError(f"cannot store {redacted(asset.uri)} as {target}: {error.strerror or error}") from None
    except SnowetlError as error:
        target.unlink(missing_ok=True)
        raise AssetError(
            f"cannot fetch {redacted(asset.uri)}, {wanted_by}: {error}. "
            "Check its 'uri' and 'database', or give a local path"
        ) from None
    return target


def _download(uri: str, target: Path) -> None:
    scheme = scheme_of(uri)
    if scheme in ("http", "https"):
        _download_http(uri, target)
    elif scheme == "gs":
        raise AssetError(
            "Google Cloud Storage is not supported; copy the file to S3, to a web server or to this machine"
        )
    else:
        with filesystem(uri).open(uri) as source, target.open("wb") as file:
            shutil.copyfileobj(source, file, _BLOCK)


def _download_http(uri: str, target: Path) -> None:
    """Raises :class:`AssetError` after some attempts; answers that say "no" (4xx) are believed at once."""
    with target.open("wb") as file:
        try:
            with Http(_POLICY) as http:
                status = http.request("GET", uri, into=file).status
        except HttpError as error:
            raise AssetError(str(error)) from None
    if status != 200:
        raise AssetError(f"HTTP {status}")


def _base_name(uri: str) -> str:
    return unquote(urlsplit(uri).path.rstrip("/").rpartition("/")[2]) or "asset"
