"""Other servers' dialects: `POST /predict`, as the public MIT-BIH beat APIs take it."""

import re

import numpy as np
from fastapi import APIRouter, Request, Response

from app import openapi
from app.artefacts import DEFAULT_MODEL
from app.parsing import decode, json_body
from app.schemas import (
    COMPAT_ACCEPTED,
    COMPAT_DECODER,
    COMPAT_FS,
    COMPAT_R_PEAK,
    BeatsAnswer,
    CompatRequest,
)
from app.service import Models, Work, answer, models_of
from ecg.errors import InputError

router = APIRouter()


@router.post("/predict", **openapi.takes_beats(CompatRequest, BeatsAnswer))
async def predict(request: Request) -> Response:
    """Classify beats of 187 samples at 360 Hz, centred on the R peak, with no RR context."""
    models = models_of(request)
    models.required()
    body = await json_body(request)
    try:
        content, n = await answer(request, body, lambda b: parse_signals(b, models))
    except InputError as error:
        raise InputError(_in_dialect(error.field), error.problem, error.accepted) from None
    request.scope["beats"] = n
    return Response(content, media_type="application/json")


def parse_signals(body: bytes, models: Models) -> Work:
    """Return the beats of a body of /predict; raises ProblemError."""
    given = decode(COMPAT_DECODER, body, COMPAT_ACCEPTED)
    known = models.required()
    return Work(
        classifier=known.get(DEFAULT_MODEL) or next(iter(known.values())),
        cuts=[np.array(beat.signal, np.float64) for beat in given],
        fs=COMPAT_FS,
        r_peaks=[COMPAT_R_PEAK] * len(given),
    )


def _in_dialect(field: str) -> str:
    return re.sub(r"^beats(\[\d+\])", r"\1.signal", field)
