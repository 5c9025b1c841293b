"""Where states of runs are kept: beside their runs, changed only by who has read the state that stands there."""

from __future__ import annotations

import time
from typing import NamedTuple

from snowetl.errors import OutputExists, StorageError, UsageError
from snowetl.jvm import jsontext
from snowetl.jvm.strings import to_utf8
from snowetl.orchestrator.state import RunState
from snowetl.storage import filesystem

NAME = "state.json"
_PATIENCE_SECONDS = 90.0
_PAUSE_SECONDS = 1.0


class Stored(NamedTuple):
    """A state, and the bytes it was read from or written as: what must stand there when it is replaced."""

    state: RunState | None
    content: bytes


class StateStore:
    """The states of the runs below ``runs_folder``."""

    def __init__(self, runs_folder: str) -> None:
        self._folder = runs_folder

    def url(self, run: str) -> str:
        return f"{self._folder}/run={run}/{NAME}"

    def get(self, run: str) -> Stored:
        """The state of a run; none for a run that has none yet. Raises ``StorageError``."""
        url = self.url(run)
        try:
            content = filesystem(url).get(url)
        except UsageError:
            return Stored(None, b"")
        try:
            return Stored(RunState.from_json(jsontext.loads(content.decode("utf-8"))), content)
        except ValueError as error:
            raise StorageError(f"{url} cannot be read: {error}. Delete it, and resume the run") from None

    def _replace(self, url: str, content: bytes, expected: bytes) -> bool:
        """Replace what stands there. Storage without locks refuses it for a while after a process died over that."""
        fs = filesystem(url)
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while not fs.replace(url, content, expected):
            if self._content(url) != expected or time.monotonic() > give_up:
                return False
            time.sleep(_PAUSE_SECONDS)
        return True

    @staticmethod
    def _content(url: str) -> bytes:
        try:
            return filesystem(url).get(url)
        except UsageError:
            return b""

    def put(self, state: RunState, expected: Stored) -> Stored:
        """Keep ``state`` where ``expected`` stands. Raises ``OutputExists`` where another process has changed it."""
        url = self.url(state.run)
        content = to_utf8(jsontext.dumps(state.to_json())) + b"\n"
        fs = filesystem(url)
        if content == expected.content:
            return expected
        if not (
            self._replace(url, content, expected.content) if expected.content else fs.create_exclusive(url, content)
        ):
            raise OutputExists(f"another process has taken over run={state.run} ({url}): this one stops")
        return Stored(state, content)
