"""The files enrichments read (MaxMind, referers, ...), fetched once on the driver for all workers."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from snowetl.enrich.asset_cache import sha256_of
from snowetl.enrich.assets import fetch
from snowetl.enrich.enrichments.base import Asset
from snowetl.errors import AssetError
from snowetl.http import redacted
from snowetl.problems import Problems
from snowetl.reporting.enrich import AssetReport


def fetch_all(assets: Iterable[Asset], folder: Path) -> dict[str, str]:
    """Local path of each asset by its URI. Remote ones are downloaded into ``folder``, each address once.

    No two have the same file name, since that is all that is left of a path when Spark ships files. Raises
    :class:`AssetError` naming the asset that cannot be had (``ConfigError`` that lists them, if there are several).
    """
    found: dict[str, Path] = {}
    problems = Problems()
    for asset in assets:
        if asset.uri not in found:
            with problems.gathered():
                found[asset.uri] = fetch(asset, folder).absolute()
    problems.check()
    names = Counter(path.name for path in found.values())
    return {uri: str(path if names[path.name] == 1 else _renamed(path, folder)) for uri, path in found.items()}


def reports(files: Mapping[str, str]) -> list[AssetReport]:
    """What the files of a run (local path by URI) are: their addresses without secrets, sizes and checksums."""
    return [
        AssetReport(uri=redacted(uri), bytes=Path(path).stat().st_size, sha256=sha256_of(Path(path)))
        for uri, path in sorted(files.items())
    ]


def _renamed(path: Path, folder: Path) -> Path:
    target = folder / f"{hashlib.sha256(str(path).encode()).hexdigest()[:8]}-{path.name}"
    try:
        shutil.copyfile(path, target)
    except OSError as error:
        raise AssetError(f"cannot copy {path} to {target}: {error.strerror or error}") from None
    return target


def in_working_folder(assets: Iterable[Asset]) -> dict[str, str]:
    """``--local``: every asset is a file of the working folder, under the fixed name the reference gives it."""
    paths = {asset.uri: str(Path(asset.name).absolute()) for asset in assets}
    for uri, path in paths.items():
        if not Path(path).is_file():
            raise AssetError(f"--local: there is no file {path} (it stands for {uri}). Put it there, or drop --local")
    return paths
