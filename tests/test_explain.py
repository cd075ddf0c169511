"""Why an answer: occlusion by hand, what is explained, and how it travels."""

from typing import Any

import httpx
import numpy as np
import pytest

from app.schemas import EXPLAINED
from ecg import explain
from ecg.analysis import analyse
from ecg.beats import Beats
from ecg.classifier import Classifier
from ecg.context import CONTEXT, RATIOS
from ecg.record import Record
from tests.asking import check_problem, request
from tests.conftest import made_up_beat
from tests.test_detector import made

FS = 250.0


@pytest.fixture(scope="module")
def recording() -> Record:
    return Record(made(FS, 30.0).signal.astype(np.float32)[:, None], FS, ("II",), "made up")


def some_beats(n: int = 6) -> Beats:
    rng = np.random.default_rng(3)
    windows = rng.normal(0, 0.3, (n, 160, 2)).astype(np.float32)
    return Beats(windows, rng.uniform(0.5, 1.5, (n, len(CONTEXT))).astype(np.float32))


def test_every_feature_is_in_one_family() -> None:
    named = [name for names in explain.FAMILIES.values() for name in names]
    assert sorted(named) == sorted(CONTEXT)
    assert set(RATIOS) <= set(explain.FAMILIES["rhythm"])


def test_a_loss_is_what_the_answer_loses_by_hand(model: Classifier) -> None:
    beats = some_beats()
    proba = model.predict(beats)
    found = explain.explain(model, beats, proba, np.arange(len(beats)))
    windows = beats.windows.copy()
    for i in range(len(beats)):
        for channel in range(2):
            line = np.interp(np.arange(20, 30), [19, 30], beats.windows[i, [19, 30], channel])
            windows[i, 20:30, channel] = line
    without = model.predict(Beats(windows, beats.context))
    rows, answer = np.arange(len(beats)), proba.argmax(axis=1)
    np.testing.assert_allclose(
        found.window[:, 2], proba[rows, answer] - without[rows, answer], atol=1e-6
    )
    assert found.window.shape == (6, explain.STRETCHES)


def test_a_family_that_the_model_does_not_look_at_takes_nothing(model: Classifier) -> None:
    beats = some_beats()
    found = explain.explain(model, beats, model.predict(beats), np.arange(len(beats)))
    by_family = dict(zip(explain.FAMILIES, found.context.T, strict=True))
    # The made-up model sees RR ratios and the window, and nothing else.
    assert np.abs(by_family["rhythm"]).max() > 1e-4
    assert not by_family["p_wave"].any()
    assert not by_family["shape"].any()


def test_what_is_doubtful_or_not_n_is_worth_explaining() -> None:
    sure = [0.95, 0.05, 0, 0, 0]
    doubtful = [0.6, 0.4, 0, 0, 0]
    ventricular = [0.01, 0, 0.99, 0, 0]
    none = [np.nan] * 5
    proba = np.array([sure, doubtful, none, ventricular, sure], np.float32)
    assert explain.worth_explaining(proba).tolist() == [1, 3]


def test_of_too_many_beats_the_least_sure_are_explained() -> None:
    n = explain.MOST + 100
    v = np.linspace(0.5, 0.99, n)
    proba = np.column_stack([1 - v, np.zeros(n), v, np.zeros(n), np.zeros(n)]).astype(np.float32)
    assert explain.worth_explaining(proba).tolist() == list(range(explain.MOST))


def test_no_beats_worth_it_give_no_explanation(model: Classifier) -> None:
    beats = some_beats(0)
    found = explain.explain(model, beats, model.predict(beats), np.empty(0, np.int64))
    assert found.window.shape == (0, explain.STRETCHES)
    assert found.context.shape == (0, len(explain.FAMILIES))


def test_a_recording_is_explained_when_asked(model: Classifier, recording: Record) -> None:
    assert analyse(recording, model).explanation is None
    found = analyse(recording, model, explained=True)
    assert found.explanation is not None
    assert (found.explanation.beat == explain.worth_explaining(found.proba)).all()


def test_lone_beats_are_explained_on_request(client: httpx.Client) -> None:
    plain = client.post("/v1/beats", json=request()).json()
    assert plain["explanations"] is None
    beats = [made_up_beat(), made_up_beat(shift_s=0.1)]
    answer = client.post("/v1/beats", json=request(beats=beats, explain=True)).json()
    why: dict[str, Any] = answer["explanations"]
    assert why["beat"] == [0, 1]
    assert [len(row) for row in why["window"]] == [explain.STRETCHES] * 2
    assert why["from_s"] + why["step_s"] * explain.STRETCHES == pytest.approx(0.768)
    assert list(why["context"]) == list(explain.FAMILIES)
    # Nothing but the window was known.
    assert not any(value for values in why["context"].values() for value in values)


def test_too_many_beats_to_explain_are_refused_by_name(client: httpx.Client) -> None:
    sent = request(beats=[made_up_beat()] * (EXPLAINED + 1), explain=True)
    problem = check_problem(client.post("/v1/beats", json=sent), 422)
    assert problem["errors"][0]["field"] == "explain"
    assert str(EXPLAINED) in problem["errors"][0]["accepted"]
