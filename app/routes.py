"""The API, version 1: beats in, classes out, and the cards of the models."""

import msgspec
import numpy as np
from fastapi import APIRouter, Depends, Request, Response
from numpy.typing import NDArray

from app import openapi
from app.parsing import decode, json_body, refuse_query, refuse_twice
from app.problems import UNKNOWN_MODEL, ProblemError, invalid
from app.schemas import (
    BEATS_ACCEPTED,
    BEATS_DECODER,
    EXPLAINED,
    BeatsAnswer,
    BeatsRequest,
    Intervals,
    ModelList,
)
from app.service import Models, Work, answer, chosen_model, models_of
from ecg.classifier import Classifier
from ecg.context import RR_FIELDS
from ecg.rhythm import RhythmModel

router = APIRouter(prefix="/v1", dependencies=[Depends(refuse_query)])


@router.post("/beats", **openapi.takes_beats(BeatsRequest, BeatsAnswer))
async def beats(request: Request) -> Response:
    """Classify beats that were cut from a recording, each on its own."""
    models = models_of(request)
    models.required()
    body = await json_body(request)
    most: int = request.app.state.settings.max_beats
    content, n = await answer(request, body, lambda b: parse_beats(b, models, most))
    request.scope["beats"] = n
    return Response(content, media_type="application/json")


@router.get("/models", **openapi.gives(ModelList, openapi.READ))
async def models(request: Request) -> Response:
    """List the cards of the models that run here."""
    cards = [card(classifier) for classifier in models_of(request).every.values()]
    return Response(msgspec.json.encode(ModelList(cards)), media_type="application/json")


@router.get("/models/{name}", **openapi.gives(dict, openapi.READ_ONE))
async def model(request: Request, name: str) -> Response:
    """Give one model's card: input, classes, protocols and figures, hashes."""
    known = models_of(request).every
    if name not in known:
        raise ProblemError(UNKNOWN_MODEL, f"No such model; known: {', '.join(known)}.")
    return Response(msgspec.json.encode(card(known[name])), media_type="application/json")


def card(model: Classifier | RhythmModel) -> dict[str, object]:
    """Return the manifest of a model, and its SHA-256."""
    return {**model.card, "sha256": model.sha256}


def parse_beats(body: bytes, models: Models, most: int) -> Work:
    """Return the beats of a body of /v1/beats; raises ProblemError."""
    given = decode(BEATS_DECODER, body, BEATS_ACCEPTED)
    refuse_twice(body, BeatsRequest.__struct_fields__)
    _check_lengths(given, most)
    return Work(
        classifier=chosen_model(given.model, models),
        cuts=[np.array(beat, np.float64) for beat in given.beats],
        fs=given.fs,
        r_peaks=given.r_peak,
        rr=None if given.rr is None else _seconds(given.rr),
        explain=given.explain,
    )


def _check_lengths(given: BeatsRequest, most: int) -> None:
    n = len(given.beats)
    if n > most:
        raise invalid("beats", f"has {n} beats", f"1 to {most} beats a request")
    if given.explain and n > EXPLAINED:
        raise invalid("explain", f"is true for {n} beats", f"up to {EXPLAINED} beats with explain")
    for field, values in (("r_peak", given.r_peak), ("rr", given.rr)):
        if values is not None and len(values) != n:
            raise invalid(field, f"has {len(values)} entries", f"one for each of the {n} beats")


def _seconds(rr: list[Intervals | None]) -> NDArray[np.float64]:
    missing = (None,) * len(RR_FIELDS)
    rows = [missing if one is None else [getattr(one, f) for f in RR_FIELDS] for one in rr]
    return np.array(rows, np.float64)
