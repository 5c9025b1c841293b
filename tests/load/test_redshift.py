"""What is Redshift's own: its statements parse as Redshift's, credentials, errors. On the stand-in and a real S3."""

import json

import boto3
import pytest
import sqlglot

from snowetl.cli.main import main
from snowetl.errors import ConfigError, LoadError, TargetError
from snowetl.jvm import jsontext
from snowetl.jvm.json_number import JsonNumber
from snowetl.load.warehouses.redshift import RedshiftWarehouse
from snowetl.load.warehouses.redshift.login import CopyCredentials, Login, login_of
from tests.load.places import start
from tests.load.places.on_s3 import BUCKET
from tests.load.places.redshift import ROLE
from tests.load.redshift_standin import StandIn
from tests.load.runs import CLICK, ID, click_line, event_line, make_run, schema
from tests.transform.support import line


@pytest.fixture
def redshift(request):
    StandIn.statements.clear()
    return start("redshift", request)


def test_widening_runs_before_the_transaction_and_columns_are_added_inside(redshift, tmp_path):
    redshift.load(make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5")]))
    later = CLICK | {"1-0-1": schema(url={"type": "string", "maxLength": 20}, n={"type": "integer"},
                                     t={"type": "string"}, required=["url"])}  # fmt: skip
    run = make_run(tmp_path, [event_line(2)], [click_line(2, "y" * 20, "\\N", "t", version="1-0-1")],
                   types=("1-0-1",), run="run=2026-02-01-00-00-00")  # fmt: skip
    StandIn.statements.clear()
    redshift.load(run, click=later)
    told = StandIn.statements
    widen = next(i for i, text in enumerate(told) if "TYPE VARCHAR(20)" in text)
    add = next(i for i, text in enumerate(told) if "ADD COLUMN" in text)
    assert widen < add < next(i for i, text in enumerate(told) if text.startswith("COPY"))
    assert redshift.query("SELECT url, t FROM atomic.com_acme_click_1 ORDER BY root_id") == [
        ("x", None),
        ("y" * 20, "t"),
    ]


def test_a_vacuum_is_a_statement_of_its_own_for_each_table(redshift, tmp_path):
    redshift.load(make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5")]))
    StandIn.statements.clear()
    with redshift.open() as warehouse, warehouse.session() as session:
        for table in ("events", "com_acme_click_1"):
            session.vacuum(table)
    assert [each for each in StandIn.statements if "VACUUM" in each] == [
        "VACUUM SORT ONLY atomic.events",
        "VACUUM SORT ONLY atomic.com_acme_click_1",
    ]
    counted = "SELECT relname FROM pg_stat_all_tables WHERE schemaname = 'atomic' AND vacuum_count > 0 ORDER BY 1"
    assert redshift.query(counted) == [("com_acme_click_1",), ("events",)]


def test_every_statement_parses_as_redshift(redshift, tmp_path):
    redshift.load(make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5")]))
    for statement in StandIn.statements:
        assert sqlglot.parse_one(statement, read="redshift", error_level=sqlglot.ErrorLevel.RAISE)
    copies = [text for text in StandIn.statements if text.startswith("COPY")]
    assert copies[0].endswith(
        "MAXERROR 10 TIMEFORMAT 'auto' DELIMITER '\t' EMPTYASNULL FILLRECORD TRUNCATECOLUMNS ACCEPTINVCHARS GZIP"
    )
    assert copies[0].startswith('COPY atomic.events ("app_id","platform",')
    assert copies[1].startswith('COPY atomic.com_acme_click_1 ("schema_vendor",')
    assert "/name=click/format=tsv/model=1/' CREDENTIALS" in copies[1]


def test_temporary_credentials_are_lent(aws):
    credentials = CopyCredentials(assume_role_arn="arn:aws:iam::123456789012:role/copy")
    assert credentials.text().startswith("aws_access_key_id=")
    assert ";token=" in credentials.text()


def test_configuration_faults_are_named():
    with pytest.raises(ConfigError, match="--role-arn.*--assume-role-arn.*neither"):
        CopyCredentials()
    with pytest.raises(ConfigError, match="not a schema name"):
        RedshiftWarehouse(Login({}), ROLE, "eu-west-1", schema="a; DROP")


def test_a_cluster_that_does_not_answer_is_named():
    connection = {"host": "127.0.0.1", "port": 1, "database": "dev", "user": "u", "password": "secret"}
    with (
        pytest.raises(TargetError, match="cannot connect to redshift://127.0.0.1/dev") as caught,
        RedshiftWarehouse(Login(connection), ROLE, "eu-west-1").session(),
    ):
        pass
    assert "secret" not in str(caught.value)


def test_the_password_may_be_kept_elsewhere(aws):
    boto3.client("secretsmanager").create_secret(Name="dwh", SecretString='{"password": "s3cret"}')
    boto3.client("ssm").put_parameter(Name="/dwh", Value="par", Type="SecureString")
    keywords = login_of("redshift://jo@cluster.example:5440/dev?secret=dwh").complete()
    assert keywords == {
        "host": "cluster.example", "port": 5440, "database": "dev", "user": "jo", "password": "s3cret", "ssl": True,
    }  # fmt: skip
    assert login_of("redshift://jo@h/dev?parameter=/dwh").complete()["password"] == "par"
    assert login_of("redshift://jo:p%40ss@h/dev").complete()["password"] == "p@ss"
    with pytest.raises(ConfigError, match="no password"):
        login_of("redshift://jo@h/dev")


def test_iam_lends_a_login_each_time_it_is_asked(aws):
    boto3.client("redshift").create_cluster(
        ClusterIdentifier="dwh", NodeType="ra3.xlplus", MasterUsername="root", MasterUserPassword="Passw0rd"
    )
    login = login_of("redshift://loader@h/dev?cluster=dwh", "eu-west-1")
    one, two = login.complete(), login.complete()
    assert one["user"] == "IAM:loader" and one["password"] and one["password"] != two["password"]
    assert (one["host"], one["database"]) == ("h", "dev")
    role = "arn:aws:iam::123456789012:role/login"
    by_role = login_of(f"redshift://loader@h/dev?cluster=dwh&login_role={role}&external_id=snowetl", "eu-west-1")
    assert by_role.complete()["user"] == "IAM:loader"
    with pytest.raises(TargetError, match="no login to cluster nobody of Redshift is lent: .*ClusterNotFound"):
        login_of("redshift://loader@h/dev?cluster=nobody", "eu-west-1").complete()


def test_serverless_lends_a_login_by_workgroup(monkeypatch):
    """``GetCredentials``, checked against AWS' own description of the service: moto has none of it."""
    from botocore.session import get_session
    from botocore.stub import Stubber

    client = boto3.client(
        "redshift-serverless", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    assert "GetCredentials" in get_session().get_service_model("redshift-serverless").operation_names
    monkeypatch.setattr(boto3.session.Session, "client", lambda self, name, region_name: client)
    with Stubber(client) as stub:
        lent = {"dbUser": "IAMR:loader", "dbPassword": "p"}
        stub.add_response("get_credentials", lent, {"workgroupName": "team", "dbName": "dev"})
        found = login_of("redshift://h/dev?workgroup=team", "eu-west-1").complete()
    assert (found["user"], found["password"]) == ("IAMR:loader", "p")


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("redshift://jo:p@h/dev?cluster=c", r"two ways to log in: \?cluster= and the password"),
        ("redshift://jo@h/dev?cluster=c&secret=s", r"\?cluster= and \?secret="),
        ("redshift://h/dev?cluster=c", "names no user"),
        ("redshift://jo@h/dev?clster=c", "clster is not known; behind"),
    ],
)
def test_logins_that_contradict_themselves_are_refused(url, fault):
    with pytest.raises(ConfigError, match=fault):
        login_of(url)


def test_copies_have_more_time_than_other_statements(redshift, tmp_path):
    redshift.load(make_run(tmp_path, [event_line(1)]))
    told = StandIn.statements
    assert told[0] == "SET statement_timeout TO 600000"
    copy = next(number for number, text in enumerate(told) if text.startswith("COPY"))
    assert told[copy - 1] == "SET statement_timeout TO 2700000" and told[copy + 1] == "SET statement_timeout TO 600000"
    lock = next(number for number, text in enumerate(told) if text.startswith("LOCK"))
    assert told[lock - 1] == "SET statement_timeout TO 0"


def test_bad_rows_are_copied_from_s3_and_taken_apart(redshift, tmp_path):
    rows = [
        {"schema": "iglu:com.snowplowanalytics.snowplow.badrows/generic_error/jsonschema/1-0-0",
         "data": {"processor": {"artifact": "snowetl", "version": "1.0.0"},
                  "failure": {"timestamp": "2026-01-02T03:04:05.678Z", "errors": ["x"]}, "payload": {"a": [1]}}},
        {"other": "JSON"},
    ]  # fmt: skip
    lines = [*map(json.dumps, rows), "not JSON"]
    client = boto3.client("s3")
    for key, body in (("bad/run=1/a.txt", "\n".join(lines)), ("bad/run=1/b.txt", lines[0]), ("bad/c.txt", lines[0])):
        client.put_object(Bucket=BUCKET, Key=key, Body=body.encode())
    report = redshift.load(make_run(tmp_path, [event_line(1)]), bad=f"s3://{BUCKET}/bad/")
    assert (report.tables[-1].table, report.tables[-1].rows, report.tables[-1].rejected) == ("atomic.bad_rows", 4, 1)
    found = redshift.query(
        "SELECT type, failure_tstamp::text, processor, failure #>> '{errors,0}', payload::text FROM atomic.bad_rows "
        "ORDER BY type LIMIT 1"
    )
    assert found == [("generic_error", "2026-01-02 03:04:05.678", "snowetl 1.0.0", "x", '{"a": [1]}')]
    assert redshift.query("SELECT count(*) FROM atomic.bad_rows WHERE type = 'unreadable'") == [(1,)]
    assert redshift.query("SELECT bad_rows FROM atomic.manifest") == [(5,)]
    copies = [text for text in StandIn.statements if "noshred" in text]
    assert [text.split("'")[1].rpartition("/bad/")[2] for text in copies] == ["c.txt", "run=1/"]


def test_bad_rows_elsewhere_are_not_for_redshift(redshift, tmp_path):
    (tmp_path / "bad.txt").write_text("{}\n")
    with pytest.raises(LoadError, match="reads bad rows from S3, not .*leave --bad-rows out"):
        redshift.load(make_run(tmp_path, [event_line(1)]), bad=str(tmp_path / "bad.txt"))


def test_a_column_whose_encoding_forbids_it_stays_and_the_load_warns(redshift, tmp_path):
    kind = lambda *members: schema(kind={"type": "string", "enum": list(members)})  # noqa: E731
    first, later = {"1-0-0": kind("a", "bb")}, {"1-0-0": kind("a", "bb"), "1-0-1": kind("a", "bb", "cccc")}
    redshift.load(make_run(tmp_path, [event_line(1)], [click_line(1, "bb")]), click=first)
    run = make_run(tmp_path, [event_line(2)], [click_line(2, "cccc", version="1-0-1")],
                   types=("1-0-1",), run="run=2026-02-01-00-00-00")  # fmt: skip
    report = redshift.load(run, click=later)
    assert "text255 encoding" in report.warnings[0] and "texts are cut" in report.warnings[0]
    assert redshift.query("SELECT kind FROM atomic.com_acme_click_1 ORDER BY root_id") == [("bb",), ("cc",)]


def test_nul_characters_do_not_end_a_row(tmp_path):
    document = schema(text={"type": "string", "maxLength": 8})
    run = transformed(tmp_path, document, [{"text": "a\x00b"}], page_title="c\x00d")
    import gzip

    texts = [gzip.decompress(path.read_bytes()) for path in run.glob("output=good/**/*.gz")]
    assert texts and not any(b"\x00" in text for text in texts)
    assert any(b"a b" in text for text in texts) and any(b"c d" in text for text in texts)


def test_rows_that_copy_refuses_are_counted_up_to_max_error(redshift, tmp_path):
    clicks = [click_line(1, "x", "5"), *(click_line(number, "x", "no number") for number in range(9))]
    report = redshift.load(make_run(tmp_path, [event_line(1)], clicks))
    assert [(table.rows, table.rejected) for table in report.tables] == [(1, 0), (1, 9)]


def test_a_table_with_max_error_refused_rows_is_not_loaded(redshift, tmp_path):
    clicks = [click_line(1, "x", "5"), *(click_line(number, "x", "no number") for number in range(10))]
    with pytest.raises(LoadError, match="stl_load_errors"):
        redshift.load(make_run(tmp_path, [event_line(1)], clicks))
    assert redshift.query("SELECT count(*) FROM atomic.events") == [(0,)]


def test_L8_values_that_no_column_holds_are_loaded_beside_their_rows(redshift, tmp_path):
    """From enriched lines to the tables, the message of the run naming no such folder: RDB Loader sees none."""
    document = schema(required=["n"], n={"type": "integer"}, whole={"multipleOf": 1}, x={"type": "number"},
                      at={"type": "string", "format": "date-time"}, text={"type": "string", "maxLength": 4},
                      code={"type": "string", "minLength": 2, "maxLength": 2})  # fmt: skip
    data = [
        {"n": 7, "whole": JsonNumber("5.0"), "x": 1.5, "at": "2026-03-04T12:00:00+02:00", "code": "DE", "text": "abcd"},
        {"n": 10**20, "whole": "five", "x": JsonNumber("1e400"), "at": "0000-01-01T00:00:00Z", "code": "ÄÖ",
         "text": "äbcd"},
    ]  # fmt: skip
    run = transformed(tmp_path, document, data, refr_dvce_tstamp="+12026-01-01 00:00:00.000", tr_total="1.0E7")
    assert "rejected_values" not in (run / "shredding_complete.json").read_text()
    report = redshift.load(str(run), click={"1-0-0": document})
    assert [(table.table, table.rows, table.rejected) for table in report.tables] == [
        ("atomic.events", 2, 0), ("atomic.com_acme_click_1", 2, 0), ("atomic.rejected_values", 8, 0),
    ]  # fmt: skip
    clicks = 'SELECT n, whole, x, "at"::text, code, text FROM atomic.com_acme_click_1 ORDER BY root_id'
    assert redshift.query(clicks) == [
        (7, 5, 1.5, "2026-03-04 10:00:00", "DE", "abcd"),
        (None, None, None, None, None, "äbc"),
    ]  # fmt: skip
    assert redshift.query("SELECT DISTINCT refr_dvce_tstamp, tr_total::int FROM atomic.events") == [(None, 10_000_000)]
    noted = dict(redshift.query("SELECT column_name, value FROM atomic.rejected_values"))
    assert noted == {
        "n": str(10**20), "whole": '"five"', "x": "1e400", "at": '"0000-01-01T00:00:00Z"', "code": '"ÄÖ"',
        "text": '"äbcd"', "refr_dvce_tstamp": '"+12026-01-01T00:00:00Z"',
    }  # fmt: skip


def transformed(folder, document, data, **columns):
    """A run folder made by ``snowetl transform --target redshift`` of events with one com.acme/click each."""
    meta = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"
    own = {"vendor": "com.acme", "name": "click", "format": "jsonschema", "version": "1-0-0"}
    file = folder / "iglu/schemas/com.acme/click/jsonschema/1-0-0"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(document | {"$schema": meta, "self": own}))
    repository = {"name": "Folder", "priority": 0, "vendorPrefixes": [],
                  "connection": {"http": {"uri": (folder / "iglu").as_uri()}}}  # fmt: skip
    (folder / "resolver.json").write_text(json.dumps({
        "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-1",
        "data": {"cacheSize": 100, "repositories": [repository]},
    }))  # fmt: skip
    run = folder / "enriched/run=2026-03-05-00-00-00"
    run.mkdir(parents=True)
    lines = []
    for number, value in enumerate(data):
        entity = {"schema": "iglu:com.acme/click/jsonschema/1-0-0", "data": value}
        wrapped = {"schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0", "data": entity}
        lines.append(line(event_id=ID.format(number), unstruct_event=jsontext.dumps(wrapped), **columns))
    (run / "part-0.txt").write_text("".join(f"{text}\n" for text in lines))
    code = main(["transform", "--target", "redshift", "-i", str(folder / "enriched"), "-o", str(folder / "out"),
                 "--master", "none", "--iglu-config", str(folder / "resolver.json")])  # fmt: skip
    assert code == 0
    return folder / "out/run=2026-03-05-00-00-00"
