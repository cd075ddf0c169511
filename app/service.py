"""The models that the service runs, and the one way in which it classifies."""

import ctypes
import logging
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeVar

import anyio
import msgspec
import numpy as np
from fastapi import Request
from numpy.typing import NDArray

from app.artefacts import DEFAULT_MODEL, RHYTHM_MODEL, default_model, folders
from app.fetch import LIMIT_S
from app.pinned import check
from app.problems import NOT_READY, ProblemError, invalid
from app.schemas import BeatAnswer, BeatsAnswer, Explanations, Proba, model_id
from app.settings import Pinned
from ecg.aami import CLASSES
from ecg.analysis import RhythmBy
from ecg.artefact import MANIFEST
from ecg.beat_rows import BeatRows
from ecg.classifier import Classifier, load
from ecg.errors import ArtefactError
from ecg.explain import explain
from ecg.exports import to_explanations
from ecg.record import Record
from ecg.rhythm import RhythmModel
from ecg.rhythm import load as load_rhythm

T = TypeVar("T")
Model = TypeVar("Model", Classifier, RhythmModel)

INLINE_BEATS: Final = 16
"""A hop to a thread costs more than a few beats do; more beats would hold up other requests."""
INLINE_BYTES: Final = 64 * 1024
THREADS: Final = 2

_log = logging.getLogger("beatwise")


@dataclass(frozen=True)
class Models:
    """The verified models by name, or the reason why there are none; rhythm: that of recordings."""

    by_name: dict[str, Classifier]
    reason: str = ""
    rhythm: RhythmModel | None = None

    def required(self) -> dict[str, Classifier]:
        """Return the models; raises ProblemError (503) with the reason when there are none."""
        if self.reason:
            raise ProblemError(NOT_READY, self.reason, headers={"Retry-After": "30"})
        return self.by_name

    @property
    def rhythm_by(self) -> RhythmBy | None:
        """Return what tells a rhythm, None where its model or that of the beats is not there."""
        if self.rhythm is None or DEFAULT_MODEL not in self.by_name:
            return None
        return RhythmBy(self.rhythm, self.by_name[DEFAULT_MODEL])

    @property
    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of each model's manifest, by name."""
        return {name: model.sha256 for name, model in self.every.items()}

    @property
    def every(self) -> dict[str, Classifier | RhythmModel]:
        """Return all models by name."""
        found: dict[str, Classifier | RhythmModel] = {**self.required()}
        return found if self.rhythm is None else {**found, RHYTHM_MODEL: self.rhythm}


@dataclass(frozen=True)
class Work:
    """Beats to classify, as `Classifier.of_cuts` takes them."""

    classifier: Classifier
    cuts: list[NDArray[np.float64]]
    fs: float
    r_peaks: list[int | None] | None = None
    rr: NDArray[np.float64] | None = None
    explain: bool = False


def load_models(source: Path | Pinned) -> Models:
    """Load every model, verify it and replay its golden beats; one bad, none served.

    Of a pinned folder, all that was loaded must be of the revision.
    """
    try:
        if isinstance(source, Path):
            return _loaded(source)
        models = _loaded(Path(source.address))
        check(models.hashes, source)
    except ArtefactError as error:
        return Models({}, str(error))
    return models


async def bring_models(pinned: Pinned) -> Models:
    """Bring models from S3 to a temporary folder, which is gone when this returns; load them."""
    command = [sys.executable, "-m", "app.fetch", pinned.address, pinned.revision]
    try:
        with TemporaryDirectory(prefix="beatwise-") as folder:
            done = await anyio.run_process([*command, folder], check=False, stderr=None)
            if done.returncode:
                said = done.stdout.decode(errors="replace")
                limits = f"{pinned.address}: more than {LIMIT_S} s, or more than models may take"
                return Models({}, said or limits)
            brought = Pinned(folder, pinned.revision)
            models = await anyio.to_thread.run_sync(load_models, brought)
            return replace(models, reason=models.reason.replace(folder, pinned.address))
    except OSError as error:
        return Models({}, f"there is no folder for the models: {error}; mount /tmp, or set TMPDIR")


