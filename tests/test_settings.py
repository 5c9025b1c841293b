"""Settings declared once: every form that is made from a declaration says the same."""

from __future__ import annotations

import base64
import json
import keyword
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.cli.verb import VerbCommand
from snowetl.cli.verbs import VERBS, settings_of_all
from snowetl.errors import ConfigError
from snowetl.interpolation import escape, interpolate
from snowetl.settings import (
    Choice,
    Document,
    Fingerprint,
    Flag,
    Kind,
    LocalPath,
    Location,
    Number,
    Option,
    Settings,
    Size,
    Text,
    flag,
    option,
)
from snowetl.settings.kinds import canonical_location, size_text
from snowetl.settings.schema import json_schema
from snowetl.settings.secrets import passwords_in, redact, with_hashed_secrets
from snowetl.steps.settings import EnrichSettings, TransformSettings

SETTINGS = settings_of_all()
KEY = "5fb4713d-73ad-4163-93a9-2b82f0177c5b"
RESOLVER = {
    "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-3",
    "data": {"cacheSize": 500, "repositories": [{"connection": {"http": {"uri": "https://x", "apikey": KEY}}}]},
}


def enrich(**changed: Any) -> EnrichSettings:
    given = {
        "input_folder": "raw",
        "input_format": "thrift",
        "output_folder": "good",
        "bad_folder": "bad",
        "iglu_config": {"schema": "s", "data": {}},
    }
    return EnrichSettings(**(given | changed))


# --- every verb -----------------------------------------------------------------------------------------------------

TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=12
)
ADDRESS = st.from_regex(r"\A(s3://b/|hdfs://h/|/tmp/|[a-z])[a-zA-Z0-9_${}*. -]{0,12}[a-z]\Z")
DOCUMENTS = st.one_of(
    st.sampled_from(["resolver.json", "/tmp/none/${X}.json", "conf d/$$"]),
    st.dictionaries(st.sampled_from(["a", "${X}", "apikey", "$$"]), st.one_of(TEXT, st.booleans(), st.integers(0, 99))),
    st.lists(st.dictionaries(st.just("schema"), TEXT), max_size=2),
)


_OTHERS = (
    "none",
    "local[2]",
    "5%",
    "0.5",
    "100",
    "local",
    "15m",
    "2026-01-31T12:00Z",
    "a.b=c=d",
    "statsd://a:1/$$",
    "https://a.example/${X}",
    "enrich",
    "vacuum",
)


def values_of(setting: Option) -> st.SearchStrategy[Any]:
    """Values a field can hold."""
    kind = setting.kind
    if setting.name == "warehouse":  # a name that is looked up before the verb starts
        one: st.SearchStrategy[Any] = st.sampled_from(["postgres", "redshift"])
    elif isinstance(kind, Choice):
        one = st.sampled_from(kind.choices)
    elif isinstance(kind, Flag):
        one = st.booleans()
    elif isinstance(kind, Number):
        one = st.integers(kind.minimum or 0, kind.maximum or 1 << 40)
    elif isinstance(kind, Size):
        one = st.integers(kind.floor, 1 << 42)
    elif isinstance(kind, Location):
        one = ADDRESS
    elif isinstance(kind, LocalPath):
        one = ADDRESS.map(Path)
    elif isinstance(kind, Document):
        one = DOCUMENTS
    elif type(kind) is Text:
        one = TEXT
    else:  # a kind with rules of its own
        one = st.sampled_from([text for text in _OTHERS if accepts(kind, text)])
    if setting.multiple:
        return st.lists(one, min_size=1 if setting.required else 0, max_size=3).map(tuple)
    return one if setting.default is not None else st.one_of(st.none(), one)


def accepts(kind: Kind, text: str) -> bool:
    try:
        return kind.to_json(kind.accept(text)) is not None
    except ValueError:
        return False


@st.composite
def settings_of(draw: st.DrawFn, verb: str) -> Settings:
    cls = SETTINGS[verb]
    return cls(**{each.name: draw(values_of(each)) for each in cls.options() if each.required or draw(st.booleans())})


