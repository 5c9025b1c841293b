"""Options that verbs share, and the types of option values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import click

from snowetl.cli import console
from snowetl.cli.config import nearest, read_config
from snowetl.errors import ConfigError
from snowetl.jvm import jsontext
from snowetl.jvm.text import decode_base64, decode_utf8

_ADAPTER_GROUPS = {"adaptersSchemas": "adapter_schemas", "remoteAdapters": "remote_adapters"}

Command = TypeVar("Command", bound=Callable[..., Any])


class Document(click.ParamType[Any]):
    """A JSON configuration: a file, a folder or base64 on the command line; in ``snowetl.yml`` also the JSON itself.

    Secrets it holds are masked in all that is printed from here on.
    """

    name = "file|folder|base64"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, (dict, list)):
            value = str(value)
        for document in _documents(value):
            console.remember_secrets(document)
        return value


def _documents(value: Any) -> Iterator[Any]:
    """The JSON documents an option stands for, as far as they can be read: what is wrong is for others to say."""
    if not isinstance(value, str):
        yield value
        return
    path = Path(value)
    with suppress(OSError, ValueError):
        if path.is_dir():
            texts = [file.read_text("utf-8") for file in sorted(path.glob("*.json"))]
        else:
            texts = [path.read_text("utf-8") if path.is_file() else decode_utf8(decode_base64(value))]
        for text in texts:
            with suppress(ValueError):
                yield jsontext.loads(text)


def adapter_options(source: Any) -> dict[str, Any]:
    """``--adapters`` as keywords of ``EnrichConfig.load``. Raises :class:`ConfigError`."""
    if source is None:
        return {}
    documents = list(_documents(source))
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise ConfigError(f"--adapters: {str(source)[:200]} is no JSON object, and no file or base64 of one")
    unknown = sorted(set(documents[0]) - set(_ADAPTER_GROUPS))
    if unknown:
        known = " and ".join(_ADAPTER_GROUPS)
        raise ConfigError(
            f"--adapters: unknown key '{unknown[0]}': it holds {known}.{nearest(unknown[0], _ADAPTER_GROUPS)}"
        )
    return {_ADAPTER_GROUPS[name]: group for name, group in documents[0].items()}


class ByteSize(click.ParamType[int]):
    """A number of bytes: ``64MB``, ``512k``, ``1048576`` (units of 1024)."""

    name = "size"
    _TEXT = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", re.IGNORECASE)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = self._TEXT.fullmatch(str(value).strip())
        size = int(float(match[1]) * 1024 ** " kmgt".index(match[2].lower() or " ")) if match else 0
        if size < 1:
            self.fail(f"'{value}' is not a size, such as 64MB", param, ctx)
        return size


def config_option(command: Command) -> Command:
    """``--config``: what the file says are the defaults of all other options."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        is_eager=True,
        expose_value=False,
        callback=_apply_config,
        help="A snowetl.yml: every option as a key, at the top of the file or below the name of the verb.",
    )(command)


def _apply_config(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    if path is None or ctx.resilient_parsing:
        return
    root = ctx.find_root()
    assert isinstance(root.command, click.Group)
    assert ctx.info_name is not None
    verbs = {name: root.command.get_command(root, name) for name in root.command.list_commands(root)}
    options = {name: list(_options(verb)) for name, verb in verbs.items() if verb is not None}
    parameters = _options(ctx.command)
    values = read_config(path, options, ctx.info_name)
    ctx.default_map = {parameters[key]: value for key, value in values.items()}


def _options(command: click.Command) -> dict[str, str]:
    """Long option -> name of its parameter. ``--config`` and ``--help`` are no keys of a configuration file."""
    return {
        text.removeprefix("--"): parameter.name or ""
        for parameter in command.params
        if isinstance(parameter, click.Option) and parameter.name not in ("config", "help")
        for text in parameter.opts
        if text.startswith("--")
    }
