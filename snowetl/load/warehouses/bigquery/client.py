"""Google's client of BigQuery: where it connects, and its errors as ours."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from snowetl.errors import ConfigError, LoadError, TargetError
from snowetl.load.drivers import needed

EXAMPLE = "bigquery://PROJECT?location=EU"
EMULATOR = "BIGQUERY_EMULATOR_HOST"
"""Environment variable of Google's client: another server than Google's, which asks for no login."""
_OPTIONS = frozenset(("location",))


class Place(NamedTuple):
    """Where datasets are."""

    project: str
    location: str | None

    @classmethod
    def parse(cls, url: str) -> Place:
        """What ``--database`` says. Raises ``ConfigError``."""
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        if parts.scheme != "bigquery" or not parts.netloc or parts.path.strip("/") or options.keys() - _OPTIONS:
            raise ConfigError(
                f"--database {url!r} is no project of BigQuery; write {EXAMPLE} (the dataset is --schema)"
            )
        return cls(parts.netloc, options.get("location") or None)


def driver() -> Any:
    """The module. Raises ``ConfigError`` where it is not installed."""
    with needed("loading into BigQuery needs its client", "bigquery"):
        from google.cloud import bigquery
    return bigquery


def errors() -> Any:
    from google.api_core import exceptions

    return exceptions


def connect(place: Place) -> Any:
    from google.auth import credentials as logins

    nobody: Any = logins.AnonymousCredentials
    credentials = nobody() if os.environ.get(EMULATOR) else None
    return driver().Client(project=place.project, location=place.location, credentials=credentials)


@contextmanager
def said_plainly(place: Place) -> Iterator[None]:
    """Errors of Google's client as ours."""
    from google.api_core.exceptions import Forbidden, GoogleAPICallError, RetryError, ServerError, TooManyRequests
    from google.auth.exceptions import GoogleAuthError, TransportError

    where = f"BigQuery, project {place.project}"
    try:
        yield
    except (ServerError, TooManyRequests, RetryError) as error:
        raise LoadError(f"{where}: {_words(error)}", transient=True) from error
    except Forbidden as error:
        limited = "ratelimit" in str(error).lower().replace(" ", "")
        raise TargetError(f"{where}: {_words(error)}", transient=limited) from error
    except GoogleAPICallError as error:
        raise LoadError(f"{where}: {_words(error)}") from error
    except (OSError, TransportError) as error:
        if isinstance(error, OSError) and not type(error).__module__.startswith("requests"):
            raise  # of this machine
        raise TargetError(f"{where} cannot be reached: {_words(error)}", transient=True) from error
    except GoogleAuthError as error:
        raise TargetError(
            f"{where}: no login: {_words(error)}; set GOOGLE_APPLICATION_CREDENTIALS, or run "
            "`gcloud auth application-default login`"
        ) from error


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:1000]
