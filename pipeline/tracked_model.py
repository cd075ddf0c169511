"""The script of every model that `track` registers: beats in rows, classes out, by `ecg` alone.

MLflow keeps this file, `ecg/` and the artefact's folder (models from code), so that nothing is
pickled. Nothing else of `pipeline` is there where a model is loaded, so none of it is imported.
"""

from pathlib import Path
from typing import Any, Final

import mlflow
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecg import classifier
from ecg.aami import CLASSES
from ecg.context import RR_FIELDS
from ecg.errors import InputError
from ecg.record import FS_RANGE

NUMBERS: Final = ("fs", "r_peak", *RR_FIELDS)


class TrackedModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """A verified artefact; MLflow takes nothing but a subclass of its own PythonModel."""

    def load_context(self, context: Any) -> None:
        """Load the artefact as the service does; its golden beats are replayed before it answers.

        Raises ArtefactError when a file is missing or altered, or a golden beat gets another class.
        """
        (folder,) = context.artifacts.values()
        self.classifier = classifier.load(Path(folder))
        self.classifier.replay()

    def predict(self, context: Any, model_input: pd.DataFrame) -> pd.DataFrame:  # noqa: ARG002
        """Return the class of each row, its probability, and those of all classes.

        model_input: signal (n_samples,) in any unit at fs Hz; where known r_peak, its index, and
        the RR intervals of `RR_FIELDS` in seconds. Raises InputError, as `of_cuts` does.
        """
        rows = as_rows(model_input)
        proba = np.empty((len(rows), len(CLASSES)), np.float32)
        for fs in rows["fs"].unique():
            of_fs = np.flatnonzero(rows["fs"] == fs)
            proba[of_fs] = answer(self.classifier, rows.iloc[of_fs], fs)
        found = pd.DataFrame(proba.astype(np.float64), rows.index, list(CLASSES))
        found.insert(0, "aami_class", np.array(CLASSES)[proba.argmax(axis=1)])
        found.insert(1, "confidence", proba.max(axis=1).astype(np.float64))
        return found


def as_rows(given: pd.DataFrame) -> pd.DataFrame:
    """Return all columns, NaN where unknown; raises InputError for fs or r_peak."""
    rows = given.reindex(columns=["signal", *NUMBERS])
    rows[list(NUMBERS)] = rows[list(NUMBERS)].astype(np.float64)
    if not rows["fs"].between(*FS_RANGE).all():
        raise InputError("fs", "is out of range", f"{FS_RANGE[0]:g} to {FS_RANGE[1]:g} Hz")
    if (rows["r_peak"].dropna() % 1 != 0).any():
        raise InputError("r_peak", "is not a whole number", "the R peak's index in its signal")
    return rows


def answer(served: classifier.Classifier, rows: pd.DataFrame, fs: float) -> NDArray[np.float32]:
    """Return proba (n_rows, 5) of rows of one fs; raises InputError with the number of the row."""
    cuts = [np.asarray(signal, np.float64) for signal in rows["signal"]]
    r_peaks = [None if np.isnan(at) else int(at) for at in rows["r_peak"]]
    rr = rows[list(RR_FIELDS)].to_numpy()
    try:
        return served.predict(served.of_cuts(cuts, fs, r_peaks, rr))
    except InputError as error:
        raise InputError(
            f"rows of {fs:g} Hz: {error.field}", error.problem, error.accepted
        ) from None


# Models from code: MLflow runs this file and takes what it sets.
mlflow.models.set_model(TrackedModel())
