"""snowetl.yml: keys, sections, variables, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from snowetl.cli.config import interpolate, nearest, read_config
from snowetl.errors import ConfigError

OPTIONS = {"enrich": ["input-folder", "iglu-config", "workers"], "load": ["iglu-config", "target"]}


def write(folder: Path, text: str) -> Path:
    path = folder / "snowetl.yml"
    path.write_text(text, "utf-8")
    return path


def test_a_section_wins_over_the_top(tmp_path: Path) -> None:
    path = write(tmp_path, "enrich:\n  iglu-config: mine.json\niglu-config: all.json\nworkers: 3\n")
    assert read_config(path, OPTIONS, "enrich") == {"iglu-config": "mine.json", "workers": 3}
    assert read_config(path, OPTIONS, "load") == {"iglu-config": "all.json"}


def test_keys_may_be_written_with_underscores(tmp_path: Path) -> None:
    path = write(tmp_path, "enrich:\n  input_folder: raw\n")
    assert read_config(path, OPTIONS, "enrich") == {"input-folder": "raw"}


def test_inline_documents_stay_documents(tmp_path: Path) -> None:
    path = write(tmp_path, "iglu-config: {schema: s, data: {repositories: []}}\n")
    assert read_config(path, OPTIONS, "load") == {"iglu-config": {"schema": "s", "data": {"repositories": []}}}


@pytest.mark.parametrize("text", ["", "enrich:\n", "# only a comment\n"])
def test_a_file_may_say_nothing(tmp_path: Path, text: str) -> None:
    assert read_config(write(tmp_path, text), OPTIONS, "enrich") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("input-foldr: x\n", "unknown key 'input-foldr'. Did you mean 'input-folder'?"),
        ("enrich:\n  target: x\n", "unknown key 'target' under 'enrich'."),
        ("enrihc:\n  input-folder: x\n", "unknown key 'enrihc'. Did you mean 'enrich'?"),
        ("load:\n  tarjet: x\n", "unknown key 'tarjet' under 'load'. Did you mean 'target'?"),
        ("enrich: [1]\n", "'enrich' must hold keys and values, not a list"),
        ("- a\n- b\n", "must hold keys and values, not a list"),
        ("just text\n", "must hold keys and values, not 'just text'"),
        ("a: [1\nb: 2\n", "is not YAML: "),
        ("input-folder: ${NO_SUCH_VARIABLE}\n", "the environment variable NO_SUCH_VARIABLE is not set"),
        ("input-folder: !!python/object/apply:os.system ['true']\n", "is not YAML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        read_config(path, OPTIONS, "enrich")
    assert message in str(error.value)
    assert str(path) in str(error.value)


def test_unknown_keys_of_other_verbs_are_refused_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="tarjet"):
        read_config(write(tmp_path, "load:\n  tarjet: x\n"), OPTIONS, "enrich")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read .*No such file"):
        read_config(tmp_path / "none.yml", OPTIONS, "enrich")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "binary.yml"
    path.write_bytes(b"a: \xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_config(path, OPTIONS, "enrich")


def test_variables() -> None:
    environment = {"BUCKET": "b", "EMPTY": ""}
    assert interpolate("s3://${BUCKET}/x", "here", environment) == "s3://b/x"
    assert interpolate("${NONE:-fallback}${EMPTY}", "here", environment) == "fallback"
    assert interpolate("$${BUCKET} costs $$5, $HOME stays", "here", environment) == "${BUCKET} costs $5, $HOME stays"
    assert interpolate({"a": ["${BUCKET}", 1, True, None]}, "here", environment) == {"a": ["b", 1, True, None]}


def test_variables_do_not_nest() -> None:
    """What a variable holds is data, not YAML and not another variable."""
    assert interpolate("${A}", "here", {"A": "${B}: [x"}) == "${B}: [x"


def test_nearest() -> None:
    assert nearest("inputfolder", ["input-folder", "output-folder"]) == " Did you mean 'input-folder'?"
    assert nearest("zzz", ["input-folder"]) == ""
