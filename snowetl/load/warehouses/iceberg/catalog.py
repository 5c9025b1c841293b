"""Which catalog an address names, and what its errors mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from snowetl.errors import ConfigError, LoadError
from snowetl.load.drivers import needed
from snowetl.load.parquet_files import local_path
from snowetl.load.s3_access import s3_access
from snowetl.storage import s3_errors
from snowetl.storage.base import scheme_of

_LASTING = ("ACCESS_DENIED", "NO_SUCH_BUCKET", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH")
"""In errors of Arrow's S3 that no further try helps."""
EXAMPLES = "a folder, glue:?warehouse=s3://BUCKET/FOLDER, https://REST-CATALOG?warehouse=NAME, or catalog:NAME"


def catalog_of(address: str) -> Any:
    """The catalog of an address. Raises what pyiceberg raises."""
    pyiceberg = driver()
    name, properties = properties_of(address)
    folder = local_path(address)
    if folder is not None:
        Path(folder).mkdir(parents=True, exist_ok=True)
    return pyiceberg.catalog.load_catalog(name, **properties)


def properties_of(address: str) -> tuple[str, dict[str, str]]:
    """Name and properties of a catalog. Raises ``ConfigError`` for an address of another kind."""
    scheme, parts = scheme_of(address), urlsplit(address)
    given = dict(parse_qsl(parts.query))
    if scheme == "catalog":
        return parts.path.strip("/") or parts.netloc, {}
    if scheme == "file" and address:
        folder = str(Path(local_path(address) or "").absolute())
        return "snowetl", {"type": "sql", "uri": f"sqlite:///{folder}/catalog.db", "warehouse": f"file://{folder}"}
    if scheme == "glue" and "warehouse" in given:
        return "snowetl", {"type": "glue", **_s3(), **given}
    if scheme in ("http", "https"):
        return "snowetl", {"type": "rest", "uri": parts._replace(query="").geturl(), **_s3(), **given}
    raise ConfigError(f"--database {address!r} is not an Iceberg catalog: give {EXAMPLES}")


def _s3() -> dict[str, str]:
    access = s3_access()
    names = ("region", "endpoint", "access-key-id", "secret-access-key", "session-token")
    found = {f"s3.{name}": value for name, value in zip(names, access, strict=True) if value}
    return found | {"glue.region": access.region} | ({"glue.endpoint": access.endpoint} if access.endpoint else {})


def not_committed() -> tuple[type[Exception], ...]:
    """Errors of a commit that say for sure that it was not made. After any other, such as a connection that breaks, it
    may have been.
    """
    exceptions = driver().exceptions
    return (exceptions.CommitFailedException, exceptions.ValidationException, exceptions.TableAlreadyExistsError)


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Raises ``LoadError``; transient where another loader was quicker, where the catalog or the storage does not
    answer, or where a session of AWS has expired: the next try asks for another.
    """
    exceptions = driver().exceptions
    from botocore.exceptions import BotoCoreError, ClientError
    from sqlalchemy.exc import SQLAlchemyError

    passing = (
        *not_committed(),
        exceptions.CommitStateUnknownException,
        exceptions.NamespaceAlreadyExistsError,
        exceptions.ServerError,
        exceptions.ServiceUnavailableError,
        SQLAlchemyError,
        ConnectionError,
    )
    try:
        yield
    except passing as error:
        raise LoadError(f"{where}: {str(error).partition(chr(10))[0]}", transient=True) from error
    except (exceptions.RESTError, exceptions.ValidationError, ValueError) as error:
        raise LoadError(f"{where}: {error}") from error
    except (BotoCoreError, ClientError) as error:
        is_passing = s3_errors.is_passing(error) or "Expired" in s3_errors.code_of(error)
        raise LoadError(f"{where}: {error}", transient=is_passing) from error
    except OSError as error:
        if error.errno is not None:
            raise  # of this machine, such as a full disk
        lasts = any(words in str(error) for words in _LASTING)
        raise LoadError(f"{where}: {error}", transient=not lasts) from error


def driver() -> Any:
    with needed("loading into Iceberg needs pyiceberg", "iceberg"):
        import pyiceberg
        import pyiceberg.catalog
        import pyiceberg.exceptions
    return pyiceberg
