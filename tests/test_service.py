"""The HTTP service, on a made-up artefact: what it answers, its headers and its log."""

import json
import re
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from app import guard
from app.main import create_app
from app.settings import Settings
from ecg.aami import CLASSES
from tests.asking import BEAT, COMPAT, JSON, check_problem, request
from tests.conftest import (
    inside,
    made_up_beat,
)


def test_a_beat_gets_a_class_and_probabilities_that_sum_to_one(client: httpx.Client) -> None:
    answer = client.post("/v1/beats", json=request()).json()
    (beat,) = answer["beats"]
    assert list(beat["proba"]) == list(CLASSES)
    assert sum(beat["proba"].values()) == pytest.approx(1, abs=1e-5)
    assert beat["proba"][beat["aami_class"]] == beat["confidence"] == max(beat["proba"].values())


def test_the_answer_names_the_artefact(client: httpx.Client) -> None:
    answer = client.post("/v1/beats", json=request()).json()
    card = client.get("/v1/models/convxgb").json()
    assert answer["model"] == {k: card[k] for k in ("name", "version", "sha256")}
    assert answer["timing_ms"] > 0


def test_beats_come_back_in_their_order(client: httpx.Client) -> None:
    beats = [made_up_beat(seconds=1.0 + 0.04 * (i % 3), shift_s=0.02 * i) for i in range(20)]
    together = client.post("/v1/beats", json=request(beats=beats)).json()["beats"]
    alone = [client.post("/v1/beats", json=request(beats=[b])).json()["beats"][0] for b in beats]
    for one, other in zip(together, alone, strict=True):
        assert one["aami_class"] == other["aami_class"]
        assert one["confidence"] == pytest.approx(other["confidence"], abs=1e-5)


def test_rr_intervals_reach_the_model(client: httpx.Client) -> None:
    lone = client.post("/v1/beats", json=request()).json()["beats"]
    known = client.post("/v1/beats", json=request(rr=[{"previous_s": 0.4, "next_s": 1}])).json()
    assert known["beats"] != lone


@pytest.mark.parametrize(
    "other",
    [
        {"r_peak": [64]},
        {"r_peak": [None]},
        {"r_peak": None, "rr": None, "model": None},
        {"rr": [None]},
        {"rr": [{}]},
        {"rr": [{"previous_s": None, "local_mean_s": 60}]},
        {"model": "convxgb"},
        {"beats": [[round(1000 * x) for x in BEAT]]},
        {"fs": 100.5},
    ],
    ids=str,
)
def test_is_accepted(client: httpx.Client, other: dict[str, Any]) -> None:
    assert client.post("/v1/beats", json=request(**other)).status_code == 200


@pytest.mark.parametrize("fs", [100, 128, 250, 360, 500, 1000, 2000])
def test_every_sampling_frequency_gives_the_same_probabilities(
    client: httpx.Client, fs: int
) -> None:
    sent = {"fs": fs, "beats": [made_up_beat(fs)], "r_peak": [round(0.512 * fs)]}
    proba = client.post("/v1/beats", json=sent).json()["beats"][0]["proba"]
    canonical = client.post("/v1/beats", json=request(r_peak=[64])).json()["beats"][0]["proba"]
    assert proba == pytest.approx(canonical, abs=0.02)


def test_the_public_dialect_is_answered_as_v1_answers(client: httpx.Client) -> None:
    theirs = client.post("/predict", json=[{"signal": COMPAT}] * 200).json()
    ours = client.post("/v1/beats", json={"fs": 360, "beats": [COMPAT], "r_peak": [93]}).json()
    assert len(theirs["beats"]) == 200
    assert theirs["beats"][0]["proba"] == pytest.approx(ours["beats"][0]["proba"], abs=1e-5)
    assert theirs["model"] == ours["model"]


