"""`make bench`: what Beatwise costs, beside the naive way, measured in the same run.

Rounds are interleaved, so that the noise of a shared machine hits both ways alike. Each figure is
the median over rounds; the lowest and the highest round stand beside it.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from app.routes import parse_beats
from app.service import Models
from app.settings import Settings
from benchmarks import naive
from benchmarks.figures import WAYS, Figure, Way, rows, table
from benchmarks.load import Load, apply
from benchmarks.services import Service, resident_mb, running
from ecg import classifier
from ecg.beats import from_cuts
from ecg.errors import ArtefactError

OUTPUT: Final = Path("build/bench.json")
MODEL: Final = Path("models/convxgb")
SAMPLES: Final = Path("samples/beats.npz")
ROUTE: Final = "/v1/beats"
FS: Final = 360.0
BEFORE: Final = 93
AFTER: Final = 94
"""187 samples at 360 Hz, as the public MIT-BIH APIs take."""
BATCHES: Final = (32, 1024)
BULK: Final = 1000
MOST: Final = 20_000
"""Calls or requests of one measurement."""
WARM_UP_CLIENTS: Final = 8
WARM_UP_S: Final = 75.0
PAUSE_S: Final = 0.05
"""XGBoost's idle threads spin for some milliseconds, which the next measurement would pay for."""

Cuts = Sequence[NDArray[np.float64]]
Classify = Callable[[Cuts], NDArray[np.float32]]
Measurement = Callable[[Way], Iterable[Figure]]


@dataclass(frozen=True)
class Plan:
    """restarts, rounds: repetitions; seconds: of one measurement; requests: to warm up."""

    restarts: int
    rounds: int
    clients: tuple[int, ...]
    seconds: dict[Way, float]
    requests: int


FULL: Final = Plan(2, 5, (1, 8, 64), {"beatwise": 1.0, "naive": 1.5}, 1000)
QUICK: Final = Plan(0, 1, (1, 8), {"beatwise": 0.1, "naive": 0.1}, 10)


@dataclass(frozen=True)
class Subject:
    """What is measured: either way in this process and as a service, on the same beats."""

    classify: dict[Way, Classify]
    parse: dict[Way, Callable[[bytes], object]]
    modules: dict[Way, tuple[str, ...]]
    cuts: Cuts
    trained: bool

    def many(self, n: int) -> Cuts:
        """Return n beats, the sample beats over and over."""
        return [self.cuts[i % len(self.cuts)] for i in range(n)]

    def body(self, n: int) -> bytes:
        """Return the JSON of /v1/beats with n beats."""
        return msgspec.json.encode({"fs": FS, "beats": [cut.tolist() for cut in self.many(n)]})


