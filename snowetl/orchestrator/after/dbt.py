"""dbt after the load: a project is built in the run's warehouse, by dbt itself in a process of its own.

The connection goes along in a profile made for the process, its password in the environment alone. What dbt's
``run_results.json`` says decides whether the step is done.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snowetl import bounded_yaml
from snowetl.errors import ConfigError, LoadError
from snowetl.jvm import jsontext
from snowetl.jvm.strings import to_utf8
from snowetl.load.run import SHREDDED
from snowetl.load.warehouse import Warehouse
from snowetl.load.warehouses import warehouse_class
from snowetl.orchestrator.after import dbt_variables, report
from snowetl.orchestrator.after.report import AfterReport, Part
from snowetl.orchestrator.attached import Attached
from snowetl.orchestrator.entries import Entry
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.step_names import DBT
from snowetl.settings.words import count
from snowetl.steps.base import Watch
from snowetl.storage import filesystem

RESULTS, LOG = "dbt_run_results.json", "dbt.log"
"""What is kept in the run's folder: the file dbt wrote, and what it said."""
SECRET = "DBT_ENV_SECRET_SNOWETL_PASSWORD"
"""dbt masks variables of this prefix in its logs, and lets profiles read them."""
_FAILED = frozenset(("error", "fail", "runtime error", "partial success"))
"""How dbt names results that are none. What depends on one is ``skipped``."""
_RESULT_LINE = re.compile(r"\d+ of \d+ (?!START)")
_SHOWN, _TAIL_LINES = 5, 15
_ENDING_SECONDS = 30.0
"""So long may dbt take to cancel its queries."""


class Dbt:
    """The step: see :class:`snowetl.orchestrator.after.AfterStep`."""

    def check(self, settings: RunSettings) -> None:
        """Raises ``ConfigError`` where the project is none, its arguments are wrong, or dbt has no adapter for the
        warehouse."""
        _profile_name(settings)
        _words(settings)
        if not warehouse_class(settings.warehouse).capabilities.dbt_adapter:
            raise ConfigError(f"--dbt: dbt has no adapter for --warehouse {settings.warehouse}")

    def check_program(self, settings: RunSettings) -> None:
        program_of(settings)

    def run(self, settings: RunSettings, entry: Entry, watch: Watch) -> None:
        """Build the project. Raises ``LoadError`` that names what failed, and where dbt's log is."""
        program = program_of(settings)
        with tempfile.TemporaryDirectory(prefix="snowetl-dbt-") as name:
            folder = Path(name)
            target = _target_folder(settings, folder)
            (target / "run_results.json").unlink(missing_ok=True)  # of another run
            with settings.target.open() as warehouse:
                words, given = _words(settings)
                variables = jsontext.dumps(_variables(settings, entry, warehouse, watch) | given)
                environment = _environment(settings, folder, warehouse) | {"DBT_TARGET_PATH": str(target)}
                ended = _Process.run([program, *words, "--vars", str(variables)], environment, watch)
            results = _results(target / "run_results.json")
        _keep(entry, LOG, to_utf8(ended.log))
        if results is not None:
            _keep(entry, RESULTS, to_utf8(jsontext.dumps(results)))
        done = _judge(results, ended, f"{entry.folder}/{LOG}")
        watch.say(f"dbt: {done.words}")
        report.save(done, entry)


def program_of(settings: RunSettings) -> str:
    """The path of dbt. Raises ``ConfigError`` if it is not found."""
    found = shutil.which(settings.dbt_command)
    if found is None:
        adapter = warehouse_class(settings.warehouse).capabilities.dbt_adapter or "postgres"
        raise ConfigError(
            f"--dbt: there is no program {settings.dbt_command} in PATH. Install it, best in an environment of its own "
            f"(python -m venv dbt && dbt/bin/pip install dbt-core dbt-{adapter}), and give --dbt-command dbt/bin/dbt"
        )
    return found


def version_of(settings: RunSettings) -> str:
    """dbt and the adapter of the warehouse, as ``dbt --version`` tells them. Raises ``ConfigError``."""
    adapter = warehouse_class(settings.warehouse).capabilities.dbt_adapter
    command = [program_of(settings), "--version"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"--dbt: {shlex.join(command)}: {error}") from None
    found = dict(re.findall(r"- (\w+):\s+([\w.]+)", told.stdout + told.stderr))
    if adapter not in found:
        raise ConfigError(f"--dbt: {command[0]} has no adapter for {adapter}: pip install dbt-{adapter} beside it")
    return f"dbt {found.get('installed', '')}, dbt-{adapter} {found[adapter]}"


# --- what dbt is told -------------------------------------------------------------------------------------------------


def _words(settings: RunSettings) -> tuple[list[str], dict[str, Any]]:
    """What dbt is to do, and the variables that the user gives it. Raises ``ConfigError``."""
    words, given = dbt_variables.split(shlex.split(settings.dbt_args))
    return (words if words and not words[0].startswith("-") else ["build", *words]), given


def _variables(settings: RunSettings, entry: Entry, warehouse: Warehouse, watch: Watch) -> dict[str, Any]:
    """The run's own variables, under the names that packages for Snowplow and ours have, and what packages need told
    of the tables. Raises ``LoadError`` where the warehouse does not answer.
    """
    found = {"snowplow__atomic_schema": settings.schema, "snowetl_run": entry.id}
    if SHREDDED in warehouse.capabilities.layouts:
        with warehouse.session() as session:
            tables = session.tables()
        wanted = dbt_variables.for_packages(tables, settings.schema, warehouse.capabilities.max_identifier)
        assert settings.dbt is not None
        project = (settings.dbt / "dbt_project.yml").read_text("utf-8", "replace")
        found |= dbt_variables.left_to(project, wanted, watch.say)
    return found