def test_ten_thousand_beats_in_one_request(client: httpx.Client) -> None:
    response = client.post("/v1/beats", json=request(beats=[BEAT] * 10_000))
    assert response.status_code == 200
    assert len(response.json()["beats"]) == 10_000


def test_fifty_requests_at_once_get_the_same_answer(client: httpx.Client) -> None:
    sent = [request(beats=[BEAT] * n) for n in (1, 3, 40, 2, 17)] * 10
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda one: client.post("/v1/beats", json=one), sent))
    assert [len(a.json()["beats"]) for a in answers] == [len(one["beats"]) for one in sent]
    assert {b["aami_class"] for a in answers for b in a.json()["beats"]} == {
        answers[0].json()["beats"][0]["aami_class"]
    }


def test_models_are_listed_with_their_cards(client: httpx.Client) -> None:
    (card,) = client.get("/v1/models").json()["models"]
    assert card == client.get("/v1/models/convxgb").json()
    assert {"name", "version", "classes", "constants", "files", "protocols", "sha256"} <= set(card)


def test_health_of_a_verified_service(client: httpx.Client) -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    assert client.get("/health/ready").json() == {"status": "ready", "models": ["convxgb"]}


def test_a_request_id_is_kept_or_given(client: httpx.Client) -> None:
    kept = client.get("/health/live", headers={"x-request-id": "abc-1.2_3"})
    assert kept.headers["x-request-id"] == "abc-1.2_3"
    given = client.get("/health/live", headers={"x-request-id": "a b<script>"})
    assert re.fullmatch("[0-9a-f]{16}", given.headers["x-request-id"])


@pytest.mark.parametrize("path", ["/", "/health/live", "/nowhere", "/openapi.json"])
def test_security_headers_are_on_every_answer(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'self'")
    assert headers["x-content-type-options"] == "nosniff"


def test_docs_load_nothing_from_elsewhere(client: httpx.Client) -> None:
    page = client.get("/docs").text
    wanted = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert not [address for address in wanted if re.match(r"(https?:)?//", address)]
    for address in wanted:
        if not address.startswith("data:"):
            assert client.get(f"/{address}").status_code == 200, address
    assert "'unsafe-inline'" not in client.get("/").headers["content-security-policy"]
    assert not re.search(r"<script>|<style>", page)


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json"])
def test_head_is_answered_as_get(client: httpx.Client, path: str) -> None:
    assert client.head(path).status_code == client.get(path).status_code
    assert client.head(path).content == b""


def test_one_log_line_a_request_without_its_values(
    made_up_models: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "beatwise"), inside(create_app(Settings(made_up_models))) as ask:
        ask("POST", "/v1/beats?", request(beats=[BEAT] * 2), {"x-request-id": "abc"})
        ask("GET", "/v1/models/secret")
    lines = [json.loads(record.message) for record in caplog.records if record.name == "beatwise"]
    assert [line.pop("ms") > 0 for line in lines] == [True, True]
    assert lines[0] == {"id": "abc", "route": "/v1/beats", "status": 200, "beats": 2}
    assert lines[1]["route"] == "/v1/models/{name}"
    assert "secret" not in caplog.text


def test_a_body_that_stops_coming_is_given_up(
    made_up_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stalling() -> AsyncIterator[bytes]:
        yield b'{"fs": 125, '
        await anyio.sleep(60)
        yield b"}"

    monkeypatch.setattr(guard, "STALL_S", 0.1)
    with inside(create_app(Settings(made_up_models))) as ask:
        check_problem(ask("POST", "/v1/beats", headers=JSON, content=stalling()), 408)
        assert ask("POST", "/v1/beats", request()).status_code == 200


def test_an_error_of_our_own_is_a_problem_and_says_nothing(made_up_models: Path) -> None:
    with inside(app := create_app(Settings(made_up_models))) as ask:
        app.state.models = None
        problem = check_problem(ask("POST", "/v1/beats", request()), 500)
    assert problem["code"] == "internal"
    assert "NoneType" not in str(problem)
