"""What the API takes and gives, as msgspec Structs; each path's accepted values in words."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from ecg.classifier import Classifier
from ecg.context import RR_FIELDS
from ecg.rhythm import RhythmModel

EXPLAINED: Final = 100
"""Beats of one request that are explained: each costs as much as twenty answers."""
COMPAT_SAMPLES: Final = 187
COMPAT_BEATS: Final = 200
COMPAT_FS: Final = 360.0
COMPAT_R_PEAK: Final = 93

Interval = Annotated[float, Meta(ge=0.01, le=60, description="Seconds.")]


class Intervals(Struct, frozen=True, forbid_unknown_fields=True):
    """RR intervals about one beat, in seconds; leave out what is not known."""

    previous_s: Interval | None = None
    next_s: Interval | None = None
    local_mean_s: Interval | None = None
    record_mean_s: Interval | None = None


class BeatsRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Beats cut from a recording: one QRS each, in any unit, at one sampling frequency."""

    fs: Annotated[float, Meta(ge=100, le=2000, description="Sampling frequency, Hz.")]
    beats: Annotated[
        list[Annotated[list[float], Meta(min_length=1)]],
        Meta(min_length=1, description="Each beat: 0.2 to 10 s of samples, not a flat line."),
    ]
    r_peak: (
        Annotated[
            list[Annotated[int, Meta(ge=0)] | None],
            Meta(description="Index of the R peak in each beat; found where null."),
        ]
        | None
    ) = None
    rr: Annotated[list[Intervals | None], Meta(description="One for each beat.")] | None = None
    model: Annotated[str, Meta(description="Name of a model of /v1/models.")] | None = None
    explain: Annotated[bool, Meta(description="Say why, of each of up to 100 beats.")] = False


class CompatBeat(Struct, frozen=True, forbid_unknown_fields=True):
    """One beat as the public MIT-BIH APIs take it: 187 samples at 360 Hz, R peak at 93."""

    signal: Annotated[list[float], Meta(min_length=COMPAT_SAMPLES, max_length=COMPAT_SAMPLES)]


CompatRequest = Annotated[list[CompatBeat], Meta(min_length=1, max_length=COMPAT_BEATS)]


class Proba(Struct, frozen=True):
    """Probability of each AAMI class; they sum to 1 within rounding."""

    N: float
    S: float
    V: float
    F: float
    Q: float


class BeatAnswer(Struct, frozen=True):
    """The class of one beat; confidence is its probability, abnormal that of all but N."""

    aami_class: str
    confidence: float
    abnormal: float
    proba: Proba


class ModelId(Struct, frozen=True):
    """Which artefact answered; sha256 is that of its manifest."""

    name: str
    version: str
    sha256: str


def model_id(model: Classifier | RhythmModel) -> ModelId:
    """Return what names an artefact in every answer."""
    return ModelId(model.name, model.version, model.sha256)


class ByFamily(Struct, frozen=True):
    """One column a family of what was known beside the window."""

    rhythm: list[float]
    p_wave: list[float]
    shape: list[float]


class Explanations(Struct, frozen=True):
    """How much probability the answer to a beat loses without a part of what was known.

    beat: its place in the answer, from 0. window: a number for each stretch of step_s, the first
    from_s from the R peak. context: a number for each family. Below 0 the answer gets surer.
    """

    beat: list[int]
    from_s: float
    step_s: float
    window: list[list[float]]
    context: ByFamily


class BeatsAnswer(Struct, frozen=True):
    """The beats in the order in which they came; explanations are null where not asked for."""

    beats: list[BeatAnswer]
    explanations: Explanations | None
    model: ModelId
    timing_ms: float


class ModelList(Struct, frozen=True):
    """The cards of the models that this service runs."""

    models: list[dict[str, Any]]


class Live(Struct, frozen=True):
    """The process answers."""

    status: str


class Ready(Struct, frozen=True):
    """The golden beats of these models got the classes that training gave them."""

    status: str
    models: list[str]


BEATS_ACCEPTED: Final = {
    "": "an object with the keys fs and beats, and if wanted r_peak, rr, model, explain",
    "fs": "a number from 100 to 2000, in Hz",
    "beats": "one array of numbers for each beat, at least one",
    "beats[]": "an array of finite numbers, 0.2 to 10 s long",
    "beats[][]": "a finite number",
    "r_peak": "an array with an index or null for each beat, or null",
    "r_peak[]": "the R peak's index in its beat, a whole number from 0, or null",
    "rr": "an array with an object or null for each beat, or null",
    "rr[]": f"an object with any of the keys {', '.join(RR_FIELDS)}, or null",
    **{f"rr[].{name}": "seconds, from 0.01 to 60, or null" for name in RR_FIELDS},
    "model": "a model's name as /v1/models lists it, or null",
    "explain": "true or false",
}
COMPAT_ACCEPTED: Final = {
    "": f"an array of 1 to {COMPAT_BEATS} objects with the key signal",
    "[]": "an object with the key signal and no other",
    "[].signal": f"{COMPAT_SAMPLES} finite numbers at 360 Hz, centred on the R peak",
    "[].signal[]": "a finite number",
}

BEATS_DECODER: Final = msgspec.json.Decoder(BeatsRequest)
COMPAT_DECODER: Final = msgspec.json.Decoder(CompatRequest)
