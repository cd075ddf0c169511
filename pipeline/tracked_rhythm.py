"""The script of the rhythm's model that `track` registers: recordings in rows, rhythms out.

As `tracked_model`, it imports nothing of `pipeline`: MLflow keeps this file, `ecg/` and the folders
of both artefacts, that of the rhythm and that of the beats it is told from.
"""

from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecg import classifier, rhythm
from ecg.errors import InputError
from ecg.filters import FS
from ecg.locate import locate
from ecg.record import FS_RANGE, SHORTEST_S
from ecg.rhythm import RHYTHMS, STEP_S, WHOLE_S, Rhythm


class TrackedRhythm(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """Two verified artefacts; MLflow takes nothing but a subclass of its own PythonModel."""

    def load_context(self, context: Any) -> None:
        """Load both artefacts as the service does and replay what is golden in them.

        Raises ArtefactError when a file is missing or altered, or the golden answer is another.
        """
        self.beats = classifier.load(Path(context.artifacts["convxgb"]))
        self.rhythm = rhythm.load(Path(context.artifacts["rhythm"]))
        self.beats.replay()
        self.rhythm.replay()

    def predict(self, context: Any, model_input: pd.DataFrame) -> pd.DataFrame:  # noqa: ARG002
        """Return the rhythm of each row, its probability, and those of all rhythms.

        model_input: signal (n_samples,), one lead in any unit at fs Hz, `SHORTEST_S` to `WHOLE_S`,
        null where missing. Where no beat is usable, the rhythm is `~` and no probability is known.
        Raises InputError with the number of the row.
        """
        rows = zip(model_input["signal"], model_input["fs"].astype(np.float64), strict=True)
        answers = [self.answer(signal, fs, row) for row, (signal, fs) in enumerate(rows)]
        proba = [one.proba[0] for one in answers]
        found = pd.DataFrame(proba, model_input.index, list(RHYTHMS), np.float64)
        found.insert(0, "rhythm", [RHYTHMS[one.rhythm[0]] for one in answers])
        found.insert(1, "confidence", found[list(RHYTHMS)].max(axis=1))
        return found.replace({np.nan: None})  # NaN is no JSON

    def answer(self, given: Any, fs: float, row: int) -> Rhythm:
        """Return the one answer to a recording; raises InputError, as `predict` does."""
        found = locate(as_signal(given, fs, row), fs)
        seconds = len(found.ready.canonical) / FS
        if seconds > WHOLE_S:
            accepted = f"up to {WHOLE_S:g} s; the service answers longer ones every {STEP_S:g} s"
            raise InputError(f"signal[{row}]", f"lasts {seconds:.1f} s", accepted)
        proba = self.beats.of_recording(found.ready, found.quality.usable)
        return self.rhythm.classify(found, proba)


def as_signal(given: Any, fs: float, row: int) -> NDArray[np.float32]:
    """Return a lead (n_samples,), NaN where missing; raises InputError, as `predict` does."""
    if not FS_RANGE[0] <= fs <= FS_RANGE[1]:
        accepted = f"{FS_RANGE[0]:g} to {FS_RANGE[1]:g} Hz"
        raise InputError(f"fs[{row}]", "is out of range", accepted)
    signal = np.asarray(given, np.float32)
    if signal.ndim != 1:
        raise InputError(f"signal[{row}]", "is no list of numbers", "one lead")
    if len(signal) < SHORTEST_S * fs:
        accepted = f"{SHORTEST_S:g} to {WHOLE_S:g} s"
        raise InputError(f"signal[{row}]", f"lasts {len(signal) / fs:.1f} s", accepted)
    if not np.isfinite(signal).any():
        raise InputError(f"signal[{row}]", "has no finite sample", "a signal")
    return signal


# Models from code: MLflow runs this file and takes what it sets.
mlflow.models.set_model(TrackedRhythm())
