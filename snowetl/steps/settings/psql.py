"""The settings of ``snowetl psql``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from snowetl.settings import LocalPath, Number, Settings, argument, flag, option
from snowetl.steps.settings.groups import WAREHOUSE


@dataclass(frozen=True, kw_only=True)
class PsqlSettings(Settings):
    """psql on the embedded warehouse."""

    data_folder: Path = option(
        "--data-folder",
        kind=LocalPath("FOLDER"),
        default=Path("warehouse"),
        help="Folder in which the embedded PostgreSQL keeps its data.",
        group=WAREHOUSE,
    )
    serve: bool = flag(
        "--serve",
        help="Instead of opening psql, let programs on this machine (BI tools, JDBC) read on 127.0.0.1, until Ctrl-C.",
        group=WAREHOUSE,
    )
    port: int = option(
        "--port", kind=Number(minimum=1), default=5432, help="With --serve: port on 127.0.0.1.", group=WAREHOUSE
    )
    reader_password: str | None = option(
        "--reader-password",
        default=None,
        default_help="a new one, which is shown",
        help="With --serve: password of the read-only user.",
        group=WAREHOUSE,
        secret=True,
    )
    arguments: tuple[str, ...] = argument(
        "[PSQL OPTIONS]",
        multiple=True,
        default=(),
        help="Options of psql, such as -c 'SELECT count(*) FROM atomic.events'.",
    )
