"""From a request's bytes to a Struct, or to a problem that names the field."""

import re
from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec
from fastapi import Request

from app.problems import MALFORMED, MEDIA, QUERY, FieldError, ProblemError, invalid

T = TypeVar("T")

BODY: Final = "body"
"""The field's name where the whole body is at fault."""

_PATH: Final = re.compile(r" - at `\$([^`]{0,80})`$")
_MISSING: Final = re.compile(r"^Object missing required field `(\w+)`")
_BYTE: Final = re.compile(r"\(byte (\d+)\)$")
_GOT: Final = re.compile(r"^Expected `[^`]+`, got `(\w+)`")
_WORDS: Final = {
    "str": "is a string",
    "bool": "is a boolean",
    "null": "is null",
    "array": "is an array",
    "object": "is an object",
    "int": "is a whole number",
    "float": "is not a whole number",
}


async def json_body(request: Request) -> bytes:
    """Return the body of a request that says it is JSON, or says nothing.

    Raises ProblemError (415) for any other media type.
    """
    given = request.headers.get("content-type", "application/json")
    if given.split(";")[0].strip().lower() != "application/json":
        raise ProblemError(MEDIA, "Send the body as application/json.")
    return await request.body()


def decode(decoder: msgspec.json.Decoder[T], body: bytes, accepted: Mapping[str, str]) -> T:
    """Return the Struct that `body` holds.

    accepted: what each path takes, in words. Raises ProblemError: 400 when `body` is not JSON,
    422 when it is not what `decoder` takes. No text of the body enters the problem.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _refusal(str(error), accepted) from None
    except UnicodeDecodeError:
        raise ProblemError(MALFORMED, "The body is not valid UTF-8.") from None
    except msgspec.DecodeError as error:
        raise ProblemError(MALFORMED, _malformed(str(error))) from None
    except RecursionError:
        raise ProblemError(MALFORMED, "The body is nested too deeply.") from None


def query(kind: type[T], request: Request, accepted: Mapping[str, str]) -> T:
    """Return the Struct that the query parameters hold.

    Raises ProblemError (422) for one that is unknown, given twice, or not what is accepted.
    """
    given = dict(request.query_params)
    if len(given) < len(request.query_params.multi_items()) or not given.keys() <= accepted.keys():
        known = ", ".join(name for name in accepted if name)
        refused = FieldError("query", "holds an unknown parameter, or one twice", known)
        raise ProblemError(QUERY, f"query: {refused.problem}; accepted: {known}", [refused])
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        name = _path(str(error), accepted)
        raise invalid(name, "is not what is accepted", accepted[name]) from None


async def refuse_query(request: Request) -> None:
    """Refuse query parameters where none is taken: a misspelt one would be ignored."""
    if request.scope["query_string"]:
        raise ProblemError(QUERY, errors=QUERY.errors)


def refuse_twice(body: bytes, keys: tuple[str, ...]) -> None:
    """Refuse a top-level key that is given twice: parsers disagree on which one counts."""
    found = re.findall(rb'"(%s)"\s*:' % "|".join(keys).encode(), body)
    if len(found) > len(set(found)):
        twice = next(key for key in found if found.count(key) > 1).decode()
        raise invalid(twice, "is given twice", "each key once")


def _malformed(message: str) -> str:
    at = _BYTE.search(message)
    where = f", near byte {at.group(1)}" if at else ""
    return f"The body is not valid JSON{where}."


def _refusal(message: str, accepted: Mapping[str, str]) -> ProblemError:
    path = _path(message, accepted)
    missing = _MISSING.match(message)
    if missing:
        path = f"{path}.{missing.group(1)}".lstrip(".")
    words = accepted.get(_pattern(path), accepted[""])
    return invalid(path or BODY, _words(message), words)


def _path(message: str, accepted: Mapping[str, str]) -> str:
    # A key of the client's may itself hold text like a path: only paths of ours pass.
    found = _PATH.search(message)
    path = found.group(1).lstrip(".") if found else ""
    return path if _pattern(path) in accepted else ""


def _pattern(path: str) -> str:
    return re.sub(r"\[\d+\]", "[]", path)


def _words(message: str) -> str:
    if message.startswith("Object contains unknown field"):
        return "holds an unknown key"
    if _MISSING.match(message):
        return "is missing"
    got = _GOT.match(message)
    if got:
        return _WORDS.get(got.group(1), "is of another type")
    if "of length" in message:
        return "has another length"
    return "is out of range"
