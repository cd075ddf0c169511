"""What `/v1/records` and `/v1/annotations` take and give, as msgspec Structs."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from app.schemas import Explanations, ModelId

AamiClass = Literal["N", "S", "V", "F", "Q"]
Level = Literal["good", "noisy", "unusable"]
Unit = Literal["mV", "uV", "V", "adc"]
Rate = float | None
MAX_NOTE: Final = 255


class RecordQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """What the files do not say, and what else the answer is to hold."""

    fs: Annotated[float, Meta(ge=100, le=2000, description="Hz, for files without it.")] | None = (
        None
    )
    unit: Annotated[Unit, Meta(description="Of samples in files that do not say.")] | None = None
    lead: Annotated[str, Meta(description="Name of the lead; MLII, II or the first.")] | None = None
    model: Annotated[str, Meta(description="Name of a model of /v1/models.")] | None = None
    proba: Annotated[bool, Meta(description="Give the probability of every class.")] = False
    trace: Annotated[bool, Meta(description="Give the lead's samples to draw.")] = False
    explain: Annotated[
        bool, Meta(description="Say why, of up to 500 beats: not N, or not sure.")
    ] = False
    advice: Annotated[
        bool, Meta(description="Give text on what people usually do next; general information.")
    ] = False
    age: (
        Annotated[int, Meta(ge=0, le=120, description="Whole years, for the advice only.")] | None
    ) = None


class RecordFacts(Struct, frozen=True):
    """What was read; unit is null where unknown, found is what the reader found out or assumed."""

    fs: float
    n_samples: int
    duration_s: float | None
    leads: list[str]
    format: str
    unit: str | None
    found: list[str]
    lead: str | None
    inverted: bool


class ProbaColumns(Struct, frozen=True):
    """One column a class; null where the beat was not classified."""

    N: list[Rate]
    S: list[Rate]
    V: list[Rate]
    F: list[Rate]
    Q: list[Rate]


class BeatColumns(Struct, frozen=True):
    """One entry a beat; sample is the R peak in the file's own fs, rr_s the interval before it.

    A beat of unusable quality has the class Q, a reason, and no confidence. In a file of separate
    beats, what wants a place in time is null.
    """

    sample: list[int | None]
    time_s: list[Rate]
    aami_class: list[AamiClass]
    confidence: list[Rate]
    rr_s: list[Rate]
    quality: list[Level | None]
    reason: list[str | None]
    proba: ProbaColumns | None


class HeartRate(Struct, frozen=True):
    """Beats a minute; min and max are of means over eight intervals."""

    mean: Rate
    min: Rate
    max: Rate


class ClassCount(Struct, frozen=True):
    """Beats of a class, and its share of the classified ones."""

    count: int
    burden_percent: float


class Ectopy(Struct, frozen=True):
    """Ectopic beats in a row: couplets are two, runs three and more."""

    couplets: int
    runs: int
    longest_run: int
    bigeminy: int


class Pauses(Struct, frozen=True):
    """RR intervals over 2 s; at_s is where each begins."""

    count: int
    longest_s: Rate
    at_s: list[float]


class Variability(Struct, frozen=True):
    """Over the intervals between two normal beats in a row, and nothing else."""

    sdnn_ms: Rate
    rmssd_ms: Rate
    pnn50_percent: Rate
    intervals: int


class Summary(Struct, frozen=True):
    """The recording in figures."""

    duration_s: float
    beats: int
    unusable_beats: int
    heart_rate: HeartRate
    by_class: dict[str, ClassCount]
    ventricular: Ectopy
    supraventricular: Ectopy
    pauses: Pauses
    hrv: Variability
    analysable_percent: float


class WindowQuality(Struct, frozen=True):
    """Signal quality of each window_s."""

    window_s: float
    level: list[Level]
    reason: list[str | None]


RhythmClass = Literal["N", "A", "O", "~"]


class RhythmProba(Struct, frozen=True, rename={"noise": "~"}):
    """One value a rhythm; null where no beat is usable."""

    N: Rate
    A: Rate
    O: Rate  # noqa: E741 - the challenge's letter
    noise: Rate


class RhythmProbaColumns(Struct, frozen=True, rename={"noise": "~"}):
    """One column a rhythm; null where no beat of a part is usable."""

    N: list[Rate]
    A: list[Rate]
    O: list[Rate]  # noqa: E741 - the challenge's letter
    noise: list[Rate]


class Spans(Struct, frozen=True):
    """Seconds from the recording's start."""

    begin_s: list[float]
    end_s: list[float]


