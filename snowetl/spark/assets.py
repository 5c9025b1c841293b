"""The files enrichments read (MaxMind, referers, ...), fetched once on the driver."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from snowetl.enrich.enrichments.base import Asset
from snowetl.errors import AssetError, SnowetlError
from snowetl.storage import filesystem
from snowetl.storage.base import scheme_of

_ATTEMPTS = 4
_TIMEOUT_SECONDS = 60.0


def fetch(assets: Iterable[Asset], folder: Path) -> dict[str, str]:
    """Local path of each asset by its URI. Remote ones are downloaded into ``folder``; no two have the same file name.

    Raises :class:`AssetError` naming the asset that cannot be had.
    """
    uris = list(dict.fromkeys(asset.uri for asset in assets))
    names = Counter(_base_name(uri) for uri in uris)
    paths: dict[str, str] = {}
    for uri in uris:
        local = _local_path(uri)
        if local is not None and names[local.name] == 1:
            if not local.is_file():
                raise AssetError(f"there is no file {local}, which an enrichment needs. Check its 'uri' and 'database'")
            paths[uri] = str(local.absolute())
            continue
        target = folder / f"{hashlib.sha256(uri.encode()).hexdigest()[:8]}-{_base_name(uri)}"
        _download(uri, target)
        paths[uri] = str(target)
    return paths


def in_working_folder(assets: Iterable[Asset]) -> dict[str, str]:
    """``--local``: every asset is a file of the working folder, under the fixed name the reference gives it."""
    paths = {asset.uri: str(Path(asset.name).absolute()) for asset in assets}
    for uri, path in paths.items():
        if not Path(path).is_file():
            raise AssetError(f"--local: there is no file {path} (it stands for {uri}). Put it there, or drop --local")
    return paths


def _download(uri: str, target: Path) -> None:
    try:
        if scheme_of(uri) in ("http", "https"):
            _download_http(uri, target)
        else:
            with filesystem(uri).open(uri) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
    except AssetError:
        raise
    except SnowetlError as error:
        raise AssetError(f"cannot fetch {uri}, which an enrichment needs: {error}") from None
    except OSError as error:
        raise AssetError(f"cannot store {uri} as {target}: {error.strerror or error}") from None


def _download_http(uri: str, target: Path) -> None:
    """Raises :class:`AssetError` after some attempts; answers that say "no" (4xx) are believed at once."""
    import urllib3

    timeout = urllib3.Timeout(connect=10.0, read=_TIMEOUT_SECONDS)
    redirects_only = urllib3.Retry(total=None, connect=0, read=0, redirect=5, status=0, other=0)
    with urllib3.PoolManager(timeout=timeout, retries=redirects_only) as pool:
        for attempt in range(_ATTEMPTS):
            try:
                with pool.request("GET", uri, preload_content=False) as response:
                    if response.status == 200:
                        with target.open("wb") as file:
                            shutil.copyfileobj(response, file, 1 << 20)
                        return
                    reason = f"HTTP {response.status}"
                    if response.status < 500 and response.status != 429:
                        break
            except urllib3.exceptions.HTTPError as error:
                reason = _cause(error)
            if attempt + 1 < _ATTEMPTS:
                time.sleep(0.5 * 2**attempt)
    raise AssetError(f"cannot fetch {uri}, which an enrichment needs: {reason}. Check its 'uri' and 'database'")


def _cause(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error) or type(error).__name__


def _base_name(uri: str) -> str:
    return unquote(urlsplit(uri).path.rstrip("/").rpartition("/")[2]) or "asset"


def _local_path(uri: str) -> Path | None:
    if scheme_of(uri) != "file":
        return None
    return Path(unquote(urlsplit(uri).path) if uri[:5].lower() == "file:" else uri)
