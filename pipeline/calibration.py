"""Probabilities that mean what they say: one temperature, found on beats that were not learnt."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

LEAST: Final = 1e-6
"""Probability below which nothing more is said."""


def calibrated(proba: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Return proba (n, 5) at a temperature (Guo et al., ICML 2017): above 1 they are less sure."""
    powered = np.maximum(proba, LEAST) ** (1 / temperature)
    return np.asarray(powered / powered.sum(axis=1, keepdims=True))


def temperature_of(proba: NDArray[np.float64], label: NDArray[np.int64]) -> float:
    """Return the temperature under which the labels (n,) of proba (n, 5) are the likeliest."""

    def loss(logarithm: float) -> float:
        of_label = calibrated(proba, float(np.exp(logarithm)))[np.arange(len(label)), label]
        return float(-np.log(np.maximum(of_label, 1e-12)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2, 2), method="bounded").x))
