"""Every answer that is not 2xx: RFC 9457 problem details, which never echo the input."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import msgspec
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from ecg.errors import InputError

MEDIA_TYPE: Final = "application/problem+json"


class FieldError(msgspec.Struct, frozen=True):
    """One field that was refused, why, and what would be accepted."""

    field: str
    problem: str
    accepted: str


class Problem(msgspec.Struct, frozen=True):
    """RFC 9457 problem details; `code` is for programs, `detail` for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldError]
    request_id: str


@dataclass(frozen=True)
class Kind:
    """A kind of problem, with the example that the API's description shows."""

    code: str
    status: int
    example: str
    errors: tuple[FieldError, ...] = ()


MALFORMED: Final = Kind("malformed_json", 400, "The body is not valid JSON, near byte 20.")
FORM: Final = Kind("malformed_form", 400, "The body is not valid multipart/form-data.")
NOT_FOUND: Final = Kind("not_found", 404, "Nothing is served at this address.")
UNKNOWN_MODEL: Final = Kind("unknown_model", 404, "No such model; known: convxgb.")
METHOD: Final = Kind("method_not_allowed", 405, "This address takes POST.")
STALLED: Final = Kind("stalled", 408, "Nothing of the body came for 30 seconds.")
NOT_ACCEPTABLE: Final = Kind(
    "not_acceptable",
    406,
    "Accept application/json, text/csv or application/x-wfdb-annotation.",
)
TOO_LARGE: Final = Kind("body_too_large", 413, "A request may hold up to 33554432 bytes.")
MEDIA: Final = Kind("unsupported_media_type", 415, "Send application/json.")
INVALID: Final = Kind(
    "invalid_input",
    422,
    "beats[0][3]: is a string; accepted: a finite number",
    (FieldError("beats[0][3]", "is a string", "a finite number"),),
)
QUERY: Final = Kind(
    "unknown_query",
    422,
    "query: holds an unknown parameter; accepted: no parameters",
    (FieldError("query", "holds an unknown parameter", "no parameters"),),
)
NOT_READY: Final = Kind(
    "not_ready",
    503,
    "models/convxgb/recording.onnx is not the file that the manifest names (SHA-256)",
)
BUSY: Final = Kind("busy", 503, "Too many large requests at once; try again in a second.")
INTERNAL: Final = Kind("internal", 500, "An error of the service; the request id names it.")


class ProblemError(Exception):
    """Raised where a request is refused; answered as problem details."""

    def __init__(
        self,
        kind: Kind,
        detail: str | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(kind.code)
        self.kind = kind
        self.detail = kind.example if detail is None else detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


def invalid(field: str, problem: str, accepted: str) -> ProblemError:
    """Return the 422 problem of one field."""
    detail = f"{field}: {problem}; accepted: {accepted}"
    return ProblemError(INVALID, detail, [FieldError(field, problem, accepted)])


def body(
    kind: Kind, detail: str, errors: Sequence[FieldError] = (), request_id: str = ""
) -> Problem:
    """Return the problem details of one refusal."""
    title = HTTPStatus(kind.status).phrase
    return Problem("about:blank", title, kind.status, detail, kind.code, list(errors), request_id)


def response(error: ProblemError, request_id: str) -> Response:
    """Return the answer to a refused request."""
    details = body(error.kind, error.detail, error.errors, request_id)
    return Response(
        msgspec.json.encode(details), error.kind.status, error.headers, media_type=MEDIA_TYPE
    )


async def answer_problem(request: Request, error: Exception) -> Response:
    """Answer a ProblemError, an InputError or one of the framework's own refusals."""
    return response(_as_problem(error), request.scope.get("request_id", ""))


def _as_problem(error: Exception) -> ProblemError:
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, InputError):
        return invalid(error.field, error.problem, error.accepted)
    if isinstance(error, HTTPException):
        return _of_framework(error)
    if isinstance(error, RequestValidationError):
        return invalid("request", "is not what this address takes", "see /docs")
    return ProblemError(INTERNAL)


def _of_framework(error: HTTPException) -> ProblemError:
    if error.status_code == METHOD.status:
        allow = (error.headers or {}).get("allow") or (error.headers or {}).get("Allow")
        allow = allow or "GET, HEAD"
        return ProblemError(METHOD, f"This address takes {allow}.", headers={"Allow": allow})
    if error.status_code == NOT_FOUND.status:
        return ProblemError(NOT_FOUND)
    if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        return ProblemError(Kind("refused", error.status_code, "The request was refused."))
    return ProblemError(INTERNAL)
