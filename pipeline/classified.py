"""The beats of a lead as the service finds and classifies them: what the rhythm is told from."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ecg.classifier import Classifier, load
from ecg.locate import Located, locate
from pipeline import dataset


def classified(lead: NDArray[np.floating], fs: float) -> tuple[Located, NDArray[np.float32]]:
    """Return what is found in a lead (n_samples,) and CONVXGB's proba (n_beats, 5)."""
    found = locate(lead, fs)
    return found, _classifier().of_recording(found.ready, found.quality.usable)


@cache
def _classifier() -> Classifier:
    return load(dataset.ARTEFACTS / dataset.CONVXGB / "inter_patient")