@pytest.mark.parametrize("verb", SETTINGS)
@given(data=st.data())
def test_json_reads_back_as_the_same_settings(verb: str, data: st.DataObject) -> None:
    made = data.draw(settings_of(verb))
    document = json.loads(json.dumps(made.to_json()))
    assert SETTINGS[verb].from_mapping(document, made.to_environment()) == made
    again = SETTINGS[verb].from_mapping(document, made.to_environment())
    assert again.fingerprint(read=lambda source: source) == made.fingerprint(read=lambda source: source)


@pytest.mark.parametrize("verb", SETTINGS)
@given(data=st.data())
def test_arguments_read_back_as_the_same_settings(verb: str, data: st.DataObject) -> None:
    made = data.draw(settings_of(verb))
    assert parsed(verb, made.to_argv(), made.to_environment()) == made


def parsed(verb: str, arguments: list[str], environment: dict[str, str]) -> Settings:
    """The settings the command line makes of arguments and environment variables."""
    found: list[Settings] = []
    command = VerbCommand(SETTINGS[verb], found.append, examples=(), exit_codes={}, interrupted="",
                          context_settings={"ignore_unknown_options": verb == "psql"})  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        command.main(arguments, prog_name=verb, standalone_mode=False)
    return found[0]


@pytest.mark.parametrize("verb", SETTINGS)
def test_one_name_serves_everywhere(verb: str) -> None:
    for each in SETTINGS[verb].options():
        assert each.positional or each.key == each.name.replace("_", "-") or keyword.iskeyword(each.key)
        assert each.help.endswith("."), each.name


@pytest.mark.parametrize("verb", SETTINGS)
def test_every_setting_is_an_option_and_a_key_of_the_schema(verb: str) -> None:
    import importlib

    command = importlib.import_module(VERBS[verb].module).command
    if isinstance(command, click.Group):  # a verb of several: one of them has settings of its own
        [command] = [one for one in command.commands.values() if getattr(one, "settings", None) is SETTINGS[verb]]
    assert isinstance(command, click.Command)
    section = json_schema(SETTINGS)["properties"][verb]["properties"]
    for each in SETTINGS[verb].options():
        assert each.name in {parameter.name for parameter in command.params}
        assert each.positional or each.key in section


def test_the_json_schema_accepts_what_the_file_may_hold() -> None:
    import jsonschema

    validator = jsonschema.Draft7Validator(json_schema(SETTINGS))
    good = {
        "iglu-config": {"schema": "s", "data": {}},
        "split-size": "64MB",
        "enrich": {"input-folder": ["a", "b"], "workers": "${WORKERS}", "accept-invalid": True},
        "run": {"input-folder": "a", "natural": False},
        "psql": None,
    }
    assert not list(validator.iter_errors(good))
    for bad in (
        {"inptu": 1},
        {"enrich": {"workers": 0}},
        {"enrich": {"compression": "lz4"}},
        {"load": {"natural": True}},
    ):
        assert list(validator.iter_errors(bad)), bad


# --- values ---------------------------------------------------------------------------------------------------------


def test_values_given_in_python_are_read_as_the_command_line_reads_them() -> None:
    made = enrich(split_size="64MB", workers="3", bad_folder=Path("b"), input_folder=["x", "y"])
    assert (made.split_size, made.workers, made.bad_folder, made.input_folder) == (64 << 20, 3, "b", ("x", "y"))


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        enrich(workers=0, compression="lz4", split_size="many")
    assert all(name in str(error.value) for name in ("workers", "compression", "split_size"))
    with pytest.raises(ConfigError) as error:
        EnrichSettings.from_mapping({"inptu-folder": "x", "workers": "x", "input_format": "thrift"}, {})
    for part in (
        "unknown key 'inptu-folder'; did you mean input-folder",
        "workers: 'x' is not",
        "bad-folder is missing",
    ):
        assert part in str(error.value)
    assert "input-format is missing" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "size"),
    [("64MB", 64 << 20), ("1.5k", 1536), ("1048576", 1 << 20), (" 2 GiB ", 2 << 30), (7, 7), ("1t", 1 << 40)],
)
def test_sizes(text: object, size: int) -> None:
    assert Size().parse(text) == size


