"""An example for each request and answer of the API's description."""

import math
from typing import Any, Final

import msgspec

from app import record_schemas, schemas


def _made_up_beat(fs: float, samples: int, r_peak: int) -> list[float]:
    """Return an R wave of 1 mV and a T wave of 0.3 mV: a shape to try, not a recording."""
    seconds = [(i - r_peak) / fs for i in range(samples)]
    return [
        round(math.exp(-((t / 0.012) ** 2)) + 0.3 * math.exp(-(((t - 0.25) / 0.05) ** 2)), 3)
        for t in seconds
    ]


def beats() -> dict[str, Any]:
    """Return a request for /v1/beats."""
    return {
        "fs": 125,
        "beats": [_made_up_beat(125, 125, 50)],
        "r_peak": [50],
        "rr": [{"previous_s": 0.81, "next_s": 0.8, "record_mean_s": 0.82}],
    }


def compat() -> list[dict[str, Any]]:
    """Return a request for /predict."""
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
ANNOTATIONS: Final = {
    "fs": 250,
    "sample": [70, 270],
    "aami_class": ["N", "V"],
    "note": [None, "seen"],
}
METRICS: Final = """# HELP beatwise_ready 1 once every model was verified, else 0.
# TYPE beatwise_ready gauge
beatwise_ready 1.0
"""


def _record() -> dict[str, Any]:
    """Return an answer of two beats: its shape, not a finding."""
    ectopy = {"couplets": 0, "runs": 0, "longest_run": 0, "bigeminy": 0}
    counts = {name: {"count": 0, "burden_percent": 0.0} for name in "SVFQ"}
    return {
        "record": {
            **{"fs": 250.0, "n_samples": 500, "duration_s": 2.0, "leads": ["II"], "lead": "II"},
            **{"inverted": False, "format": "EDF", "unit": "mV", "found": []},
        },
        "beats": {
            **{"sample": [105, 310], "time_s": [0.42, 1.24], "aami_class": ["N", "N"]},
            **{"confidence": [0.981, 0.978], "rr_s": [None, 0.82], "quality": ["good", "good"]},
            **{"reason": [None, None], "proba": None},
        },
        "summary": {
            **{"duration_s": 2.0, "beats": 2, "unusable_beats": 0},
            "heart_rate": {"mean": 73.2, "min": 73.2, "max": 73.2},
            "by_class": {"N": {"count": 2, "burden_percent": 100.0}, **counts},
            **{"ventricular": ectopy, "supraventricular": ectopy},
            "pauses": {"count": 0, "longest_s": None, "at_s": []},
            "hrv": {"sdnn_ms": None, "rmssd_ms": None, "pnn50_percent": None, "intervals": 1},
            "analysable_percent": 100.0,
        },
        "quality": {"window_s": 10.0, "level": ["good"], "reason": [None]},
        "rhythm": {
            **{"class": "~", "confidence": 0.62},
            "proba": {"N": 0.21, "A": 0.05, "O": 0.12, "~": 0.62},
            "parts": {
                **{"begin_s": [0.0], "end_s": [2.0], "class": ["~"]},
                **{"confidence": [0.62], "proba": None},
            },
            "af_burden_percent": None,
            "af_episodes": {"begin_s": [], "end_s": []},
            "model": {"name": "rhythm", "version": "0.4.0", "sha256": "d41c" * 16},
        },
        "agreement": None,
        "trace": None,
        "explanations": None,
        "advice": None,
        "model": msgspec.to_builtins(_MODEL),
        "timing_ms": {"read": 0.6, "analyse": 3.1, "total": 3.7},
    }


OF: Final[dict[type, Any]] = {
    schemas.BeatsAnswer: msgspec.to_builtins(
        schemas.BeatsAnswer([schemas.BeatAnswer("N", 0.981, 0.019, _PROBA)], None, _MODEL, 0.412)
    ),
    record_schemas.RecordAnswer: _record(),
    record_schemas.Limits: {
        "max_record_bytes": 167_772_160,
        "max_body_bytes": 33_554_432,
        "max_beats": 10_000,
        "max_files": 64,
        "max_hours": 48.0,
        "fs": [100.0, 2000.0],
        "formats": ["EDF, EDF+, BDF", "CSV, TSV, text"],
    },
    schemas.ModelList: {"models": [_CARD]},
    dict: _CARD,
    schemas.Live: {"status": "live"},
    schemas.Ready: {"status": "ready", "models": ["convxgb"]},
}
