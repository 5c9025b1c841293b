"""The declaration of a setting, and what is made from it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Self, TypeVar

from snowetl.errors import ConfigError
from snowetl.interpolation import escape, interpolate
from snowetl.jvm import jsontext
from snowetl.problems import did_you_mean
from snowetl.secret_keys import masked
from snowetl.settings.fingerprint import Fingerprint, digest_of, read_document
from snowetl.settings.kinds import Choice, Document, Flag, Kind, ReadDocument, Text
from snowetl.settings.secrets import is_open

S = TypeVar("S", bound="Settings")

_METADATA = "snowetl"
_ENVIRONMENT = "SNOWETL_"
OTHER = "Other options"


@dataclass(frozen=True)
class Option:
    """One setting. ``name`` is the field, ``flags`` as on the command line (none: a positional argument)."""

    name: str
    flags: tuple[str, ...]
    kind: Kind
    help: str
    group: str
    default: Any
    """``MISSING`` for a setting that must be given."""
    shapes_output: bool
    secret: bool
    multiple: bool
    metavar: str
    default_help: str | None
    """What happens without the setting, where that is not a value."""
    describe: Callable[[Any, ReadDocument], Any] | None
    """What the fingerprint is made from, where that is not the canonical value."""

    @property
    def key(self) -> str:
        """The key in ``snowetl.yml``: the long option without its dashes. The field has the same name, but for a word
        that Python keeps for itself."""
        long = [flag for flag in self.flags if flag.startswith("--")]
        return long[0].partition("/")[0].removeprefix("--") if long else self.name.replace("_", "-")

    @property
    def flag(self) -> str:
        """The option as messages name it."""
        return f"--{self.key}" if self.flags else self.metavar

    @property
    def positional(self) -> bool:
        return not self.flags

    @property
    def required(self) -> bool:
        return self.default is MISSING

    @property
    def environment(self) -> str:
        """The environment variable that may hold the value: of secrets and documents only."""
        return _ENVIRONMENT + self.name.upper()

    @property
    def from_environment(self) -> bool:
        return self.secret or isinstance(self.kind, Document)

    def parse(self, value: Any) -> Any:
        """What a user wrote as the field's value. Raises ``ValueError``."""
        return self._each(value, self.kind.parse)

    def accept(self, value: Any) -> Any:
        """What Python gave as the field's value. Raises ``ValueError``."""
        if value is None and self.default is None:
            return None
        return self._each(value, self.kind.accept)

    def _each(self, value: Any, read: Callable[[Any], Any]) -> Any:
        if not self.multiple:
            if isinstance(value, (list, tuple)) and not isinstance(self.kind, Document):
                raise ValueError(f"it holds one value, not a list of {len(value)}")
            return read(value)
        values = value if isinstance(value, (list, tuple)) else self.kind.split(value)
        if not values and self.required:
            raise ValueError("the list is empty")
        return tuple(read(each) for each in values)

    def is_hidden(self, value: Any) -> bool:
        """Whether ``value`` is or holds a secret, so that only an environment variable may carry it."""
        if isinstance(value, str) and is_open(value):
            return False
        if not isinstance(self.kind, Document) or self.secret:
            values = value if self.multiple else (value,)
            return self.secret and not all(map(self.kind.is_public, values))
        if not Document.is_inline(value):
            return False
        try:
            content = read_document(value, variables=False)
            return bool(masked(content) != content)
        except ConfigError:  # what cannot be read may hold anything
            return True


def option(
    *flags: str,
    help: str,
    kind: Kind | None = None,
    default: Any = MISSING,
    group: str = OTHER,
    shapes_output: bool = False,
    secret: bool = False,
    document: bool = False,
    multiple: bool = False,
    choices: Iterable[str] = (),
    metavar: str | None = None,
    default_help: str | None = None,
    describe: Callable[[Any, ReadDocument], Any] | None = None,
) -> Any:
    """Declare a field of a :class:`Settings` class: ``--long-flag`` (the field's name), and short ones.

    Without ``default`` the setting must be given; ``multiple`` ones are tuples, and empty by default unless required.
    ``shapes_output`` settings are part of the fingerprint, ``secret`` ones are never written anywhere.
    """
    if kind is None:
        kind = Choice(choices=tuple(choices)) if choices else Document() if document else Text()
    made = Option(
        name="",
        flags=flags,
        kind=kind,
        help=help,
        group=group,
        default=default,
        shapes_output=shapes_output,
        secret=secret,
        multiple=multiple,
        metavar=metavar or ("|".join(kind.choices) if isinstance(kind, Choice) else kind.metavar),
        default_help=default_help,
        describe=describe,
    )
    return field(default=default, metadata={_METADATA: made}, kw_only=True, repr=not secret)


def flag(*flags: str, help: str, default: bool = False, **more: Any) -> Any:
    """Declare a yes or no: ``--flag``, or ``--flag/--no-flag`` for one that is on by default."""
    return option(*flags, help=help, kind=Flag(), default=default, **more)


def argument(metavar: str, help: str, *, kind: Kind | None = None, multiple: bool = False, **more: Any) -> Any:
    """Declare what stands on the command line without a flag."""
    return option(help=help, kind=kind or Text(), multiple=multiple, metavar=metavar, **more)


