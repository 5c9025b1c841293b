"""Values of two options of a run: where its steps run, and whom it notifies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from snowetl.errors import UsageError
from snowetl.settings import Kind

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Executor(Kind):
    """Where steps run: a name of the table of executors."""

    metavar: str = "local|emr|emr-serverless|dry|NAME"

    def parse(self, value: Any) -> str:
        from snowetl.orchestrator.executors import kind_of

        try:
            kind_of(str(value))
        except UsageError as error:
            raise ValueError(str(error)) from None
        return str(value)


@dataclass(frozen=True)
class Notify(Kind):
    """An address to notify of runs; its beginning is in the table of notifiers."""

    metavar: str = "URL"

    def parse(self, value: Any) -> Any:
        from snowetl.orchestrator.notify import notifier_of

        try:
            notifier_of(str(value))
        except UsageError as error:
            raise ValueError(str(error)) from None
        return str(value)

    def split(self, value: Any) -> list[Any]:
        return str(value).split()

    def is_public(self, value: Any) -> bool:
        """The path of a webhook is its password."""
        return not re.match(r"https?:|[^/]*//[^/]*@", str(value), re.IGNORECASE)
