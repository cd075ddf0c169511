"""What /openapi.json and /docs say: schemas of the Structs, and an example for each status."""

from typing import Any, Final

import msgspec
from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi

from app import openapi_examples, problems, record_schemas, schemas
from app.problems import Kind

ALWAYS: Final = (problems.METHOD,)
READ: Final = (problems.METHOD, problems.QUERY, problems.NOT_READY)
READ_ONE: Final = (problems.UNKNOWN_MODEL, *READ)
_BODY: Final = (
    problems.METHOD,
    problems.STALLED,
    problems.TOO_LARGE,
    problems.MEDIA,
    problems.INVALID,
    problems.QUERY,
    problems.BUSY,
)
ANNOTATIONS: Final = (problems.MALFORMED, *_BODY)
CLASSIFY: Final = (problems.MALFORMED, *_BODY, problems.NOT_READY)
RECORDS: Final = (problems.FORM, problems.NOT_ACCEPTABLE, *_BODY, problems.NOT_READY)

DESCRIPTION: Final = """Reads an electrocardiogram's beats and says of each which AAMI class it is
and how sure it is: N (normal and bundle branch block), S (supraventricular ectopic), V (ventricular
ectopic), F (fusion), Q (paced or unclassifiable).

For research and education. Not a medical device."""

_DESCRIPTIONS: Final = {
    400: "The body is malformed",
    404: "Not here",
    405: "Another method is wanted; `Allow` names it",
    406: "None of the media types is wanted that can be given",
    408: "The body did not come",
    413: "The body is too large",
    415: "The body is of another type, or is compressed",
    422: "A field is not what is accepted; `errors` names it",
    503: "Not ready, or too busy; try again",
}
_REF: Final = "#/components/schemas/{name}"
_STRUCTS: Final = (
    schemas.BeatsRequest,
    schemas.CompatBeat,
    schemas.BeatsAnswer,
    schemas.ModelList,
    record_schemas.RecordAnswer,
    record_schemas.AnnotationsRequest,
    record_schemas.Limits,
    schemas.Live,
    schemas.Ready,
    problems.Problem,
)


def takes_beats(request: object, answer: type) -> dict[str, Any]:
    """Return the decorator's arguments of a route that takes beats as JSON."""
    (schema,), _ = msgspec.json.schema_components([request], ref_template=_REF)
    is_compat = request is schemas.CompatRequest
    content = {
        "schema": schema,
        "example": openapi_examples.compat() if is_compat else openapi_examples.beats(),
    }
    body = {"required": True, "content": {"application/json": content}}
    return {**gives(answer, CLASSIFY), "openapi_extra": {"requestBody": body}}


def takes_files(medias: tuple[str, ...]) -> dict[str, Any]:
    """Return the decorator's arguments of a route that takes files; JSON is its first media."""
    files = {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}}
    schema = {"type": "object", "required": ["files"], "properties": {"files": files}}
    body = {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    described = gives(record_schemas.RecordAnswer, RECORDS)
    content = described["responses"][200]["content"]
    content |= {media: {"schema": {"type": "string"}} for media in medias[1:]}
    extra = {"requestBody": body, "parameters": _parameters(record_schemas.RecordQuery)}
    return {**described, "openapi_extra": extra}


def takes_annotations(media: str) -> dict[str, Any]:
    """Return the decorator's arguments of a route that answers an annotation file."""
    (schema,), _ = msgspec.json.schema_components(
        [record_schemas.AnnotationsRequest], ref_template=_REF
    )
    content = {"application/json": {"schema": schema, "example": openapi_examples.ANNOTATIONS}}
    ok = {"description": "The file", "content": {media: {"schema": {"type": "string"}}}}
    return {
        "response_class": Response,
        "responses": {200: ok, **_refusals(ANNOTATIONS)},
        "openapi_extra": {"requestBody": {"required": True, "content": content}},
    }


def gives(answer: type, kinds: tuple[Kind, ...]) -> dict[str, Any]:
    """Return the decorator's arguments of a route that answers `answer` or one of `kinds`."""
    (schema,), _ = msgspec.json.schema_components([answer], ref_template=_REF)
    content = {"schema": schema, "example": openapi_examples.OF[answer]}
    ok = {"description": "The answer", "content": {"application/json": content}}
    return {"response_class": Response, "responses": {200: ok, **_refusals(kinds)}}


def gives_text(media: str, example: str) -> dict[str, Any]:
    """Return the decorator's arguments of a route that answers text."""
    content = {media: {"schema": {"type": "string"}, "example": example}}
    ok = {"description": "The answer", "content": content}
    return {"response_class": Response, "responses": {200: ok, **_refusals(ALWAYS)}}


def document(app: FastAPI, max_beats: int) -> bytes:
    """Return /openapi.json: the routes of `app` with the schemas of all Structs."""
    found = get_openapi(
        title="Beatwise", version=app.version, description=DESCRIPTION, routes=app.routes
    )
    _, components = msgspec.json.schema_components(_STRUCTS, ref_template=_REF)
    components["BeatsRequest"]["properties"]["beats"]["maxItems"] = max_beats
    found["components"] = {"schemas": components}
    return msgspec.json.encode(found)


def _parameters(query: type) -> list[dict[str, Any]]:
    schema = msgspec.json.schema(query)["$defs"][query.__name__]
    return [
        {"name": name, "in": "query", "required": False, "schema": field}
        for name, field in schema["properties"].items()
    ]


def _refusals(kinds: tuple[Kind, ...]) -> dict[int | str, Any]:
    return {status: _refusal(status, kinds) for status in sorted({k.status for k in kinds})}


def _refusal(status: int, kinds: tuple[Kind, ...]) -> dict[str, Any]:
    examples = {
        kind.code: {"value": msgspec.to_builtins(_example_problem(kind))}
        for kind in kinds
        if kind.status == status
    }
    schema = {"$ref": _REF.format(name="Problem")}
    content = {problems.MEDIA_TYPE: {"schema": schema, "examples": examples}}
    return {"description": _DESCRIPTIONS[status], "content": content}


def _example_problem(kind: Kind) -> problems.Problem:
    return problems.body(kind, kind.example, kind.errors, "6f1c0d9be2a74c35")
