"""The files enrichments read (MaxMind, referers, user agent rules): where they lie, and how to get them here."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from snowetl.enrich import asset_sources
from snowetl.enrich.asset_cache import AssetCache
from snowetl.enrich.enrichments.base import Asset
from snowetl.errors import AssetError, SnowetlError
from snowetl.http import redacted
from snowetl.storage.base import scheme_of

_GZIP = b"\x1f\x8b\x08"
_BLOCK = 1 << 20


def local_path(uri: str) -> Path | None:
    """Where a plain path or a ``file:`` address lies; ``None`` for what must be fetched."""
    if scheme_of(uri) != "file":
        return None
    return Path(unquote(urlsplit(uri).path) if uri[:5].lower() == "file:" else uri)


def fetch(asset: Asset, folder: Path, enrichment: str = "") -> Path:
    """The local path of an asset, unpacked if it is gzip; what is not on this machine is put into ``folder``.

    What an earlier run downloaded, and did not change since, is taken from the cache of this machine. ``enrichment``
    names in messages who wants it. Raises :class:`AssetError`: address, enrichment, cause, remedy.
    """
    wanted_by = f"which the enrichment {enrichment} needs" if enrichment else "which an enrichment needs"
    local = local_path(asset.uri)
    target = folder / f"{hashlib.sha256(asset.uri.encode()).hexdigest()[:8]}-{_base_name(asset.uri)}"
    if local is not None and not local.is_file():
        raise AssetError(f"there is no file {local}, {wanted_by}. Check its 'uri' and 'database'")
    try:
        if local is not None:
            if not is_packed(local):
                return local
            _unpack(local, target)
        else:
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


def is_packed(path: Path) -> bool:
    """Whether a file is gzip, by its first bytes; not if it cannot be read."""
    with suppress(OSError), path.open("rb") as file:
        return file.read(len(_GZIP)) == _GZIP
    return False


@contextmanager
def named_by_address(files: Mapping[str, Path]) -> Iterator[None]:
    """An :class:`AssetError` inside names, beside the local copy of a file, the address it is from."""
    try:
        yield
    except AssetError as error:
        text = str(error)
        for uri, path in files.items():
            if local_path(uri) is None and str(path) in text:
                text = text.replace(str(path), f"{redacted(uri)} (here: {path})")
        raise AssetError(text) from None


def _download(uri: str, target: Path) -> None:
    cache = AssetCache.of_environment()
    kept = cache.known(uri)
    version = asset_sources.download(uri, target, kept.version if kept else "")
    if version is None and kept is not None:
        if cache.give(kept, target):
            return
        version = asset_sources.download(uri, target)
    if is_packed(target):
        packed = target.with_name(f"{target.name}.gz")
        target.replace(packed)
        try:
            _unpack(packed, target)
        finally:
            packed.unlink()
    cache.keep(uri, version or "", target)


def _unpack(packed: Path, target: Path) -> None:
    """Raises :class:`AssetError` for damaged gzip, and for more content than a file may have."""
    left = asset_sources.POLICY.max_bytes
    try:
        with gzip.open(packed) as source, target.open("wb") as file:
            while block := source.read(_BLOCK):
                left -= len(block)
                if left < 0:
                    raise AssetError(f"unpacked it is larger than {asset_sources.POLICY.max_bytes:,} bytes")
                file.write(block)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise AssetError(f"its gzip is damaged: {error}") from None


def _base_name(uri: str) -> str:
    return unquote(urlsplit(uri).path.rstrip("/").rpartition("/")[2]) or "asset"