class RhythmParts(Struct, frozen=True, rename={"class_": "class"}):
    """One entry a part: a whole recording of up to 60 s, or 10 s told from the 30 s about them."""

    begin_s: list[float]
    end_s: list[float]
    class_: list[RhythmClass]
    confidence: list[Rate]
    proba: RhythmProbaColumns | None


class RhythmAnswer(Struct, frozen=True, rename={"class_": "class"}):
    """N is a normal sinus rhythm, A atrial fibrillation, O another rhythm, ~ too noisy to say.

    Of a long recording the class is the likeliest over all parts. The burden is the share of the
    time that is not noise; an episode lasts 30 s or longer.
    """

    class_: RhythmClass
    confidence: Rate
    proba: RhythmProba
    parts: RhythmParts
    af_burden_percent: Rate
    af_episodes: Spans
    model: ModelId


class Detection(Struct, frozen=True):
    """Beats found, missed and made up, within 150 ms (EC57)."""

    tp: int
    fn: int
    fp: int
    se: Rate
    ppv: Rate


class Ectopic(Struct, frozen=True):
    """Ectopic beats found as such, missed, and others called so (EC57)."""

    tp: int
    fn: int
    fp: int
    tn: int
    se: Rate
    ppv: Rate
    fpr: Rate


class Agreement(Struct, frozen=True):
    """The answer against the file's own annotations; confusion has the reference in rows."""

    reference: str
    map: str
    qrs: Detection | None
    veb: Ectopic | None
    sveb: Ectopic | None
    classes: list[AamiClass]
    confusion: list[list[int]]
    accuracy: float


class Trace(Struct, frozen=True):
    """The lead as the file has it: base64 of little-endian int16, times mv_per_unit."""

    fs: float
    mv_per_unit: float
    missing: int
    data: str


class AdviceLine(Struct, frozen=True):
    """What people usually do about a finding; source: citations with their DOI."""

    finding: str
    text: str
    source: str


class Advice(Struct, frozen=True):
    """General information, no verdict; age_band is what the age, if any, was taken for."""

    notice: str
    age_band: str
    lines: list[AdviceLine]


class Timing(Struct, frozen=True):
    """Milliseconds, from the request's headers on; read holds the upload too."""

    read: float
    analyse: float
    total: float


class RecordAnswer(Struct, frozen=True):
    """One recording; summary, quality, rhythm and trace are null for a file of separate beats.

    trace, explanations and advice are null where they were not asked for.
    """

    record: RecordFacts
    beats: BeatColumns
    summary: Summary | None
    quality: WindowQuality | None
    rhythm: RhythmAnswer | None
    agreement: Agreement | None
    trace: Trace | None
    explanations: Explanations | None
    advice: Advice | None
    model: ModelId
    timing_ms: Timing


class AnnotationsRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Beats to write as a WFDB annotation file; a note becomes the aux string of its beat."""

    fs: Annotated[float, Meta(ge=100, le=2000, description="Sampling frequency, Hz.")]
    sample: Annotated[
        list[Annotated[int, Meta(ge=0, le=2**40)]],
        Meta(max_length=1_000_000, description="Rising."),
    ]
    aami_class: Annotated[list[AamiClass], Meta(max_length=1_000_000)]
    note: (
        Annotated[
            list[Annotated[str, Meta(max_length=MAX_NOTE)] | None], Meta(max_length=1_000_000)
        ]
        | None
    ) = None


class Limits(Struct, frozen=True):
    """How much a request may hold; fs: lowest and highest sampling frequency, Hz."""

    max_record_bytes: int
    max_body_bytes: int
    max_beats: int
    max_files: int
    max_hours: float
    fs: tuple[float, float]
    formats: tuple[str, ...]


RECORD_ACCEPTED: Final = {
    "fs": "a number from 100 to 2000, in Hz",
    "unit": "mV, uV, V or adc",
    "lead": "a lead's name",
    "model": "a model's name as /v1/models lists it",
    "proba": "true or false",
    "trace": "true or false",
    "explain": "true or false",
    "advice": "true or false",
    "age": "a whole number of years from 0 to 120, beside advice=true",
}
ANNOTATIONS_ACCEPTED: Final = {
    "": "an object with the keys fs, sample, aami_class, and if wanted note",
    "fs": "a number from 100 to 2000, in Hz",
    "sample": "an array of rising sample indices, up to 1,000,000",
    "sample[]": "a whole number from 0",
    "aami_class": "an array with a class for each beat",
    "aami_class[]": "N, S, V, F or Q",
    "note": "an array with a text or null for each beat, or null",
    "note[]": f"a text of up to {MAX_NOTE} characters, or null",
}
ANNOTATIONS_DECODER: Final = msgspec.json.Decoder(AnnotationsRequest)
