"""How Redshift is reached, and how it reads S3: passwords, IAM logins, roles."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from snowetl.errors import ConfigError, TargetError
from snowetl.jvm import jsontext
from snowetl.load.s3_access import lent_keys

EXAMPLE = "redshift://USER:PASSWORD@HOST:5439/DATABASE"
_KNOWN = ("secret", "parameter", "cluster", "workgroup", "login_role", "external_id", "ssl")


@dataclass(frozen=True, slots=True)
class CopyCredentials:
    """How Redshift reads S3: by the cluster's role ``role_arn``, or by keys of ``assume_role_arn`` lent for a while."""

    role_arn: str | None = None
    assume_role_arn: str | None = None
    role_session_name: str = "rdb_loader"
    ttl_seconds: int = 3600

    def __post_init__(self) -> None:
        if bool(self.role_arn) == bool(self.assume_role_arn):
            what = "both are given" if self.role_arn else "neither is given"
            raise ConfigError(
                "Redshift reads the rows from S3 by a role of the cluster (--role-arn), or with temporary keys of "
                f"another role (--assume-role-arn): {what}; give one (RDB Loader: roleArn, loadAuthMethod TempCreds)"
            )

    def text(self) -> str:
        """The value of ``CREDENTIALS``. Never log it."""
        if self.role_arn:
            return f"aws_iam_role={self.role_arn}"
        keys = lent_keys(str(self.assume_role_arn), self.role_session_name, self.ttl_seconds)
        return f"aws_access_key_id={keys.key};aws_secret_access_key={keys.secret};token={keys.token}"


@dataclass(frozen=True, slots=True)
class IamLogin:
    """A login without a password: Redshift lends one to whoever our AWS role allows, for a quarter of an hour.

    Of a provisioned ``cluster`` (``GetClusterCredentials`` for a user of the database), or of a Serverless
    ``workgroup`` (``GetCredentials``; the user is the role's own). ``role`` is assumed for the question, if given.
    """

    cluster: str | None = None
    workgroup: str | None = None
    role: str | None = None
    external_id: str | None = None

    def lent(self, user: str, database: str, region: str | None) -> tuple[str, str]:
        """User and password. Raises ``TargetError`` with AWS' words."""
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

        try:
            session = self._session()
            if self.cluster is not None:
                found = session.client("redshift", region_name=region).get_cluster_credentials(
                    DbUser=user, DbName=database, ClusterIdentifier=self.cluster, AutoCreate=False
                )
                return str(found["DbUser"]), str(found["DbPassword"])
            found = session.client("redshift-serverless", region_name=region).get_credentials(
                workgroupName=self.workgroup, dbName=database
            )
            return str(found["dbUser"]), str(found["dbPassword"])
        except (BotoCoreError, ClientError) as error:
            what = f"cluster {self.cluster}" if self.cluster else f"workgroup {self.workgroup}"
            passing = isinstance(error, HTTPClientError) or "Throttl" in str(error)
            raise TargetError(f"no login to {what} of Redshift is lent: {error}", transient=passing) from None

    def _session(self) -> Any:
        import boto3

        if self.role is None:
            return boto3.session.Session()
        external = {} if self.external_id is None else {"ExternalId": self.external_id}
        lent = boto3.client("sts").assume_role(RoleArn=self.role, RoleSessionName="snowetl", **external)["Credentials"]
        return boto3.session.Session(lent["AccessKeyId"], lent["SecretAccessKey"], lent["SessionToken"])


@dataclass(frozen=True, slots=True)
class Login:
    """Who connects where. ``keywords`` are those of the driver, without what IAM lends."""

    keywords: dict[str, Any]
    iam: IamLogin | None = None
    region: str | None = None

    def at(self, host: str, port: int) -> Login:
        """The same login at another address: the end of a tunnel."""
        return replace(self, keywords=self.keywords | {"host": host, "port": port})

    def complete(self) -> dict[str, Any]:
        """The driver's keywords with user and password. Never show them. Raises ``TargetError``."""
        if self.iam is None:
            return self.keywords
        user, password = self.iam.lent(self.keywords["user"], self.keywords["database"], self.region)
        return self.keywords | {"user": user, "password": password}


def login_of(url: str, region: str | None = None) -> Login:
    """The login that ``redshift://USER:PASSWORD@HOST:PORT/DATABASE`` describes.

    Instead of the password, the address may say where it is kept: ``?secret=NAME`` (Secrets Manager, JSON with
    ``password`` or plain text), ``?parameter=NAME`` (SSM Parameter Store); or who lends one: ``?cluster=NAME`` or
    ``?workgroup=NAME``, with ``&login_role=ARN`` and ``&external_id=…`` if another role may ask.
    Raises ``ConfigError``.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("redshift", "postgresql") or not parts.hostname or not parts.path.strip("/"):
        raise ConfigError(f"--warehouse redshift needs --database {EXAMPLE}")
    query = dict(parse_qsl(parts.query))
    unknown = sorted(set(query) - set(_KNOWN))
    if unknown:
        raise ConfigError(f"--database: {unknown[0]} is not known; behind ? may stand {', '.join(_KNOWN)}")
    keywords: dict[str, Any] = {
        "host": parts.hostname,
        "port": parts.port or 5439,
        "database": parts.path.strip("/"),
        "user": unquote(parts.username or ""),
        "ssl": query.get("ssl", "true") == "true",
    }
    if "cluster" in query or "workgroup" in query:
        return Login(keywords, _iam(query, keywords["user"], parts.password), region)
    keywords["password"] = unquote(parts.password) if parts.password else _stored_password(query)
    return Login(keywords)


def _iam(query: dict[str, str], user: str, password: str | None) -> IamLogin:
    others = [name for name in ("cluster", "workgroup", "secret", "parameter") if name in query]
    if len(others) > 1 or password:
        ways = " and ".join([f"?{name}=" for name in others] + (["the password"] if password else []))
        raise ConfigError(f"--database has two ways to log in: {ways}; give one")
    if "cluster" in query and not user:
        raise ConfigError("--database names no user: redshift://USER@HOST:5439/DATABASE?cluster=NAME")
    return IamLogin(query.get("cluster"), query.get("workgroup"), query.get("login_role"), query.get("external_id"))


def _stored_password(query: dict[str, str]) -> str:
    import boto3

    if "secret" in query:
        text = str(boto3.client("secretsmanager").get_secret_value(SecretId=query["secret"])["SecretString"])
        with suppress(jsontext.JsonError, KeyError, TypeError):
            return str(jsontext.loads(text)["password"])
        return text
    if "parameter" in query:
        found = boto3.client("ssm").get_parameter(Name=query["parameter"], WithDecryption=True)
        return str(found["Parameter"]["Value"])
    raise ConfigError(
        "--database has no password: write it, or where it is kept (?secret=NAME, ?parameter=NAME), or who lends one "
        "(?cluster=NAME, ?workgroup=NAME)"
    )
