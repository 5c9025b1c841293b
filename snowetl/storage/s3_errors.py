"""Errors of S3 in the user's words: what, where, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    ResponseStreamingError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from snowetl.errors import SnowetlError, StorageError, UsageError

ABSENT = ("404", "NoSuchKey", "NotFound")
DENIED = ("403", "AccessDenied")

_CREDENTIALS = "check the AWS credentials of this process (environment, profile or instance role)"
_REMEDIES: dict[str, tuple[type[SnowetlError], str]] = {
    "NoSuchBucket": (UsageError, "there is no such bucket; check its name"),
    **dict.fromkeys(ABSENT, (UsageError, "there is no such object; check the path")),
    "InvalidBucketName": (UsageError, "that is not a valid bucket name; check the url"),
    **dict.fromkeys(
        DENIED, (StorageError, "access denied; check that the role or user may do this there, and the key policy")
    ),
    "AllAccessDisabled": (StorageError, "access to the bucket is disabled; ask its owner"),
    "InvalidAccessKeyId": (StorageError, f"the access key is unknown; {_CREDENTIALS}"),
    "SignatureDoesNotMatch": (StorageError, f"the secret key is wrong; {_CREDENTIALS}"),
    "ExpiredToken": (StorageError, f"the session has expired; renew it, or {_CREDENTIALS}"),
    "InvalidToken": (StorageError, f"the session token is not accepted; {_CREDENTIALS}"),
    "PermanentRedirect": (UsageError, "the bucket is in another region; set AWS_REGION to it"),
    "AuthorizationHeaderMalformed": (UsageError, "the bucket is in another region; set AWS_REGION to it"),
    "InvalidObjectState": (UsageError, "the object is archived (Glacier); restore it first"),
}
_PASSING_CODES = frozenset(
    {
        "500", "502", "503", "504", "InternalError", "SlowDown", "ServiceUnavailable", "RequestTimeout",
        "RequestTimeTooSkewed", "Throttling", "ThrottlingException", "TooManyRequestsException",
    }
)  # fmt: skip


def code_of(error: BaseException | None) -> str:
    """The code S3 answered with; ``""`` for errors that are not answers of S3."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def is_passing(error: BaseException) -> bool:
    """Whether trying again may help."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return code_of(error) in _PASSING_CODES or status >= 500
    return isinstance(
        error, (IncompleteReadError, ResponseStreamingError, HTTPClientError, ConnectionError, OSError)
    ) and not isinstance(error, SnowetlError)


@contextmanager
def explained(url: str, verb: str) -> Iterator[None]:
    """Turn errors of botocore into ours."""
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        text = str(error.response.get("Error", {}).get("Message", ""))
        kind, remedy = _REMEDIES.get(code, (StorageError, f"S3 answers {code} {text}; try again later"))
        raise kind(f"cannot {verb} {url}: {remedy}") from error
    except ProfileNotFound as error:
        raise UsageError(
            f"cannot {verb} {url}: {error}. AWS_PROFILE names a profile of ~/.aws/config: correct or unset it"
        ) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise UsageError(
            f"cannot {verb} {url}: no AWS credentials found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or "
            "AWS_PROFILE, or run where a role is attached (a server of your own: AWS_ENDPOINT_URL_S3)"
        ) from error
    except (TokenRetrievalError, UnauthorizedSSOTokenError) as error:
        raise UsageError(f"cannot {verb} {url}: {error}; sign in again (aws sso login)") from error
    except ParamValidationError as error:
        raise UsageError(f"cannot {verb} {url}: that is not a valid bucket or key; check the url") from error
    except EndpointConnectionError as error:
        raise StorageError(
            f"cannot {verb} {url}: {error}; check the network, AWS_REGION and AWS_ENDPOINT_URL_S3"
        ) from error
    except (BotoCoreError, OSError) as error:
        raise StorageError(f"cannot {verb} {url}: {error}; check the network and run again") from error