def release_memory() -> None:
    """Give back what loading the models took and freed, where the C library can: some 17 MB."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def models_of(request: Request) -> Models:
    """Return the models that the application of `request` loaded."""
    models: Models = request.app.state.models
    return models


async def answer(
    request: Request, body: bytes, parse: Callable[[bytes], Work]
) -> tuple[bytes, int]:
    """Parse and classify; return the encoded answer and the number of beats.

    Raises what `parse` and `Classifier.of_cuts` raise.
    """
    started = time.perf_counter()
    if len(body) > INLINE_BYTES:
        return await in_thread(request, lambda: classify(parse(body), started))
    work = parse(body)
    if len(work.cuts) > INLINE_BEATS or work.explain:
        return await in_thread(request, lambda: classify(work, started))
    return classify(work, started)


def classify(work: Work, started: float) -> tuple[bytes, int]:
    """Return the encoded answer and the number of beats; `started` is of `perf_counter`."""
    made = work.classifier.of_cuts(work.cuts, work.fs, work.r_peaks, work.rr)
    proba = work.classifier.predict(made)
    beats, why = _beat_answers(proba), None
    if work.explain:
        found = explain(work.classifier, made, proba, np.arange(len(made)))
        why = msgspec.convert(to_explanations(found), Explanations)
    model = model_id(work.classifier)
    timing_ms = round(1000 * (time.perf_counter() - started), 3)
    return msgspec.json.encode(BeatsAnswer(beats, why, model, timing_ms)), len(beats)


async def in_thread(request: Request, call: Callable[[], T], *, heavy: bool = False) -> T:
    """Run `call` beside the event loop; of `heavy` calls, which hold much memory, one at a time."""
    state = request.app.state
    limiter: anyio.CapacityLimiter = state.heavy_limiter if heavy else state.limiter
    # Left alone where the service stops and its time is up: nobody waits for the answer any more.
    return await anyio.to_thread.run_sync(call, limiter=limiter, abandon_on_cancel=True)


def chosen_model(
    name: str | None, models: Models, opened: Record | BeatRows | None = None
) -> Classifier:
    """Return the model of that name, for None the default of what was opened.

    Raises ProblemError (422) for a name that is not known.
    """
    known = models.required()
    wanted = default_model(opened, known) if name is None else name
    if wanted not in known:
        raise invalid("model", "is not a model of this service", ", ".join(known))
    return known[wanted]


def _beat_answers(proba: NDArray[np.float32]) -> list[BeatAnswer]:
    rounded = proba.astype(np.float64).round(6).tolist()
    return [
        BeatAnswer(CLASSES[best], row[best], round(1 - row[0], 6), Proba(*row))
        for best, row in zip(proba.argmax(axis=1).tolist(), rounded, strict=True)
    ]


def _loaded(folder: Path) -> Models:
    found = folders(folder)
    by_name = {p.name: _verified(p, load) for p in found if p.name != RHYTHM_MODEL}
    rhythm = next((_verified(p, load_rhythm) for p in found if p.name == RHYTHM_MODEL), None)
    return Models(by_name, rhythm=rhythm)


def _verified(folder: Path, load_from: Callable[[Path], Model]) -> Model:
    try:
        model = load_from(folder)
        model.replay()
    except ArtefactError as error:
        text = str(error)
        raise ArtefactError(text if str(folder) in text else f"{folder}: {text}") from error
    except Exception as error:  # the process edge: an artefact never stops /health/live
        _log.exception("loading %s", folder)
        raise ArtefactError(f"{folder / MANIFEST} or a file it names cannot be loaded") from error
    if model.name != folder.name:
        raise ArtefactError(f"{folder / MANIFEST} is of another model than its folder's name")
    return model
