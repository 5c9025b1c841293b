"""Makes the click command of a verb from the declaration of its settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from snowetl.cli import console
from snowetl.cli.verbs import settings_of_all
from snowetl.errors import ConfigError
from snowetl.jvm import jsontext
from snowetl.secret_keys import secrets_in
from snowetl.settings import Document, Flag, Kind, Option, Settings
from snowetl.settings.docs import default_note
from snowetl.settings.fingerprint import read_document
from snowetl.settings.secrets import passwords_in
from snowetl.settings.yml import read_config
from snowetl.steps.extras import check_extras
from snowetl.steps.settings import GROUPS, Speaking
from snowetl.version import description

S = TypeVar("S", bound=Settings)

EXIT_CODES = {
    0: "done",
    1: "failure",
    2: "wrong usage or configuration; nothing was started",
    3: "nothing to do",
    130: "interrupted (Ctrl-C, SIGTERM)",
}
_PROBLEMS = "snowetl.problems"
_USUAL_CONFIG = Path("snowetl.yml")
_GIVEN = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)


def verb(
    settings: type[S],
    *,
    examples: Sequence[str] = (),
    exit_codes: Mapping[int, str] = EXIT_CODES,
    interrupted: str = "",
    section: str | None = None,
    preflight: bool = True,
    elsewhere: Mapping[str, str] | None = None,
    **context_settings: Any,
) -> Callable[[Callable[[S], None]], click.Command]:
    """Turn a function of settings into a command: its options are those of ``settings``, its help the docstring.

    ``interrupted`` says after Ctrl-C how to go on, ``section`` is the part of snowetl.yml that counts besides that
    of the verb, ``preflight`` whether missing packages stop the verb before it starts,
    ``elsewhere`` what to say to options that the verb of another program has.
    """

    def made(function: Callable[[S], None]) -> click.Command:
        return VerbCommand(
            settings,
            function,
            examples=examples,
            exit_codes=exit_codes,
            interrupted=interrupted,
            section=section,
            preflight=preflight,
            elsewhere=elsewhere,
            help=function.__doc__,
            context_settings={"max_content_width": 110, **context_settings},
        )

    return made


class VerbCommand(click.Command):
    """A command whose parameters are declared by a :class:`Settings` class."""

    def __init__(
        self,
        settings: type[S],
        function: Callable[[S], None],
        *,
        examples: Sequence[str],
        exit_codes: Mapping[int, str],
        interrupted: str,
        section: str | None = None,
        preflight: bool = True,
        elsewhere: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        self.settings = settings
        self.examples = examples
        self.exit_codes = exit_codes
        self.interrupted = interrupted
        self._section = section
        self._preflight = preflight
        self._elsewhere = elsewhere or {}
        parameters = [_parameter(each) for each in settings.options()]
        super().__init__(None, params=[*parameters, _config_option()], callback=self._run, **more)
        self._function: Callable[[Any], None] = function

    def _run(self, config: Path | None, **values: Any) -> None:
        settings = self._settings(click.get_current_context(), config, values)
        if isinstance(settings, Speaking):
            console.speak(settings.quiet, settings.verbose, settings.log_format)
            console.detail(f"{description()}, settings: {jsontext.dumps(settings.to_json())}")
        if self._preflight:
            check_extras(settings)
        self._function(settings)

    def _settings(self, ctx: click.Context, config: Path | None, values: dict[str, Any]) -> Settings:
        """The settings of this call: command line, then environment, then ``--config``, then defaults."""
        places: dict[str, str] = {}
        found: dict[str, Any] = {}
        if config is not None:
            known = settings_of_all()
            verb = ctx.info_name if ctx.info_name in known else self._section
            for name, (value, place) in read_config(config, known, verb or "", base=self._section).items():
                found[name], places[name] = value, place
        found |= {name: value for name, value in values.items() if ctx.get_parameter_source(name) in _GIVEN}
        problems: list[str] = ctx.meta.get(_PROBLEMS, [])
        missing = [each for each in self.settings.options() if each.required and each.name not in found]
        problems += _missing(missing, config)
        if problems:
            raise click.UsageError("\n".join(problems), ctx)
        _remember_secrets(self.settings, found)
        return self.settings(**found)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if error.option_name in self._elsewhere:
                raise click.UsageError(f"{error.option_name}: {self._elsewhere[error.option_name]}", ctx) from None
            raise

    def make_parser(self, ctx: click.Context) -> Any:
        """The parser of click, which refuses an option that is given twice and takes one value."""
        parser = super().make_parser(ctx)
        parse = parser.parse_args

        def parse_once(args: list[str]) -> Any:
            values, rest, order = parse(args)
            for parameter, times in Counter(map(id, order)).items():
                [given] = {id(each): each for each in order if id(each) == parameter}.values()
                if times > 1 and isinstance(given, click.Option) and not given.multiple and not given.is_eager:
                    flag = given.setting.flag if isinstance(given, SettingOption) else given.opts[-1]
                    raise click.UsageError(f"{flag} is given {times} times, and takes one value. Give it once", ctx)
            return values, rest, order

        parser.parse_args = parse_once  # type: ignore[method-assign]
        return parser

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Options by group, then examples and exit codes."""
        groups: dict[str, list[tuple[str, str]]] = {group: [] for group in GROUPS}
        last = "Help and configuration file"
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                group = parameter.setting.group if isinstance(parameter, SettingOption) else last
                groups.setdefault(group, []).append(record)
        for group, records in groups.items():
            if records:
                with formatter.section(group):
                    formatter.write_dl(records)
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write("".join(f"  {line}\n" for line in example.strip("\n").split("\n")))
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in self.exit_codes.items()])

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_help_text(ctx, formatter)
        arguments = [each for each in self.settings.options() if each.positional]
        if arguments:
            formatter.write_paragraph()
            with formatter.indentation():
                for each in arguments:
                    formatter.write_text(f"{each.metavar}: {each.help}")


