"""Where Snowflake reads files from: an external stage there is, or temporary ones of the session. Pure but for AWS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from snowetl.errors import ConfigError, LoadError
from snowetl.load.manifest import canonical
from snowetl.load.parquet_files import local_path
from snowetl.load.warehouse import Statement
from snowetl.load.warehouses.snowflake.login import SnowflakeLogin
from snowetl.storage import FileInfo
from snowetl.storage.base import scheme_of

HIDDEN = "…"
"""What stands for a secret where statements are shown."""


class Source(NamedTuple):
    """How files on S3 are read: by way of a stage whose address is ``url``, an integration, or keys."""

    stage: str | None = None
    url: str = ""
    integration: str | None = None
    keys: Mapping[str, str] | None = None
    """``AWS_KEY_ID``, ``AWS_SECRET_KEY``, ``AWS_TOKEN``: those of a role, for a while. Never show them."""


def source_of(login: SnowflakeLogin, stage_url: str = "", keys: Mapping[str, str] | None = None) -> Source:
    """How files on S3 are read. ``stage_url`` is the address of the stage that ``login`` names."""
    return Source(login.stage, stage_url, login.integration, keys)


class Staged(NamedTuple):
    """A folder of files as Snowflake reads it: ``place`` is ``@STAGE/FOLDER/``, ``statements`` make the stage."""

    place: str
    names: tuple[str, ...]
    """Of the files, below the place."""
    statements: tuple[Statement, ...]


def staged(schema: str, name: str, files: Sequence[FileInfo], source: Source) -> Staged:
    """``files`` of one folder, by way of a temporary stage ``schema.name`` if need be. Raises ``LoadError``."""
    folder = files[0].url.rpartition("/")[0] + "/"
    names = tuple(file.url.removeprefix(folder) for file in files)
    stage = f"{schema}.{name}"
    made = f"CREATE OR REPLACE TEMPORARY STAGE {stage}"
    if scheme_of(folder) == "file":
        uploads = [Statement(f"upload {file.url}", _put(file, stage)) for file in files]
        return Staged(f"@{stage}/", names, (Statement(f"create stage {stage}", made), *uploads))
    url = canonical(folder)
    if source.stage is not None:
        return Staged(f"@{source.stage}/{_below(url, source)}", names, ())
    if source.integration is not None:
        reader = f"STORAGE_INTEGRATION = {source.integration}"
    elif source.keys is not None:
        reader = f"CREDENTIALS = ({' '.join(f'{key} = {text(value)}' for key, value in source.keys.items())})"
    else:
        raise ConfigError(
            f"Snowflake has no way to read {url}: add to --database an external stage (&stage=NAME) or a storage "
            "integration (&integration=NAME), or name a role whose keys it may use (--assume-role-arn)"
        )
    return Staged(f"@{stage}/", names, (Statement(f"create stage {stage}", f"{made} URL = {text(url)} {reader}"),))


def stage_name(number: int) -> str:
    """The temporary stage of the session's folder of that number, from 0."""
    return f"snowetl_{number + 1}"


def _below(url: str, source: Source) -> str:
    """The folder of ``url`` within the stage."""
    root = canonical(source.url)
    if not url.startswith(root):
        raise LoadError(f"the stage {source.stage} is {root}, which {url} is not below: name another stage")
    return url.removeprefix(root)


def _put(file: FileInfo, stage: str) -> str:
    path = (local_path(file.url) or file.url).replace("\\", "\\\\").replace("'", "\\'")
    return f"PUT 'file://{path}' @{stage}/ AUTO_COMPRESS = FALSE OVERWRITE = TRUE"


def text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