@pytest.mark.parametrize("text", ["", "many", "0", "-1", "1 XB", "0.1", "1e3", "٣"])
def test_what_is_not_a_size(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size, such as 64MB"):
        Size().parse(text)


def test_sizes_are_written_so_that_they_read_back() -> None:
    assert [size_text(size) for size in (1, 1536, 1 << 20, 64 << 20, 1 << 40)] == ["1", "1536", "1MB", "64MB", "1TB"]


@pytest.mark.parametrize(("value", "read"), [("yes", True), ("OFF", False), (True, True), (0, False)])
def test_flags(value: object, read: bool) -> None:
    assert Flag().parse(value) is read


# --- secrets --------------------------------------------------------------------------------------------------------


def test_secrets_are_left_to_the_environment() -> None:
    made = TransformSettings(
        input_folder="in", output_folder="out", iglu_config=RESOLVER, duplicate_storage="postgresql://me:s3cret@h/d"
    )
    for written in (json.dumps(made.to_json()), " ".join(made.to_argv()), str(made.fingerprint().to_json())):
        assert "s3cret" not in written
        assert KEY not in written
    assert made.to_json()["iglu-config"] == "${SNOWETL_IGLU_CONFIG}"
    assert set(made.to_environment()) == {"SNOWETL_IGLU_CONFIG", "SNOWETL_DUPLICATE_STORAGE"}
    assert "s3cret" not in repr(made)


def test_a_document_in_base64_is_searched_for_secrets_too() -> None:
    text = base64.b64encode(json.dumps(RESOLVER).encode()).decode()
    made = enrich(iglu_config=text)
    assert made.to_json()["iglu-config"] == "${SNOWETL_IGLU_CONFIG}"
    assert text not in made.to_argv()


@pytest.mark.parametrize("uri", ["https://me:s3cret@registry/api", "https://registry/api?token=s3cret"])
def test_a_password_in_an_address_of_a_document_is_a_secret(uri: str) -> None:
    made = enrich(iglu_config={"data": {"repositories": [{"connection": {"http": {"uri": uri}}}]}})
    assert "s3cret" not in json.dumps(made.to_json()) + " ".join(made.to_argv())
    assert "s3cret" in made.to_environment()["SNOWETL_IGLU_CONFIG"]


def test_the_path_of_a_document_is_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "resolver.json"
    path.write_text(json.dumps(RESOLVER))
    assert enrich(iglu_config=path).to_json()["iglu-config"] == str(path)
    assert str(path) in enrich(iglu_config=path).to_argv()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://me:pa55@db:5432/x", "postgresql://***@db:5432/x"),
        ("host=h password = 's x' dbname=d", "host=h password = *** dbname=d"),
        ("password=pa55 user=me", "password=*** user=me"),
        ("https://h/x?token=abc&y=1", "https://h/x?token=***&y=1"),
        ("https://h/x?y=1&api_key=abc#f", "https://h/x?y=1&api_key=***#f"),
        ("https://h/x?y=1&Signature=abc", "https://h/x?y=1&Signature=***"),
        ("jdbc:redshift://h/d;user=me;password=pa55", "jdbc:redshift://h/d;user=me;password=***"),
        ("redshift://USER:PASSWORD@HOST:5439/DATABASE", "redshift://USER:PASSWORD@HOST:5439/DATABASE"),
        ("https://key@registry/x", "https://***@registry/x"),
        ("a token in a sentence", "a token in a sentence"),
        ("postgresql://me:p@55@db:5432/x", "postgresql://***@db:5432/x"),
        ("postgresql://me:p/5?5#@db:5432/x", "postgresql://***@db:5432/x"),
        ("https://me:pa55@db/x?mail=a@b", "https://***@db/x?mail=a@b"),
        ("https://host:8080/x@y and http://h/a@b", "https://host:8080/x@y and http://h/a@b"),
    ],
)
def test_H6_passwords_in_text_are_masked(text: str, masked: str) -> None:
    assert redact(text) == masked


