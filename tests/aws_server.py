"""A stand-in for AWS on loopback, for the fixtures of a module."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def aws_server() -> Iterator[str]:
    """Its URL. It knows nothing yet: what others of this process were told is forgotten, for all share their state; so
    are clients of storage that know another endpoint."""
    from moto.server import ThreadedMotoServer

    from snowetl import storage

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    urllib.request.urlopen(f"{url}/moto-api/reset", data=b"").close()
    storage._of_kind.cache_clear()
    try:
        yield url
    finally:
        storage._of_kind.cache_clear()
        server.stop()
