"""An analysis as it leaves: columns for JSON, CSV, a WFDB annotation file, the trace to draw."""

import base64
import csv
import io
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from ecg import scoring
from ecg.aami import CLASSES, symbol_to_class
from ecg.analysis import Analysis, RowAnalysis
from ecg.errors import InputError
from ecg.explain import FAMILIES, STEP_S, Explanation
from ecg.gaps import bridged
from ecg.quality import LEVELS, REASONS, WINDOW_S
from ecg.record import Annotation, Record
from ecg.rhythm import RHYTHMS, Rhythm, fibrillation, likeliest
from ecg.summary import summarise
from ecg.wfdb_annotations import write_annotations

TRACE_FS: Final = 500.0
"""A trace is sent at up to so many Hz: twice what a screen shows at 50 mm/s."""
MISSING: Final = -32768
ROWS_NOTE: Final = (
    "each row is one beat from its R peak on, at 125 Hz: the P wave and the rhythm are not there, "
    "and classes are less certain than those of a recording"
)
_FINEST_MV: Final = 0.001


def to_columns(
    analysis: Analysis | RowAnalysis, *, proba: bool = False, trace: bool = False
) -> dict[str, Any]:
    """Return the answer but for `model` and `timing_ms`, ready for JSON.

    Beats are columns, not objects, so that 100,000 of them travel; None is a missing value.
    """
    if isinstance(analysis, RowAnalysis):
        return _columns_of_rows(analysis, proba)
    record = analysis.record
    return {
        "record": _facts(record)
        | {"lead": record.leads[analysis.lead], "inverted": analysis.inverted},
        "beats": _beats(analysis, proba),
        "summary": summarise(analysis),
        "quality": {
            "window_s": WINDOW_S,
            "level": [LEVELS[i] for i in analysis.windows.level],
            "reason": [REASONS[i] for i in analysis.windows.reason],
        },
        "rhythm": _rhythm(analysis.rhythm, proba),
        "agreement": _agreement(analysis),
        "trace": to_trace(analysis) if trace else None,
        "explanations": to_explanations(analysis.explanation),
    }


def to_csv(analysis: Analysis | RowAnalysis) -> str:
    """Return one row a beat, under a header; an empty cell is a missing value."""
    found = _beats(analysis, proba=True)
    proba = found.pop("proba")
    columns = {**found, **{f"proba_{name}": values for name, values in proba.items()}}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return out.getvalue()


def to_atr(analysis: Analysis | RowAnalysis) -> bytes:
    """Return a WFDB annotation file: a letter a beat; its note is why a beat was not classified.

    Raises InputError for separate beats: they have no place in time.
    """
    if isinstance(analysis, RowAnalysis):
        raise InputError("files", "holds separate beats, which no .atr can mark", "a recording")
    symbols = tuple(CLASSES[i] for i in analysis.aami_class)
    notes = tuple(
        "" if usable else REASONS[reason] or ""
        for usable, reason in zip(analysis.quality.usable, analysis.quality.reason, strict=True)
    )
    return write_annotations(Annotation(analysis.sample, symbols, notes), fs=analysis.record.fs)


def to_trace(analysis: Analysis) -> dict[str, Any]:
    """Return the lead as the file has it, as base64 of little-endian int16, at most `TRACE_FS`."""
    signal = analysis.record.signal[:, analysis.lead]
    step = int(np.ceil(analysis.record.fs / TRACE_FS))
    missing = ~np.isfinite(signal)
    if step > 1:
        signal = resample_poly(bridged(signal, missing), 1, step).astype(np.float32)
        missing = missing[::step]
    largest = float(np.abs(signal[~missing]).max(initial=0.0))
    scale = max(_FINEST_MV, largest / 32767) if analysis.record.unit_known else largest / 32767
    scale = scale or 1.0
    counts = np.full(len(signal), MISSING, "<i2")
    counts[~missing] = np.rint(signal[~missing] / scale)
    return {
        "fs": analysis.record.fs / step,
        "mv_per_unit": scale,
        "missing": MISSING,
        "data": base64.b64encode(counts.tobytes()).decode(),
    }


def to_explanations(explanation: Explanation | None) -> dict[str, Any] | None:
    """Return explanations as columns, ready for JSON."""
    if explanation is None:
        return None
    return {
        "beat": explanation.beat.tolist(),
        "from_s": explanation.from_s,
        "step_s": STEP_S,
        "window": _rounded(explanation.window),
        "context": {name: _rounded(explanation.context[:, i]) for i, name in enumerate(FAMILIES)},
    }


def _rounded(values: NDArray[np.float32]) -> Any:
    return values.astype(np.float64).round(4).tolist()


