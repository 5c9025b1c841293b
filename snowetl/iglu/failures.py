"""What can go wrong with a schema, as values and as JSON (iglu-scala-client 1.5.0 ``ClientError``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from snowetl.iglu.validation import Report
from snowetl.jvm import timestamps

_MAX_ERRORS = 32
MAX_REPORTS = 1000
"""Reports that one datum gets; a datum with more faults says that further ones are left out."""

ErrorJson = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RegistryError:
    """One answer that is not a schema. ``outage`` says what is wrong with a registry that does not answer at all."""

    kind: str
    message: str | None = None
    outage: str = field(default="", compare=False)

    def to_dict(self) -> dict[str, str]:
        return {"error": self.kind} if self.message is None else {"error": self.kind, "message": self.message}


NOT_FOUND = RegistryError("NotFound")


def repo_failure(message: str, outage: str = "") -> RegistryError:
    return RegistryError("RepoFailure", message, outage)


def client_failure(message: str, outage: str = "") -> RegistryError:
    return RegistryError("ClientFailure", message, outage)


class LookupHistory(NamedTuple):
    """What one registry answered: distinct errors, number of attempts, time of the last (epoch milliseconds)."""

    errors: tuple[RegistryError, ...]
    attempts: int
    last_attempt: int

    def combined(self, other: LookupHistory) -> LookupHistory:
        errors = tuple(islice(dict.fromkeys((*self.errors, *other.errors)), _MAX_ERRORS))
        return LookupHistory(errors, max(self.attempts, other.attempts), max(self.last_attempt, other.last_attempt))

    def to_dict(self) -> dict[str, Any]:
        return {
            "errors": [error.to_dict() for error in self.errors],
            "attempts": self.attempts,
            "lastAttempt": timestamps.to_instant(self.last_attempt),
        }


@dataclass(frozen=True, slots=True)
class ResolutionFailure:
    """No registry has it. ``history`` is by name of registry."""

    history: Mapping[str, LookupHistory]

    def combined(self, other: ResolutionFailure) -> ResolutionFailure:
        merged = dict(self.history)
        for name, more in other.history.items():
            merged[name] = merged[name].combined(more) if name in merged else more
        return ResolutionFailure(merged)

    def outages(self) -> list[tuple[str, str]]:
        """(registry, what is wrong) of registries that did not answer."""
        return [(name, error.outage) for name, one in self.history.items() for error in one.errors if error.outage]

    def is_not_found(self) -> bool:
        """Whether all registries answered, and none has it."""
        return all(error == NOT_FOUND for one in self.history.values() for error in one.errors)

    def to_json(self) -> ErrorJson:
        """The object in bad rows, registries sorted by name."""
        history = [{"repository": name, **self.history[name].to_dict()} for name in sorted(self.history)]
        return {"error": "ResolutionError", "lookupHistory": history}


def invalid_data(reports: Iterable[Report], superseded_by: str | None = None) -> ErrorJson:
    """Data that does not fit its schema; the first :data:`MAX_REPORTS` reports, and whether there are more."""
    rest = iter(reports)
    shown = [report.to_dict() for report in islice(rest, MAX_REPORTS)]
    if next(rest, None) is not None:
        shown.append(_about_data("further reports are left out"))
    return _validation_error("dataReports", shown, superseded_by)


def left_out(message: str) -> ErrorJson:
    """Stands for faults that are not reported one by one: a validation error with ``message`` about the whole datum."""
    return _validation_error("dataReports", [_about_data(message)], None)


def invalid_schema(issues: list[dict[str, str]], superseded_by: str | None = None) -> ErrorJson:
    """A schema that cannot be used."""
    return _validation_error("schemaIssues", issues, superseded_by)


def too_deep(of_schema: bool, superseded_by: str | None = None) -> ErrorJson:
    """JSON nested deeper than a configured limit (iglu-scala-client 3.2.0)."""
    message = "Maximum allowed JSON depth exceeded"
    if of_schema:
        return invalid_schema([{"path": "/", "message": message}], superseded_by)
    return _validation_error("dataReports", [_about_data(message, "/")], superseded_by)


def violations_of(reports: list[dict[str, Any]]) -> ErrorJson:
    """Data that does not fit its schema, by what another check than the schema's validator says."""
    return _validation_error("dataReports", reports, None)


def report(message: str, path: str, keyword: str | None = None, targets: Sequence[str] = ()) -> dict[str, Any]:
    """One fault of a datum, as it stands among ``dataReports``."""
    return {"message": message, "path": path, "keyword": keyword, "targets": list(targets)}


def _about_data(message: str, path: str = "$") -> dict[str, Any]:
    return report(message, path)


def _validation_error(kind: str, faults: list[Any], superseded_by: str | None) -> ErrorJson:
    first = {} if superseded_by is None else {"supersededBy": superseded_by}
    return {**first, "error": "ValidationError", kind: faults}


def describe(error: ErrorJson) -> str:
    """The error as text of several lines, for people."""
    if error["error"] == "ResolutionError":
        lines = ["Schema cannot be resolved in following repositories:"]
        for one in error["lookupHistory"]:
            causes = ", ".join(cause.get("message") or cause["error"] for cause in one["errors"])
            times = f"{one['attempts']} attempt{'' if one['attempts'] == 1 else 's'}"
            lines.append(f"* {one['repository']} due [{causes}] after {times}")
        return "\n".join(lines)
    if "schemaIssues" in error:
        lines = ["Resolved schema cannot be used to validate an instance. Following issues found:"]
        return "\n".join(lines + [f"* [{issue['message']}] (at {issue['path']})" for issue in error["schemaIssues"]])
    by_path: dict[str, list[str]] = {}
    for report in error["dataReports"]:
        by_path.setdefault(report["path"] or "unknown path", []).append(report["message"])
    lines = ["Instance is not valid against its schema:"]
    for path, messages in by_path.items():
        lines.append(f"* At {path}:")
        lines += [f"  - {message}" for message in messages]
    return "\n".join(lines)