class Settings:
    """Base of the settings of all verbs: frozen dataclasses whose fields are made by :func:`option`.

    Values given in Python are read as the command line reads them (``split_size="64MB"``); all that is wrong is told
    at once, in one :class:`ConfigError`.
    """

    def __post_init__(self) -> None:
        problems = []
        for each in self.options():
            try:
                object.__setattr__(self, each.name, each.accept(getattr(self, each.name)))
            except ValueError as error:
                problems.append(f"{each.name}: {error}")
        if problems:
            raise ConfigError(f"{type(self).__name__}: {'; '.join(problems)}")

    @classmethod
    def options(cls) -> tuple[Option, ...]:
        """The settings in the order of their declaration."""
        known: tuple[Option, ...] | None = cls.__dict__.get("_options")
        if known is None:
            known = tuple(
                dataclasses.replace(each.metadata[_METADATA], name=each.name)
                for each in fields(cls)  # type: ignore[arg-type]
                if _METADATA in each.metadata
            )
            cls._options = known  # type: ignore[attr-defined]
        return known

    @classmethod
    def option(cls, name: str) -> Option:
        """The setting of a field."""
        return {each.name: each for each in cls.options()}[name]

    @classmethod
    def field(cls, name: str) -> Any:
        """The declaration of a field, for another class that has the same one."""
        [found] = [each for each in fields(cls) if each.name == name]  # type: ignore[arg-type]
        return field(default=found.default, metadata=found.metadata, kw_only=True, repr=found.repr)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Self:
        """Settings from keys and values as ``snowetl.yml`` has them, with ``${NAME}`` for environment variables.

        Keys may be spelled with dashes or underscores. Raises :class:`ConfigError` that tells everything that is wrong:
        unknown keys, missing ones, values that cannot be read.
        """
        variables = os.environ if environment is None else environment
        known = {each.key: each for each in cls.options()}
        given: dict[str, Any] = {}
        problems: list[str] = []
        for raw, value in values.items():
            key = str(raw).replace("_", "-")
            if key not in known:
                problems.append(f"unknown key '{raw}'{did_you_mean(key, known)}")
            elif key in given:
                problems.append(f"'{raw}' is given twice")
            else:
                given[key] = value
        found: dict[str, Any] = {}
        for key, value in given.items():
            try:
                if value is not None:
                    found[known[key].name] = known[key].parse(interpolate(value, variables))
            except ValueError as error:
                problems.append(f"{key}: {error}")
        problems += [
            f"{each.key} is missing" for each in known.values() if each.required and given.get(each.key) is None
        ]
        if problems:
            raise ConfigError("; ".join(problems))
        return cls(**found)

    def to_json(self) -> dict[str, Any]:
        """All settings that have a value, as :meth:`from_mapping` reads them: what plans and reports keep.

        A secret stands there as the name of the environment variable that holds it (:meth:`to_environment`).
        """
        document: dict[str, Any] = {}
        for each in self.options():
            value = getattr(self, each.name)
            if value is None or value == ():
                continue
            if each.is_hidden(value):
                document[each.key] = f"${{{each.environment}}}"
            elif each.multiple:
                document[each.key] = [escape(each.kind.to_json(item)) for item in value]
            else:
                document[each.key] = escape(each.kind.to_json(value))
        return document

    def to_argv(self) -> list[str]:
        """The command line of these settings, without the verb. Secrets and inline documents are left to
        :meth:`to_environment`: the arguments of a process can be read by everybody on its machine."""
        options: list[str] = []
        arguments: list[str] = []
        for each in self.options():
            value = getattr(self, each.name)
            if value == each.default or value == () or each.name in self._in_environment():
                continue
            if isinstance(each.kind, Flag):
                options.append(each.flag if value else f"--no-{each.key}")
                continue
            texts = [each.kind.to_text(item) for item in (value if each.multiple else [value])]
            if each.positional:
                arguments += texts
            else:
                options += [part for text in texts for part in (each.flag, text)]
        return [*options, "--", *arguments] if arguments else options

    def to_environment(self) -> dict[str, str]:
        """The environment variables another process needs beside :meth:`to_argv`. They hold secrets: keep none."""
        return {
            each.environment: " ".join(map(each.kind.to_text, value if each.multiple else (value,)))
            for each in self.options()
            if each.name in self._in_environment() and (value := getattr(self, each.name)) is not None
        }

    def _in_environment(self) -> set[str]:
        return {
            each.name
            for each in self.options()
            if (value := getattr(self, each.name)) not in (None, ())
            and (each.is_hidden(value) or (isinstance(each.kind, Document) and Document.is_inline(value)))
        }

    def fingerprint(self, read: ReadDocument = read_document) -> Fingerprint:
        """What makes the output: every ``shapes_output`` setting that differs from its default.

        ``read`` gives the content of a document; by content they count, wherever they lie and however they are
        formatted. Raises :class:`ConfigError` for one that cannot be read.
        """
        digests: dict[str, str] = {}
        for each in self.options():
            value = getattr(self, each.name)
            if not each.shapes_output or value == each.default or value is None or value == ():
                continue
            if each.describe is not None:
                meaning = each.describe(value, read)
            elif each.multiple:
                meaning = sorted((each.kind.canonical(item, read) for item in value), key=jsontext.dumps)
            else:
                meaning = each.kind.canonical(value, read)
            digests[each.key] = digest_of(meaning)
        return Fingerprint(digests)

    def shared_with(self, other: type[Settings]) -> dict[str, Any]:
        """The values of all fields that another settings class has, too: how a run tells its steps what is theirs."""
        names = {each.name for each in other.options()}
        return {each.name: getattr(self, each.name) for each in self.options() if each.name in names}
