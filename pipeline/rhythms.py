"""Recordings whose rhythm is made up: real beats of class N moved in time, ectopic where early.

DS1 holds no recording in which the ectopic rhythm is the majority, no sinus arrest and hardly a
block. Here the beats of a real recording follow each other at intervals of our choosing: what lies
between T wave and P wave is cut short or drawn out, and ectopic beats get another P wave. Half of
the kinds hold no ectopic beat at all, so that being made up is not what tells.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.aami import CLASSES
from ecg.filters import FS

Array = NDArray[np.float64]

BEATS: Final = 400
P_SAMPLES: Final = round(0.24 * FS)
"""Before the R peak: the P wave and the PR segment."""
PR_SAMPLES: Final = round(0.05 * FS)
T_SAMPLES: Final = round(0.42 * FS)
"""After the R peak: QRS and T wave, where the interval leaves room for them."""
SHORTEST_S: Final = 0.26


@dataclass(frozen=True)
class Rhythm:
    """interval: (n,) from the beat before, over the source's mean RR; ectopic, fibrillating: (n,).

    Fibrillating beats have no P wave and are conducted: of class N.
    """

    interval: Array
    ectopic: NDArray[np.bool_]
    fibrillating: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Made:
    """canonical: (n_samples,) at `FS`; r_peaks: (n,) in it; label: (n,) index in CLASSES."""

    canonical: Array
    r_peaks: NDArray[np.int64]
    label: NDArray[np.int64]


def sinus(rng: np.random.Generator, n: int) -> Array:
    """Return intervals of a sinus rhythm about 1: breathing, drift and scatter."""
    breath = rng.uniform(0, 0.1) * np.sin(np.arange(n) * rng.uniform(0.8, 2.2))
    drift = np.cumsum(rng.standard_normal(n)) * rng.uniform(0, 0.006)
    scatter = rng.standard_normal(n) * rng.uniform(0.005, 0.03)
    return np.asarray(np.clip(1 + breath + drift - drift.mean() + scatter, 0.6, 1.6))


def arrhythmic(rng: np.random.Generator, n: int) -> Rhythm:
    """Respiratory sinus arrhythmia, marked: no ectopic beat."""
    breath = rng.uniform(0.08, 0.28) * np.sin(np.cumsum(rng.uniform(0.6, 1.6, n)))
    return Rhythm(sinus(rng, n) * (1 + breath), np.zeros(n, np.bool_))


def with_pauses(rng: np.random.Generator, n: int) -> Rhythm:
    """Sinus arrest or blocked beats: long intervals, no ectopic beat."""
    long = rng.random(n) < np.exp(rng.uniform(np.log(0.01), np.log(0.35)))
    blocked = rng.random() < 0.6
    length = rng.uniform(1.9, 2.1, n) if blocked else rng.uniform(1.3, 3.0, n)
    return Rhythm(sinus(rng, n) * np.where(long, length, 1), np.zeros(n, np.bool_))


def changing(rng: np.random.Generator, n: int) -> Rhythm:
    """Sinus rhythm whose rate rises and falls within seconds: no ectopic beat."""
    knots = np.arange(0, n + 40, int(rng.integers(15, 60)))
    rate = np.interp(np.arange(n), knots, rng.uniform(0.65, 1.2, len(knots)))
    return Rhythm(sinus(rng, n) * rate, np.zeros(n, np.bool_))


def premature(rng: np.random.Generator, n: int) -> Rhythm:
    """Single premature beats, rare or frequent, the rhythm reset or compensated after them."""
    ectopic = rng.random(n) < np.exp(rng.uniform(np.log(0.005), np.log(0.2)))
    if rng.random() < 0.3:
        start, every = int(rng.integers(0, n // 2)), int(rng.integers(2, 5))
        ectopic[start : start + int(rng.integers(20, n // 2)) : every] = True
    ectopic[1:] &= ~ectopic[:-1]
    coupling = np.clip(rng.uniform(0.5, 0.88) + 0.04 * rng.standard_normal(n), 0.4, 0.92)
    interval = sinus(rng, n)
    after = np.roll(ectopic, 1)
    interval[after] *= rng.uniform(1.0, 1.4)
    return Rhythm(np.where(ectopic, coupling * interval, interval), ectopic)


def in_runs(rng: np.random.Generator, n: int) -> Rhythm:
    """Runs of an ectopic rhythm within sinus rhythm."""
    between = float(rng.uniform(8, 60))
    return _runs(rng, n, float(rng.uniform(2, 30)), between, (1.0, 1.6))


def frequent(rng: np.random.Generator, n: int) -> Rhythm:
    """Ectopic beats as often as not, alone, in pairs and in short runs."""
    ectopic = rng.random(n) < rng.uniform(0.15, 0.7)
    interval = sinus(rng, n)
    spread = rng.uniform(0.01, 0.1)
    coupling = np.clip(rng.uniform(0.5, 0.85) + spread * rng.standard_normal(n), 0.35, 0.92)
    after = np.roll(ectopic, 1) & ~ectopic
    pause = rng.uniform(1.0, 1.2) + np.abs(spread * rng.standard_normal(n))
    return Rhythm(interval * np.where(ectopic, coupling, np.where(after, pause, 1)), ectopic)


def mostly_ectopic(rng: np.random.Generator, n: int) -> Rhythm:
    """An ectopic rhythm with pauses, after which the sinus node gives a beat or two."""
    return _runs(rng, n, float(rng.uniform(2, 25)), float(rng.uniform(1, 3)), (1.0, 3.0))


def fibrillating(rng: np.random.Generator, n: int) -> Rhythm:
    """Atrial fibrillation for a while or throughout, sinus rhythm else: no ectopic beat."""
    start = int(rng.integers(0, n // 2))
    during = np.zeros(n, np.bool_)
    during[start : start + int(rng.integers(20, n))] = True
    irregular = rng.uniform(0.5, 1.1) * np.exp(rng.uniform(0.1, 0.3) * rng.standard_normal(n))
    interval = np.where(during, np.clip(irregular, 0.35, 2.2), sinus(rng, n))
    return Rhythm(interval, np.zeros(n, np.bool_), during)


Kind = Callable[[np.random.Generator, int], Rhythm]
KINDS: Final[tuple[Kind, ...]] = (
    *(arrhythmic, with_pauses, changing, fibrillating),
    *(premature, frequent, in_runs, mostly_ectopic),
)


def make(
    canonical: Array,
    r_peaks: NDArray[np.int64],
    usable: NDArray[np.bool_],
    rhythm: Rhythm,
    rng: np.random.Generator,
) -> Made:
    """Return a recording in `rhythm` of beats of a real one.

    canonical: (n_samples,) at `FS`, as `ecg.beats.clean` returns it; r_peaks: (n_beats,) in it;
    usable: (n_beats,) beats of class N whose neighbours are of class N too, at least one.
    """
    rr = np.diff(r_peaks)
    taken = np.flatnonzero(usable[1:-1]) + 1
    mean = float(rr[taken - 1].mean())
    start = int(rng.integers(len(taken)))
    source = taken[(start + np.arange(len(rhythm.interval))) % len(taken)]
    lengths = np.maximum(np.rint(rhythm.interval * mean), round(SHORTEST_S * FS)).astype(np.int64)
    fibrillating = rhythm.fibrillating
    if fibrillating is None:
        fibrillating = np.zeros(len(source), np.bool_)
    ectopic_wave, no_wave = _other_p_wave(rng), _without_p_wave
    parts = [canonical[r_peaks[source[0]] - P_SAMPLES : r_peaks[source[0]]]]
    for k, (before, beat, length) in enumerate(zip(source, source[1:], lengths[1:], strict=False)):
        tail = canonical[r_peaks[before] : r_peaks[before] + max(rr[before] - P_SAMPLES, 20)]
        room = min(max(int(rr[beat - 1]) - T_SAMPLES, P_SAMPLES), int(length) - PR_SAMPLES)
        head = canonical[r_peaks[beat] - room : r_peaks[beat]]
        if rhythm.ectopic[k + 1]:
            head = ectopic_wave(head)
        elif fibrillating[k + 1]:
            head = no_wave(head)
        parts.append(_between(tail, head, int(length)))
    last = r_peaks[source[-1]]
    parts.append(canonical[last : last + rr[source[-1]]])
    peaks = np.cumsum([len(part) for part in parts[:-1]])
    made = np.concatenate(parts)
    during = np.repeat(fibrillating, np.diff(peaks, prepend=0, append=0)[:-1])
    amplitude = rng.uniform(0, 0.08) * float(np.ptp(made[peaks[0] - 10 : peaks[0] + 10]))
    made[: len(during)] += amplitude * during * _fibrillation(rng, len(during))
    label = np.where(rhythm.ectopic, CLASSES.index("S"), CLASSES.index("N"))
    return Made(made, peaks, label)


def _runs(
    rng: np.random.Generator, n: int, mean_run: float, between: float, pause: tuple[float, float]
) -> Rhythm:
    base, ratio = sinus(rng, n), float(rng.uniform(0.45, 0.85))
    scatter = rng.uniform(0.005, 0.08)
    interval, ectopic = base.copy(), np.zeros(n, np.bool_)
    warming = rng.random() < 0.3
    at = 1 + int(rng.geometric(1 / between))
    while at < n:
        end = min(at + int(rng.geometric(1 / mean_run)), n)
        ectopic[at:end] = True
        ran = ratio * (1 + scatter * rng.standard_normal(end - at))
        if warming:
            ran *= 1 + 0.15 * np.exp(-np.arange(end - at) / 3)
        interval[at:end] = np.clip(ran, 0.35, 0.92) * base[at:end]
        if end < n:
            interval[end] *= rng.uniform(*pause)
        at = end + int(rng.geometric(1 / between))
    return Rhythm(interval, ectopic)


def _other_p_wave(rng: np.random.Generator) -> Callable[[Array], Array]:
    """Return what gives the part before an R peak another P wave: less, inverted, moved or none."""
    scale = float(rng.choice([0.0, 0.5, -0.7, 1.0])) + 0.1 * float(rng.standard_normal())
    moved = int(rng.integers(-5, 6))
    height, centre, width = rng.normal(0, 0.06), rng.uniform(0.1, 0.2), rng.uniform(0.015, 0.03)

    def change(head: Array) -> Array:
        where, line = _under_p_wave(head)
        n = len(line)
        if n < 8:
            return head
        wave = (head[where] - line) * np.hanning(n) ** 0.25
        at = (n + PR_SAMPLES - np.arange(n)) / FS
        bump = height * np.ptp(head) * np.exp(-(((at - centre) / width) ** 2) / 2)
        out = head.copy()
        out[where] = line + scale * np.roll(wave, moved) + bump * np.hanning(n) ** 0.25
        return out

    return change


def _without_p_wave(head: Array) -> Array:
    """Return the part before an R peak with a line in the place of its P wave."""
    where, line = _under_p_wave(head)
    out = head.copy()
    out[where] = line
    return out


def _under_p_wave(head: Array) -> tuple[slice, Array]:
    """Return where the P wave lies before an R peak, and the line between that part's ends."""
    n = min(len(head), P_SAMPLES + 5) - PR_SAMPLES
    where = slice(len(head) - PR_SAMPLES - n, len(head) - PR_SAMPLES)
    return where, np.linspace(head[where][0], head[where][-1], n)


