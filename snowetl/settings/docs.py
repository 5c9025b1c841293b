"""The option tables of the docs, written from the declarations.

A page holds ``<!-- options: VERB -->`` and ``<!-- end of options -->``; what stands between them is made here. With
``<!-- options: VERB, GROUP -->`` these are the options of one group.
"""

from __future__ import annotations

import re

from snowetl.errors import ConfigError
from snowetl.settings.declaration import Option, Settings
from snowetl.settings.kinds import Flag
from snowetl.settings.yml import Verbs

_BLOCK = re.compile(
    r"(<!-- options: (?P<verb>[a-z]+)(?:, (?P<group>[\w ]+))? -->\n).*?(?P<end><!-- end of options -->)", re.DOTALL
)


def option_table(settings: type[Settings], groups: tuple[str, ...] = (), only: str | None = None) -> str:
    """A Markdown table of all options, group by group, or of those of ``only`` one group."""
    options = [each for each in settings.options() if not each.positional and only in (None, each.group)]
    order = [*groups, *(each.group for each in options)]
    lines = ["| Option | Meaning |", "|---|---|"]
    for each in sorted(options, key=lambda option: order.index(option.group)):
        lines.append(f"| {_flags(each)} | {_meaning(each)} |")
    last = [f"| `--config` | {CONFIG_HELP} |"] if only is None else []
    return "\n".join([*lines, *last, ""])


CONFIG_HELP = "A `snowetl.yml` with any of these options as keys."


def with_tables(page: str, verbs: Verbs, groups: tuple[str, ...] = ()) -> str:
    """``page`` with all its option tables brought up to date. Raises :class:`ConfigError` for an unknown verb."""

    def table(match: re.Match[str]) -> str:
        verb = match["verb"]
        if verb not in verbs:
            raise ConfigError(f"the page asks for the options of '{verb}', which is not a verb")
        return f"{match[1]}{option_table(verbs[verb], groups, match['group'])}{match['end']}"

    return _BLOCK.sub(table, page)


def _flags(setting: Option) -> str:
    return ", ".join(f"`{flag}`" for flags in setting.flags for flag in flags.split("/"))


def _meaning(setting: Option) -> str:
    text = setting.help.replace("|", "\\|").replace("<", "&lt;")
    return f"{text} {note}" if (note := default_note(setting)) else text


def default_note(setting: Option, quote: str = "`") -> str:
    """What counts when the option is not given: ``Required.``, ``Default: …``."""
    notes = ["May be given several times."] if setting.multiple and "several times" not in setting.help else []
    if setting.required:
        notes.append("Required.")
    elif setting.default_help is not None:
        notes.append(f"Default: {setting.default_help}.")
    elif isinstance(setting.kind, Flag):
        notes += ["Default: on."] if setting.default else []
    elif setting.default not in (None, ()):
        notes.append(f"Default: {quote}{setting.kind.to_text(setting.default)}{quote}.")
    return " ".join(notes)
