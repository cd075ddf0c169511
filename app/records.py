"""`/v1/records`: files of any device in, the beats of the recording out; and what goes with it."""

import time
from collections.abc import Mapping
from functools import partial
from typing import Final

import msgspec
import numpy as np
from fastapi import APIRouter, Depends, Request, Response

from app import openapi
from app.parsing import decode, json_body, query, refuse_query
from app.problems import NOT_ACCEPTABLE, ProblemError, invalid
from app.record_schemas import (
    ANNOTATIONS_ACCEPTED,
    ANNOTATIONS_DECODER,
    RECORD_ACCEPTED,
    AnnotationsRequest,
    Limits,
    RecordQuery,
)
from app.schemas import model_id
from app.service import Models, chosen_model, in_thread, models_of
from app.settings import Settings
from app.uploads import uploaded_files
from ecg import exports, readers
from ecg.advice import advise
from ecg.analysis import analyse_any
from ecg.record import FS_RANGE, LONGEST_S, Annotation
from ecg.wfdb_annotations import write_annotations

JSON: Final = "application/json"
CSV: Final = "text/csv"
ATR: Final = "application/x-wfdb-annotation"
FORMATS: Final = (
    *("WFDB (.hea with .dat or .mat, .atr)", "EDF, EDF+, BDF", "CSV, TSV, text"),
    *("187-sample beats CSV", "a zip of these"),
)

NO_QUERY: Final = (Depends(refuse_query),)

router = APIRouter(prefix="/v1")


@router.post("/records", **openapi.takes_files((JSON, CSV, ATR)))
async def records(request: Request) -> Response:
    """Find and classify the beats of one recording: WFDB, EDF, BDF, CSV or text, or a zip."""
    started = time.perf_counter()
    models = models_of(request)
    models.required()
    given = query(RecordQuery, request, RECORD_ACCEPTED)
    if given.age is not None and not given.advice:
        raise invalid("age", "is given without advice=true", RECORD_ACCEPTED["age"])
    media = _media(request)
    chosen_model(given.model, models)
    files = await uploaded_files(request)
    work = partial(_answer, files, given, models, media, started)
    content, n = await in_thread(request, work, heavy=True)
    request.scope["beats"] = n
    return Response(content, media_type=media)


@router.post("/annotations", dependencies=NO_QUERY, **openapi.takes_annotations(ATR))
async def annotations(request: Request) -> Response:
    """Write beats and their classes as a WFDB annotation file (.atr)."""
    given = decode(ANNOTATIONS_DECODER, await json_body(request), ANNOTATIONS_ACCEPTED)
    content = await in_thread(request, partial(_atr, given))
    request.scope["beats"] = len(given.sample)
    return Response(content, media_type=ATR)


@router.get("/limits", dependencies=NO_QUERY, **openapi.gives(Limits, openapi.ALWAYS))
async def limits(request: Request) -> Response:
    """Say how much a request may hold, and of what."""
    settings: Settings = request.app.state.settings
    return Response(
        msgspec.json.encode(
            Limits(
                max_record_bytes=settings.max_record_bytes,
                max_body_bytes=settings.max_body_bytes,
                max_beats=settings.max_beats,
                max_files=readers.MAX_FILES,
                max_hours=LONGEST_S / 3600,
                fs=FS_RANGE,
                formats=FORMATS,
            )
        ),
        media_type=JSON,
    )


def _answer(
    files: Mapping[str, bytes],
    given: RecordQuery,
    models: Models,
    media: str,
    started: float,
) -> tuple[bytes, int]:
    opened = readers.open_files(files, fs=given.fs, unit=given.unit)
    classifier = chosen_model(given.model, models, opened)
    read = time.perf_counter()
    # Only JSON has a place for explanations and the rhythm: other answers are spared the work.
    explained = given.explain and media == JSON
    by = models.rhythm_by if media == JSON else None
    analysis = analyse_any(opened, classifier, given.lead, explained=explained, rhythm=by)
    done = time.perf_counter()
    n = len(analysis.aami_class)
    if media == CSV:
        return exports.to_csv(analysis).encode(), n
    if media == ATR:
        return exports.to_atr(analysis), n
    columns = exports.to_columns(analysis, proba=given.proba, trace=given.trace)
    advice = advise(columns["summary"], given.age) if given.advice else None
    timing = {"read": read - started, "analyse": done - read, "total": done - started}
    timing_ms = {name: round(1000 * seconds, 1) for name, seconds in timing.items()}
    return msgspec.json.encode(
        {**columns, "advice": advice, "model": model_id(classifier), "timing_ms": timing_ms}
    ), n


def _atr(given: AnnotationsRequest) -> bytes:
    n = len(given.sample)
    notes = given.note or [None] * n
    for field, values in (("aami_class", given.aami_class), ("note", notes)):
        if len(values) != n:
            raise invalid(field, f"has {len(values)} entries", f"one for each of the {n} beats")
    return write_annotations(
        Annotation(
            np.array(given.sample, np.int64),
            tuple(given.aami_class),
            tuple(note or "" for note in notes),
        ),
        fs=given.fs,
    )


def _media(request: Request) -> str:
    wanted = [
        part.split(";")[0].strip().lower()
        for part in request.headers.get("accept", "*/*").split(",")
    ]
    for media in wanted:
        if media in (JSON, CSV, ATR):
            return media
    if any(media in ("", "*/*", "application/*") for media in wanted):
        return JSON
    raise ProblemError(NOT_ACCEPTABLE)
