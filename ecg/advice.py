"""What people usually do next, by finding and age: lines of a table with a source for each.

General information, never a verdict about one person. The table is `advice.csv`, its sources are
`advice_sources.csv`. The maintainers reviewed it, no physician did: before patients are shown it, a
cardiologist should check every line against its sources.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

NOTICE: Final = (
    "General information on what people usually do, chosen by the figures of the recording and by "
    "age. It is not about you and is no verdict: the figures are a model's answer and may be "
    "wrong, and somebody who reads ECGs should look at the beats first. Reviewed by the "
    "maintainers, not by a physician. Research and education, not a medical device."
)
SYMPTOMS: Final = "symptoms"
CHILD: Final = "age under 18"
NOTHING: Final = "nothing listed"

UNKNOWN_AGE: Final = "unknown"
BANDS: Final = {"under 18": 0, "18 to 39": 18, "40 to 64": 40, "65 and older": 65}
"""Ages from which each band goes on to the next, whole years."""

MANY_V_PERCENT: Final = 10.0
"""Burden from which V beats are thought of as a cause of a weak heart (2022 ESC guidelines on
ventricular arrhythmias, doi:10.1093/eurheartj/ehac262)."""
FREQUENT_V_AN_HOUR: Final = 30
"""More are frequent, as is one on a 12-lead ECG of ten seconds, which is 360 an hour (2017
AHA/ACC/HRS guideline on ventricular arrhythmias, doi:10.1161/CIR.0000000000000549)."""
MANY_S_AN_HOUR: Final = 30
LONG_S_RUN: Final = 20
"""S beats an hour, or in a row, from which atrial fibrillation was found more often later (Binici
et al., Circulation 121, 2010, doi:10.1161/CIRCULATIONAHA.109.874982). They were counted over 48 h:
a recording under an hour must itself hold so many."""
LONG_PAUSE_S: Final = 3.0
"""A sinus pause is longer (2018 ACC/AHA/HRS guideline on bradycardia,
doi:10.1016/j.jacc.2018.10.044). Pauses over 2 s are those that `summary.PAUSE_S` lists."""
SLOW_BPM: Final = 50.0
"""Sinus bradycardia is slower (the same guideline)."""
FAST_BPM: Final = 100.0
"""Sinus tachycardia is faster (2019 ESC guidelines on supraventricular tachycardia,
doi:10.1093/eurheartj/ehz467)."""
LITTLE_PERCENT: Final = 75.0
"""Less is little: the Task Force of the ESC and NASPE wants 18 of 24 h analysable (Circulation
93(5), 1996). It says so of heart rate variability only; nothing was found that says it of all."""


@dataclass(frozen=True)
class Line:
    """What people usually do about a finding, in plain words; source: citations with their DOI."""

    finding: str
    text: str
    source: str


@dataclass(frozen=True)
class Advice:
    """Lines in the order of the table; age_band: one of `BANDS`, or unknown."""

    notice: str
    age_band: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Row:
    """A line of the table, and the age bands that it is for."""

    line: Line
    bands: frozenset[str]


def advise(summary: Mapping[str, Any] | None, age: int | None = None) -> Advice:
    """Return the lines of the table for the figures of `summary.summarise` and an age in years.

    Nothing but the line on symptoms, and on children, is there for separate beats (None): they
    have no figures. age: 0 to 120; None is unknown.
    """
    wanted = {SYMPTOMS, CHILD, *(() if summary is None else findings(summary))}
    band = band_of(age)
    lines = (row.line for row in table() if band in row.bands and row.line.finding in wanted)
    return Advice(NOTICE, band, tuple(lines))


def band_of(age: int | None) -> str:
    """Return the name of the age band of `age`, in years."""
    if age is None:
        return UNKNOWN_AGE
    return [name for name, start in BANDS.items() if age >= start][-1]


def findings(summary: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the findings of the table that the figures of a recording reach."""
    there = {**_ventricular(summary), **_supraventricular(summary), **_rate(summary)}
    there["little signal"] = (
        summary["analysable_percent"] < LITTLE_PERCENT
        or summary["beats"] == summary["unusable_beats"]
    )
    return tuple(name for name, is_there in there.items() if is_there) or (NOTHING,)


def _ventricular(summary: Mapping[str, Any]) -> dict[str, bool]:
    beats, found = summary["by_class"]["V"], summary["ventricular"]
    # A share of few beats is chance.
    many = beats["burden_percent"] >= MANY_V_PERCENT and beats["count"] > FREQUENT_V_AN_HOUR
    return {
        "runs of V beats": found["runs"] > 0,
        "many V beats": many,
        "frequent V beats": not many and beats["count"] > FREQUENT_V_AN_HOUR * _hours(summary),
        "V beats in pairs or bigeminy": found["couplets"] + found["bigeminy"] > 0,
    }


def _supraventricular(summary: Mapping[str, Any]) -> dict[str, bool]:
    count, found = summary["by_class"]["S"]["count"], summary["supraventricular"]
    many = count >= MANY_S_AN_HOUR * max(1.0, _hours(summary))
    return {
        "runs of S beats": found["runs"] > 0,
        "many S beats": many or found["longest_run"] >= LONG_S_RUN,
    }


def _rate(summary: Mapping[str, Any]) -> dict[str, bool]:
    mean, longest = summary["heart_rate"]["mean"], summary["pauses"]["longest_s"]
    return {
        "pause over 3 s": longest is not None and longest > LONG_PAUSE_S,
        "pause over 2 s": longest is not None and longest <= LONG_PAUSE_S,
        "slow rate": mean is not None and mean < SLOW_BPM,
        "fast rate": mean is not None and mean > FAST_BPM,
    }


def _hours(summary: Mapping[str, Any]) -> float:
    """Return the hours that could be analysed."""
    return float(summary["duration_s"] * summary["analysable_percent"] / 100 / 3600)


@lru_cache
def table() -> tuple[Row, ...]:
    """Return the table as it stands in the package."""
    cited = {one["key"]: f"{one['citation']}, doi:{one['doi']}" for one in _read("advice_sources")}
    return tuple(
        Row(
            Line(
                one["finding"],
                one["text"],
                "; ".join(cited[key] for key in one["sources"].split("; ")),
            ),
            frozenset(one["ages"].split("; ")),
        )
        for one in _read("advice")
    )


def _read(name: str) -> list[dict[str, str]]:
    """Return the rows of a table of the package; lines that begin with # are for its readers."""
    text = files("ecg").joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(row for row in text.splitlines() if not row.startswith("#")))