def test_the_passwords_of_a_url_are_found() -> None:
    assert list(passwords_in("postgresql://me:pa55@db/x password='other'")) == ["pa55", "other"]
    assert list(passwords_in("postgresql://me:p@5:5@db/x")) == ["p@5:5"]


# --- the fingerprint ------------------------------------------------------------------------------------------------


def different(one: Settings, other: Settings) -> list[str]:
    return one.fingerprint().differences(other.fingerprint())


def test_the_fingerprint_knows_what_shapes_output_and_nothing_else() -> None:
    made = enrich()
    for changed in ({"workers": 4}, {"master": "none"}, {"split_size": 1 << 20}, {"dry_run": True}, {"run_id": "x"}):
        assert different(made, replace(made, **changed)) == []  # type: ignore[arg-type]
    for name, value in {
        "accept_invalid": True, "try_base64": True, "legacy_enrichment_order": True, "max_record_bytes": 9,
        "etl_timestamp": 5, "compression": "zstd", "adapters": {"adaptersSchemas": {}}, "atomic_limits": {"app_id": 3},
        "enrichments": [{"schema": "a"}], "iglu_config": {"schema": "t"}, "input_folder": "other", "local": True,
        "input_format": "cloudfront", "on_registry_failure": "bad-rows", "bad_folder": "elsewhere",
    }.items():  # fmt: skip
        assert different(made, replace(made, **{name: value})) == [name.replace("_", "-")]


def test_the_fingerprint_is_the_same_in_every_process_and_release() -> None:
    """A change of these digests makes every run that waits start anew."""
    made = enrich(input_folder="/raw", bad_folder="s3://b/bad")
    assert made.fingerprint().to_json() == {
        "digest": "9d410c338466c2c2012b11f5d55945d0ca07922f8c1ee000412ae3622d6141bd",
        "keys": {
            "iglu-config": "f34b3055f1b0a585",
            "input-format": "b30ba7cb94231e24",
            "input-folder": "058e1490cefd9459",
            "bad-folder": "fe99bc3a3529b167",
        },
    }


def test_a_new_setting_at_its_default_changes_no_fingerprint() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Later(EnrichSettings):
        news: bool = flag("--news", help="News.", shapes_output=True)
        limit: int = option("--limit", kind=Number(), default=7, help="A limit.", shapes_output=True)

    made = enrich()
    later = Later(**{each.name: getattr(made, each.name) for each in made.options()})
    assert later.fingerprint() == made.fingerprint()
    assert different(later, replace(later, news=True)) == ["news"]


def test_documents_count_by_their_content(tmp_path: Path) -> None:
    one, other = tmp_path / "a.json", tmp_path / "b.json"
    one.write_text('{"schema":"s","data":{"x":[1,2]}}')
    other.write_text('{\n  "data": {"x": [1, 2]},\n  "schema": "s"}')
    made = enrich(iglu_config=one)
    assert different(made, enrich(iglu_config=other)) == []
    assert different(made, enrich(iglu_config=base64.b64encode(one.read_bytes()).decode())) == []
    assert different(made, enrich(iglu_config={"schema": "s", "data": {"x": [1, 2]}})) == []
    other.write_text('{"schema":"s","data":{"x":[1,3]}}')
    assert different(made, enrich(iglu_config=other)) == ["iglu-config"]


def test_folders_of_documents_count_by_their_content(tmp_path: Path) -> None:
    first, second = ({"schema": f"iglu:v/{name}/jsonschema/1-0-0", "data": {"enabled": True}} for name in "ab")
    for folder, names in (("one", ("a.json", "b.json")), ("two", ("z.json", "c.json"))):
        (tmp_path / folder).mkdir()
        for name, document in zip(names, (first, second), strict=True):
            (tmp_path / folder / name).write_text(json.dumps(document, indent=len(folder)))
    made = enrich(enrichments=tmp_path / "one")
    assert different(made, enrich(enrichments=tmp_path / "two")) == []
    assert different(made, enrich(enrichments=[second, first])) == []
    assert (
        different(made, enrich(enrichments={"schema": "iglu:v/enrichments/jsonschema/1-0-0", "data": [first, second]}))
        == []
    )
    (tmp_path / "two" / "z.json").write_text(json.dumps(first | {"data": {"enabled": False}}))
    assert different(made, enrich(enrichments=tmp_path / "two")) == ["enrichments"]