def main() -> None:
    """Measure, write `OUTPUT`, print a table, or JSON alone."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--quick", action="store_true", help="a smoke run: its figures mean little")
    given = parser.parse_args()
    subject = load_subject()
    found = rows(measure(subject, QUICK if given.quick else FULL))
    notes = {"quick": given.quick, **describe(subject)}
    text = json.dumps({**notes, "rows": [asdict(row) for row in found]}, indent=1)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(text + "\n")
    print(text if given.json else f"{_header(notes)}\n\n{table(found)}")


def load_subject() -> Subject:
    """Load both ways and cut the sample beats; raises SystemExit when there is no artefact."""
    try:
        served = classifier.load(MODEL)
    except ArtefactError as error:
        raise SystemExit(f"bench: {error}") from None
    weights = naive.weights()
    usual = naive.load(weights)
    models, most = Models({served.name: served}), Settings().max_beats
    return Subject(
        classify={
            "beatwise": lambda cuts: served.predict(from_cuts(cuts, FS)),
            "naive": lambda cuts: usual.predict(from_cuts(cuts, FS)),
        },
        parse={"beatwise": lambda body: parse_beats(body, models, most), "naive": naive.parse},
        modules={
            "beatwise": ("app",),
            "naive": ("benchmarks.naive", "--weights", *map(str, weights)),
        },
        cuts=sample_cuts(),
        trained=weights == naive.TRAINED,
    )


def sample_cuts() -> Cuts:
    """Return the sample beats, real ones: each 187 samples in mV at 360 Hz."""
    with np.load(SAMPLES, allow_pickle=False) as file:
        signal, r_peak = file["signal"].astype(np.float64).round(3), file["r_peak"].tolist()
    return [beat[r - BEFORE : r + AFTER] for beat, r in zip(signal, r_peak, strict=True)]


def describe(subject: Subject) -> dict[str, Any]:
    """Return what a reader must know to read the figures."""
    classes = [subject.classify[way](subject.cuts).argmax(axis=1) for way in WAYS]
    same = f"{int((classes[0] == classes[1]).sum())} of {len(subject.cuts)}"
    return {
        "naive_weights": "trained" if subject.trained else "stand-in",
        "same_class": same if subject.trained else None,
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
    }


def measure(subject: Subject, plan: Plan) -> Iterator[Figure]:
    """Yield the figures of start-up, of each interleaved round, and of memory."""
    per_round = 3 + len(BATCHES) + len(plan.clients)
    steps = len(WAYS) * (plan.restarts + 2 + plan.rounds * per_round)
    with tqdm(total=steps, desc="bench", unit="step") as bar, ExitStack() as stack:
        for _ in range(plan.restarts):
            yield from _both(bar, WAYS, partial(_start, subject))
        services = {way: stack.enter_context(running(*subject.modules[way])) for way in WAYS}
        yield from _both(bar, WAYS, partial(_warm_up, subject, services, plan))
        for number in range(plan.rounds):
            ways = WAYS if number % 2 == 0 else WAYS[::-1]
            for one in _measurements(subject, services, plan):
                yield from _both(bar, ways, one)
        yield from _both(bar, WAYS, partial(_memory, services, "at the end"))


def _both(bar: "tqdm[Any]", ways: Sequence[Way], one: Measurement) -> Iterator[Figure]:
    for way in ways:
        time.sleep(PAUSE_S)
        yield from one(way)
        bar.update()


def _measurements(
    subject: Subject, services: dict[Way, Service], plan: Plan
) -> Iterator[Measurement]:
    yield partial(_one_beat, subject, plan)
    for n in BATCHES:
        yield partial(_batch, subject, plan, n)
    yield partial(_parse, subject, plan)
    for clients in plan.clients:
        yield partial(_http, subject, services, plan, clients)
    yield partial(_http_bulk, subject, services, plan)


def _start(subject: Subject, way: Way) -> Iterator[Figure]:
    with running(*subject.modules[way]) as service:
        yield _started(service, way)


def _started(service: Service, way: Way) -> Figure:
    return Figure("start-up until ready", "s", way, service.start_s)


def _warm_up(
    subject: Subject, services: dict[Way, Service], plan: Plan, way: Way
) -> Iterator[Figure]:
    yield _started(services[way], way)
    load = Load(WARM_UP_CLIENTS, plan.requests, WARM_UP_S)
    apply(services[way].port, ROUTE, subject.body(1), load)
    yield from _memory(services, f"after up to {plan.requests:,} requests", way)
    apply(services[way].port, ROUTE, subject.body(BULK), Load(1, 2, WARM_UP_S))
    subject.parse[way](subject.body(BULK))
    for n in (1, *BATCHES):
        subject.classify[way](subject.many(n))


def _one_beat(subject: Subject, plan: Plan, way: Way) -> Iterator[Figure]:
    each = cycle(subject.cuts)
    times = _repeat(lambda: subject.classify[way]([next(each)]), plan.seconds[way])
    yield from _percentiles("in process, one beat", way, times)
    yield Figure("in process, batch of 1", "beats/s", way, 1000 / float(np.mean(times)))


def _batch(subject: Subject, plan: Plan, n: int, way: Way) -> Iterator[Figure]:
    cuts = subject.many(n)
    times = _repeat(lambda: subject.classify[way](cuts), plan.seconds[way] / 2)
    yield Figure(f"in process, batch of {n:,}", "beats/s", way, 1000 * n / float(np.median(times)))


def _parse(subject: Subject, plan: Plan, way: Way) -> Iterator[Figure]:
    body = subject.body(BULK)
    times = _repeat(lambda: subject.parse[way](body), plan.seconds[way] / 4)
    yield Figure(f"parse {BULK:,} beats", "ms", way, float(np.median(times)))


def _http(
    subject: Subject, services: dict[Way, Service], plan: Plan, clients: int, way: Way
) -> Iterator[Figure]:
    load = Load(clients, MOST, plan.seconds[way])
    outcome = apply(services[way].port, ROUTE, subject.body(1), load)
    what = f"HTTP, one beat, {clients} client{'s' if clients > 1 else ''}"
    yield from _percentiles(what, way, outcome.latencies_ms)
    yield Figure(what, "requests/s", way, outcome.rate)


def _http_bulk(
    subject: Subject, services: dict[Way, Service], plan: Plan, way: Way
) -> Iterator[Figure]:
    load = Load(1, MOST, plan.seconds[way])
    outcome = apply(services[way].port, ROUTE, subject.body(BULK), load)
    per_second = 1000 * BULK / float(np.median(outcome.latencies_ms))
    yield Figure(f"HTTP, {BULK:,} beats a request", "beats/s", way, per_second)


def _memory(services: dict[Way, Service], when: str, way: Way) -> Iterator[Figure]:
    yield Figure(f"resident memory {when}", "MB", way, resident_mb(services[way].process.pid))


def _percentiles(what: str, way: Way, times: Sequence[float]) -> Iterator[Figure]:
    p50, p99 = np.percentile(times, (50, 99)).tolist()
    yield Figure(f"{what}, p50", "ms", way, p50)
    yield Figure(f"{what}, p99", "ms", way, p99)


def _repeat(call: Callable[[], object], seconds: float) -> list[float]:
    """Return the milliseconds of each call, until `seconds` or `MOST` calls have passed."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while not times or (time.perf_counter() < end and len(times) < MOST):
        started = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - started))
    return times


def _header(notes: dict[str, Any]) -> str:
    weights = {
        "trained": f"trained weights ({notes['same_class']} sample beats get the same class)",
        "stand-in": "untrained weights of the same size (`dvc repro` leaves trained ones)",
    }
    return (
        "Median over rounds (lowest - highest); times: how many times better Beatwise is.\n"
        f"Naive: Keras predict and XGBoost, {weights[notes['naive_weights']]}.\n"
        f"{notes['cpus']} CPUs, Python {notes['python']}, service and load on one machine."
    )


if __name__ == "__main__":
    main()
