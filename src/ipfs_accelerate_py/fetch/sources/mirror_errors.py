"""Errors of fsspec's backends that concern a mirror as a whole, and not a file."""

from __future__ import annotations

from collections.abc import Iterator

from ...errors import SourceDown

# The errors of the backends' clients for a server that does not answer, besides the built-in ConnectionError and
# TimeoutError: aiohttp (gs), botocore (s3), azure-core (az).
_NO_ANSWER = {"ClientConnectionError", "HTTPClientError", "ServiceRequestError", "gaierror"}
# Answers that concern the mirror as a whole: of a web server, and of S3
# (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
_OUT_OF_ORDER = {429, 502, 503}
_NO_USE = {"NoSuchBucket", "SlowDown"}
# Logins that are missing or wrong. AccessDenied is none of these: S3 also answers so for a missing file if we may not
# list the bucket. XAdminUserNotFound: versitygw, for a key that it does not know.
_NO_LOGIN = {"NoCredentialsError", "PartialCredentialsError", "ClientAuthenticationError", "RefreshError"}
_NO_LOGIN |= {"DefaultCredentialsError", "AuthenticationException"}
_WRONG_LOGIN = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "XAdminUserNotFound"}
_KEYS_OF_S3 = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or FSSPEC_S3_ANON=true for a bucket that is open to all"
_KEYS = "give the credentials that its fsspec backend reads"


def read_error(error: BaseException, scheme: str) -> SourceDown | None:
    """SourceDown for an error that concerns the mirror as a whole; None where it is about this file alone.

    fsspec raises FileNotFoundError for most failures; the client's error is its cause.
    """
    hint = _KEYS_OF_S3 if scheme == "s3" else _KEYS
    for cause in _causes(error):
        names = {kind.__name__ for kind in type(cause).__mro__}
        if names & _NO_LOGIN:
            return SourceDown(f"it wants a login: {type(cause).__name__}", hint)
        if isinstance(cause, ConnectionError | TimeoutError) or names & _NO_ANSWER:
            return SourceDown(f"it does not answer: {type(cause).__name__}")
        if (status := getattr(cause, "status", None)) in _OUT_OF_ORDER:
            return SourceDown(f"it answered {status}")
        response = getattr(cause, "response", None)
        code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
        if code in _NO_USE:
            return SourceDown(f"it answered {code}")
        if code in _WRONG_LOGIN:
            return SourceDown(f"it refused the login: {code}", hint)
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