def _fibrillation(rng: np.random.Generator, n: int) -> Array:
    """Return waves (n,) of 4 to 9 Hz that wander in rate and height, about 1 high."""
    rate = rng.uniform(4, 9) + np.cumsum(rng.standard_normal(n)) * 0.02
    height = 1 + 0.4 * np.sin(np.cumsum(rng.uniform(0, 0.02, n)))
    return np.asarray(height * np.sin(2 * np.pi * np.cumsum(np.clip(rate, 3, 10)) / FS))


def _between(tail: Array, head: Array, length: int) -> Array:
    """Return `length` samples that begin as `tail` and end as `head`."""
    missing = length - len(tail) - len(head)
    if missing > 0:
        return np.concatenate([tail, _quiet(tail, float(head[0]), missing), head])
    head = head[-length:]
    tail = tail[:length]
    first, last = length - len(head), len(tail)
    share = np.clip((np.arange(length) - first + 1) / (last - first + 1), 0, 1)
    out = np.zeros(length)
    out[:last] = tail * (1 - share[:last])
    out[first:] += head * share[first:]
    return out


def _quiet(tail: Array, end: float, n: int) -> Array:
    """Return `n` samples from the end of `tail` to `end`: diastole, mirrored as often as needed."""
    diastole = tail[round(0.75 * len(tail)) :]
    there_and_back = np.concatenate([diastole[::-1], diastole])
    filled = np.resize(there_and_back, n)
    trend = np.linspace(tail[-1] - filled[0], end - filled[-1], n)
    return np.asarray(filled + trend)
