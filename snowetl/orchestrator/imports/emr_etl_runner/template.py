"""The template language of ``config.yml``: only ``<%= ENV['NAME'] %>`` is read, no code is run."""

from __future__ import annotations

import re

from snowetl.errors import ConfigError

_TAG = re.compile(r"<%(.*?)%>", re.DOTALL)
_ENVIRONMENT = re.compile(r"""=\s*ENV(?:\[\s*(['"])(\w+)\1\s*\]|\.fetch\(\s*(['"])(\w+)\3\s*\))\s*-?""", re.ASCII)


def references(text: str, where: str) -> str:
    """``text`` with ``${NAME}`` for each tag that reads the environment, and ``$${`` for what was ``${``.

    Lines stay where they are. Raises :class:`ConfigError` that names the line of each tag that does anything else.
    """
    problems = []

    def replace(match: re.Match[str]) -> str:
        code = match[1]
        if code.startswith("#"):
            return "\n" * code.count("\n")
        read = _ENVIRONMENT.fullmatch(code.strip())
        if read is None:
            line = text.count("\n", 0, match.start()) + 1
            problems.append(f"{where}, line {line}: <%{code}%> is Ruby code")
            return ""
        return f"${{{read[2] or read[4]}}}"

    replaced = _TAG.sub(replace, text.replace("${", "$${"))
    if problems:
        raise ConfigError(
            f"{'; '.join(problems)}. Only <%= ENV['NAME'] %> is read: set an environment variable, and name it there"
        )
    return replaced