class SettingOption(click.Option):
    """The click option of a setting. Its default is left to the settings class."""

    def __init__(self, setting: Option) -> None:
        self.setting = setting
        is_flag = isinstance(setting.kind, Flag)
        super().__init__(
            [setting.name, *setting.flags],
            type=None if is_flag else _Value(setting.kind),
            is_flag=is_flag,
            default=None,
            multiple=setting.multiple,
            metavar=None if is_flag else setting.metavar,
            envvar=setting.environment if setting.from_environment else None,
            help=setting.help,
        )

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        if record is None:
            return None
        note = default_note(self.setting, quote="")
        return record[0], f"{self.setting.help} {note}".rstrip()


class _Value(click.ParamType[Any]):
    """Reads a value as its kind does. Mistakes are collected, so that one message names all of them."""

    def __init__(self, kind: Kind) -> None:
        self.name = kind.metavar
        self.kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return self.kind.parse(value)
        except ValueError as error:
            if ctx is None:
                self.fail(str(error), param, ctx)
            name = (
                param.setting.flag if isinstance(param, SettingOption) else param.human_readable_name if param else ""
            )
            ctx.meta.setdefault(_PROBLEMS, []).append(f"Invalid value for '{name}': {error}")
            return None


def _parameter(setting: Option) -> click.Parameter:
    if not setting.positional:
        return SettingOption(setting)
    type_ = click.UNPROCESSED if setting.multiple else _Value(setting.kind)
    return click.Argument(
        [setting.name],
        nargs=-1 if setting.multiple else 1,
        required=False,
        type=type_,
        metavar=setting.metavar,
    )


def _config_option() -> click.Option:
    return click.Option(
        ["--config"],
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="A snowetl.yml: every option as a key, at the top of the file or below the name of the verb.",
    )


def _missing(options: Sequence[Option], config: Path | None) -> Iterator[str]:
    """All that is missing, in one line for options and one for each argument."""
    flags = [each.flag for each in options if not each.positional]
    if flags:
        found = config is None and _USUAL_CONFIG.exists()
        hint = f". There is a {_USUAL_CONFIG} here: add --config {_USUAL_CONFIG} if it is meant" if found else ""
        yield f"Missing option{'s' if len(flags) > 1 else ''} {', '.join(flags)}{hint}"
    for each in options:
        if each.positional:
            yield f"Missing argument {each.metavar}: {each.help}"


def _remember_secrets(settings: type[Settings], values: Mapping[str, Any]) -> None:
    """Mask from now on whatever secrets the settings hold, documents included as far as they can be read."""
    for each in settings.options():
        value = values.get(each.name)
        if value is None:
            continue
        if isinstance(each.kind, Document) and "://" not in str(value)[:20]:
            with suppress(ConfigError):  # what is wrong with a document is said by whoever reads it
                console.remember(secrets_in(read_document(value)))
        if each.secret and isinstance(value, (str, tuple)):
            for text in (value,) if isinstance(value, str) else value:
                console.remember(passwords_in(str(text)))
