"""What /openapi.json and /docs say: schemas of the Structs, and an example for each status."""

import math
from typing import Any, Final

import msgspec
from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi

from app import problems, schemas
from app.problems import Kind

ALWAYS: Final = (problems.METHOD,)
READ: Final = (problems.METHOD, problems.QUERY, problems.NOT_READY)
READ_ONE: Final = (problems.UNKNOWN_MODEL, *READ)
CLASSIFY: Final = (
    problems.MALFORMED,
    problems.METHOD,
    problems.TOO_LARGE,
    problems.MEDIA,
    problems.INVALID,
    problems.QUERY,
    problems.NOT_READY,
    problems.BUSY,
)

DESCRIPTION: Final = """Reads an electrocardiogram's beats and says of each which AAMI class it is
and how sure it is: N (normal and bundle branch block), S (supraventricular ectopic), V (ventricular
ectopic), F (fusion), Q (paced or unclassifiable).

For research and education. Not a medical device."""

_DESCRIPTIONS: Final = {
    400: "The body is not JSON",
    404: "Not here",
    405: "Another method is wanted; `Allow` names it",
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
    schemas.Live,
    schemas.Ready,
    problems.Problem,
)


def takes_beats(request: object, answer: type) -> dict[str, Any]:
    """Return the decorator's arguments of a route that takes beats as JSON."""
    (schema,), _ = msgspec.json.schema_components([request], ref_template=_REF)
    is_compat = request is schemas.CompatRequest
    content = {"schema": schema, "example": _compat_example() if is_compat else _beats_example()}
    body = {"required": True, "content": {"application/json": content}}
    return {**gives(answer, CLASSIFY), "openapi_extra": {"requestBody": body}}


def gives(answer: type, kinds: tuple[Kind, ...]) -> dict[str, Any]:
    """Return the decorator's arguments of a route that answers `answer` or one of `kinds`."""
    (schema,), _ = msgspec.json.schema_components([answer], ref_template=_REF)
    content = {"schema": schema, "example": _EXAMPLES[answer]}
    ok = {"description": "The answer", "content": {"application/json": content}}
    return {"response_class": Response, "responses": {200: ok, **_refusals(kinds)}}


def document(app: FastAPI, max_beats: int) -> bytes:
    """Return /openapi.json: the routes of `app` with the schemas of all Structs."""
    found = get_openapi(
        title="Beatwise", version=app.version, description=DESCRIPTION, routes=app.routes
    )
    _, components = msgspec.json.schema_components(_STRUCTS, ref_template=_REF)
    components["BeatsRequest"]["properties"]["beats"]["maxItems"] = max_beats
    found["components"] = {"schemas": components}
    return msgspec.json.encode(found)


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


def _made_up_beat(fs: float, samples: int, r_peak: int) -> list[float]:
    """Return an R wave of 1 mV and a T wave of 0.3 mV: a shape to try, not a recording."""
    seconds = [(i - r_peak) / fs for i in range(samples)]
    return [
        round(math.exp(-((t / 0.012) ** 2)) + 0.3 * math.exp(-(((t - 0.25) / 0.05) ** 2)), 3)
        for t in seconds
    ]


def _beats_example() -> dict[str, Any]:
    return {
        "fs": 125,
        "beats": [_made_up_beat(125, 125, 50)],
        "r_peak": [50],
        "rr": [{"previous_s": 0.81, "next_s": 0.8, "record_mean_s": 0.82}],
    }


def _compat_example() -> list[dict[str, Any]]:
    samples = schemas.COMPAT_SAMPLES
    return [{"signal": _made_up_beat(schemas.COMPAT_FS, samples, schemas.COMPAT_R_PEAK)}]


_MODEL: Final = schemas.ModelId("convxgb", "0.1.0", "5b0c" * 16)
_PROBA: Final = schemas.Proba(0.981, 0.012, 0.004, 0.002, 0.001)
_CARD: Final = {
    "protocol": 1,
    "name": "convxgb",
    "version": "0.1.0",
    "classes": ["N", "S", "V", "F", "Q"],
    "sha256": _MODEL.sha256,
}
_EXAMPLES: Final[dict[type, Any]] = {
    schemas.BeatsAnswer: msgspec.to_builtins(
        schemas.BeatsAnswer([schemas.BeatAnswer("N", 0.981, _PROBA)], _MODEL, 0.412)
    ),
    schemas.ModelList: {"models": [_CARD]},
    dict: _CARD,
    schemas.Live: {"status": "live"},
    schemas.Ready: {"status": "ready", "models": ["convxgb"]},
}