def _facts(record: Record) -> dict[str, Any]:
    return {
        "fs": record.fs,
        "n_samples": record.n_samples,
        "duration_s": round(record.duration_s, 3),
        "leads": list(record.leads),
        "format": record.format,
        "unit": "mV" if record.unit_known else None,
        "found": list(record.found),
    }


def _beats(analysis: Analysis | RowAnalysis, proba: bool) -> dict[str, Any]:
    """Return one column a fact; separate beats have no place in time and no quality."""
    known: dict[str, list[Any]] = dict.fromkeys(
        ("sample", "time_s", "rr_s", "quality", "reason"), [None] * len(analysis.proba)
    )
    if isinstance(analysis, Analysis):
        known = {
            "sample": analysis.sample.tolist(),
            "time_s": (analysis.sample / analysis.record.fs).round(4).tolist(),
            "rr_s": _numbers(analysis.rr),
            "quality": [LEVELS[i] for i in analysis.quality.level],
            "reason": [REASONS[i] for i in analysis.quality.reason],
        }
    return {
        "sample": known["sample"],
        "time_s": known["time_s"],
        "aami_class": [CLASSES[i] for i in analysis.aami_class],
        "confidence": _numbers(analysis.proba.max(axis=1)),
        "rr_s": known["rr_s"],
        "quality": known["quality"],
        "reason": known["reason"],
        "proba": _by_class(analysis.proba) if proba else None,
    }


def _rhythm(answered: Rhythm | None, proba: bool) -> dict[str, Any] | None:
    """Return the rhythm of the whole and of each part, as columns; proba: of the parts too."""
    if answered is None:
        return None
    found, whole = fibrillation(answered), answered.whole[None]
    return {
        "class": RHYTHMS[likeliest(whole)[0]],
        "confidence": _numbers(whole.max(axis=1))[0],
        "proba": {name: of[0] for name, of in _by_class(whole, RHYTHMS).items()},
        "parts": {
            "begin_s": answered.begin_s.round(3).tolist(),
            "end_s": answered.end_s.round(3).tolist(),
            "class": [RHYTHMS[i] for i in answered.rhythm],
            "confidence": _numbers(answered.proba.max(axis=1)),
            "proba": _by_class(answered.proba, RHYTHMS) if proba else None,
        },
        "af_burden_percent": None if found.burden is None else round(100 * found.burden, 2),
        "af_episodes": {
            "begin_s": found.begin_s.round(3).tolist(),
            "end_s": found.end_s.round(3).tolist(),
        },
        "model": answered.model,
    }


def _columns_of_rows(analysis: RowAnalysis, proba: bool) -> dict[str, Any]:
    rows = analysis.rows
    return {
        "record": {
            "fs": rows.fs,
            "n_samples": rows.cuts.size,
            "duration_s": None,
            "leads": [],
            "format": "187-sample beats CSV",
            "unit": None,
            "found": [ROWS_NOTE],
            "lead": None,
            "inverted": False,
        },
        "beats": _beats(analysis, proba),
        "summary": None,
        "quality": None,
        "rhythm": None,
        "agreement": _agreement_of_rows(analysis),
        "trace": None,
        "explanations": to_explanations(analysis.explanation),
    }


def _agreement(analysis: Analysis) -> dict[str, Any] | None:
    reference = analysis.record.annotation
    if reference is None or not set(reference.symbol) & set(symbol_to_class()):
        return None
    compared = scoring.compare(reference, analysis.sample, analysis.aami_class, analysis.record.fs)
    return {
        "reference": "the annotations of the recording",
        "map": "de Chazal",
        **scoring.figures(compared),
        **_confusion(compared.confusion),
    }


def _agreement_of_rows(analysis: RowAnalysis) -> dict[str, Any] | None:
    label = analysis.rows.label
    if label is None:
        return None
    return {
        "reference": "the labels of the rows",
        "map": "Kachuee",
        "qrs": None,
        "veb": None,
        "sveb": None,
        **_confusion(scoring.confusion(label, analysis.aami_class)),
    }


def _confusion(matrix: NDArray[np.int64]) -> dict[str, Any]:
    return {
        "classes": list(CLASSES),
        "confusion": matrix.tolist(),
        "accuracy": round(float(np.trace(matrix) / max(int(matrix.sum()), 1)), 4),
    }


def _by_class(
    proba: NDArray[np.float32], classes: tuple[str, ...] = CLASSES
) -> dict[str, list[float | None]]:
    return {name: _numbers(proba[:, i]) for i, name in enumerate(classes)}


def _numbers(values: NDArray[np.floating]) -> list[float | None]:
    return [None if v != v else v for v in values.astype(np.float64).round(4).tolist()]