def test_a_document_that_cannot_be_read_has_no_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(ConfigError, match="x.json, line 1, column 2 is not JSON"):
        enrich(iglu_config=tmp_path / "x.json").fingerprint()


def test_a_changed_secret_changes_the_fingerprint_and_is_not_in_it() -> None:
    salt = {"schema": "pii", "data": {"salt": "pepper123"}}
    made = enrich(enrichments=[salt])
    assert different(made, enrich(enrichments=[{"schema": "pii", "data": {"salt": "other"}}])) == ["enrichments"]
    assert "pepper123" not in json.dumps(with_hashed_secrets(salt))


@pytest.mark.parametrize(
    ("spellings", "canonical"),
    [
        (["s3://b/x", "s3a://b/x/", "s3n://b/x", "S3://b/x//"], "s3://b/x"),
        (["/a/b", "/a/b/", "file:///a/b", "file:/a/b", "FILE://localhost/a/b/", "/a/c/../b"], "file:///a/b"),
        (["hdfs://host/x", "hdfs://host/x/"], "hdfs://host/x"),
    ],
)
def test_one_place_has_one_spelling(spellings: list[str], canonical: str) -> None:
    assert {canonical_location(each) for each in spellings} == {canonical}
    fingerprints = {str(enrich(input_folder=each).fingerprint()) for each in spellings}
    assert len(fingerprints) == 1


def test_a_link_is_the_folder_it_leads_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "raw")
    monkeypatch.chdir(tmp_path)
    assert {canonical_location(each) for each in ("link", "raw", f"{tmp_path}/raw/")} == {f"file://{tmp_path}/raw"}


def test_several_inputs_count_as_a_set() -> None:
    assert different(enrich(input_folder=("a", "b")), enrich(input_folder=("b/", "a"))) == []


def test_a_fingerprint_reads_back() -> None:
    made = enrich().fingerprint()
    assert Fingerprint.from_json(json.loads(json.dumps(made.to_json()))) == made
    assert Fingerprint.from_json(None).differences(made) == sorted(made.keys)


def test_B7_the_target_is_no_part_of_a_run() -> None:
    from snowetl.orchestrator import RunSettings

    given = {"input_folder": "raw", "input_format": "thrift", "output_folder": "out", "iglu_config": "r.json"}
    one = RunSettings(**given, database="postgresql://me@wrong/db")
    other = RunSettings(**given, database="postgresql://me@right/db", schema="web", data_folder="x")
    assert different(replace(one, iglu_config={}), replace(other, iglu_config={})) == []


# --- variables ------------------------------------------------------------------------------------------------------


def test_variables() -> None:
    environment = {"BUCKET": "b", "EMPTY": ""}
    assert interpolate("s3://${BUCKET}/x", environment) == "s3://b/x"
    assert interpolate("${NONE:-fallback}${EMPTY}", environment) == "fallback"
    assert interpolate("$${BUCKET} costs $$5, $HOME stays", environment) == "${BUCKET} costs $$5, $HOME stays"
    assert interpolate({"a": ["${BUCKET}", 1, True, None]}, environment) == {"a": ["b", 1, True, None]}
    with pytest.raises(ValueError, match="the environment variable NONE is not set"):
        interpolate("${NONE}", environment)


def test_variables_do_not_nest() -> None:
    """What a variable holds is data, not YAML and not another variable."""
    assert interpolate("${A}", {"A": "${B}: [x"}) == "${B}: [x"


@given(st.text(st.sampled_from("${}A:-x"), max_size=12))
def test_escaped_text_stays_itself(text: str) -> None:
    assert interpolate(escape(text), {}) == text