def _profile_name(settings: RunSettings) -> str:
    """The profile that the project asks for. Raises ``ConfigError``."""
    import yaml

    assert settings.dbt is not None
    path = settings.dbt / "dbt_project.yml"
    try:
        project = bounded_yaml.load(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"--dbt {settings.dbt} is not a dbt project: {path}: {error.strerror}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{path} is not YAML: {error}") from None
    profile = project.get("profile") if isinstance(project, dict) else None
    if not isinstance(profile, str):
        raise ConfigError(f"{path} names no profile: add 'profile: snowetl'")
    return profile


def _environment(settings: RunSettings, folder: Path, warehouse: Warehouse) -> dict[str, str]:
    """The variables of dbt's process: what it works on, the password, and the profile, which is the project's own or
    made for the run.
    """
    assert settings.dbt is not None
    project = settings.dbt.resolve()
    given = {
        **os.environ,
        "DBT_PROJECT_DIR": str(project),
        "DBT_LOG_PATH": str(folder / "logs"),
        "DBT_USE_COLORS": "false",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": os.environ.get("DBT_SEND_ANONYMOUS_USAGE_STATS", "false"),
    }
    output = dict(warehouse.dbt_output())
    given[SECRET] = str(output.pop("password", "") or "")
    for name in ("host", "port", "user", "dbname"):
        given[f"SNOWETL_DBT_{name.upper()}"] = str(output.get(name, ""))
    if (project / "profiles.yml").exists():
        given["DBT_PROFILES_DIR"] = str(project)
    else:
        _write_profile(folder / "profiles.yml", _profile_name(settings), settings.dbt_schema, output)
        given["DBT_PROFILES_DIR"] = str(folder)
    return given


def _write_profile(path: Path, name: str, schema: str, output: Mapping[str, Any]) -> None:
    import yaml

    password = "{{ env_var('" + SECRET + "') }}"
    made = {**output, "password": password, "schema": schema, "threads": 4}
    path.write_text(yaml.safe_dump({name: {"target": "snowetl", "outputs": {"snowetl": made}}}), "utf-8")


def _target_folder(settings: RunSettings, folder: Path) -> Path:
    """Where dbt leaves what it compiles and its results: for this run only, unless ``DBT_TARGET_PATH`` names a place
    (where dbt finds what it has parsed before)."""
    assert settings.dbt is not None
    given = os.environ.get("DBT_TARGET_PATH")
    return settings.dbt.resolve() / given if given else folder / "target"


# --- what became of it ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Process:
    """dbt, when it has ended."""

    command: str
    code: int
    log: str

    @classmethod
    def run(cls, command: list[str], environment: Mapping[str, str], watch: Watch) -> _Process:
        """Wait for dbt; tell each result that it prints. When we are interrupted or killed, it is interrupted, too, and
        cancels its queries."""
        process = Attached.start(
            command, environment=environment, signal=signal.SIGINT, whole_group=True, seconds=_ENDING_SECONDS
        )
        lines: list[str] = []
        secret = environment.get(SECRET, "")
        try:
            for line in process.output:
                shown = line.rstrip().replace(secret, "***") if secret else line.rstrip()
                lines.append(shown)
                if _RESULT_LINE.search(shown):
                    watch.say(f"dbt: {shown}")
        finally:
            process.end()
            code = process.wait() or 0
        return cls(shlex.join(["dbt", *command[1:2]]), code, "\n".join(lines) + "\n")

    @property
    def tail(self) -> str:
        return "\n".join(deque(self.log.splitlines(), _TAIL_LINES))


def _results(path: Path) -> dict[str, Any] | None:
    try:
        document = jsontext.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def _judge(results: Mapping[str, Any] | None, ended: _Process, log: str) -> AfterReport:
    """The report of what dbt did. Raises ``LoadError`` unless all of it is well."""
    if results is None:
        raise LoadError(f"{ended.command} ended with {ended.code}, and left no run_results.json ({log}):\n{ended.tail}")
    found = [dict(result) for result in results.get("results") or ()]
    failed = [result for result in found if result.get("status") in _FAILED]
    if failed:
        named = "; ".join(f"{result.get('unique_id')}: {_message(result)}" for result in failed[:_SHOWN])
        more = f", and {len(failed) - _SHOWN:,} more" if len(failed) > _SHOWN else ""
        those = f"{len(failed):,} of {count(len(found), 'node')} failed"
        raise LoadError(f"{ended.command}: {those}: {named}{more} ({log})")
    if ended.code:
        raise LoadError(f"{ended.command} ended with {ended.code} ({log}):\n{ended.tail}")
    kinds = Counter(str(result.get("status")) for result in found)
    words = f"{count(len(found), 'node')}: {', '.join(f'{number:,} {kind}' for kind, number in sorted(kinds.items()))}"
    return AfterReport(
        step=DBT,
        seconds=round(float(results.get("elapsed_time") or 0.0), 3),
        parts=tuple(
            Part(
                name=str(result.get("unique_id")),
                seconds=round(float(result.get("execution_time") or 0.0), 3),
                status=str(result.get("status")),
            )
            for result in found
        ),
        words=words if found else "nothing was selected",
    )


def _message(result: Mapping[str, Any]) -> str:
    words = " ".join(str(result.get("message") or result.get("status")).split())
    return words if len(words) <= 300 else f"{words[:300]}…"


def _keep(entry: Entry, name: str, content: bytes) -> None:
    url = f"{entry.folder}/{name}"
    filesystem(url).put(url, content)
