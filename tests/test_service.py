"""The HTTP service, on a made-up artefact: what it takes, what it refuses, and in which words."""

import json
import re
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.main import create_app
from app.settings import Settings, SettingsError, from_environ, known_keys
from ecg.aami import CLASSES
from tests.conftest import (
    inside,
    made_up_beat,
    running,
    write_golden,
    write_made_up_artefact,
    write_manifest,
)

JSON = {"content-type": "application/json"}
BEAT = made_up_beat()
COMPAT = made_up_beat(360, 187 / 360)
PROBLEM_KEYS = {"type", "title", "status", "detail", "code", "errors", "request_id"}


@pytest.fixture(scope="module")
def service(made_up_models: Path) -> Iterator[str]:
    with running(made_up_models) as (address, _):
        yield address


@pytest.fixture(scope="module")
def client(service: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service, timeout=60) as opened:
        yield opened


@pytest.fixture(scope="module")
def api_schema(service: str) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{service}/openapi.json")


def request(**other: object) -> dict[str, Any]:
    return {"fs": 125, "beats": [BEAT], **other}


def post(client: httpx.Client, path: str, content: bytes | str) -> httpx.Response:
    return client.post(path, content=content, headers=JSON)


def check_problem(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem.keys() == PROBLEM_KEYS
    assert problem["status"] == status
    assert problem["request_id"] == response.headers["x-request-id"]
    return problem


# What is answered


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


# What is refused


def beats_text(beat: str) -> str:
    return f'{{"fs": 125, "beats": [{beat}]}}'


def with_first(first: str) -> str:
    return beats_text(json.dumps(BEAT).replace("[", f"[{first}, ", 1))


HUGE = "1" + "0" * 400
BAD_BEATS: dict[str, tuple[str | bytes, int, str]] = {
    "NaN": (with_first("NaN"), 400, ""),
    "Infinity": (with_first("-Infinity"), 400, ""),
    "1e999": (with_first("1e999"), 422, "beats[0][0]"),
    "1e308": (with_first("1e308"), 422, "beats[0]"),
    "-1e308 and 1e308": (with_first("-1e308, 1e308"), 422, "beats[0]"),
    "huge int": (with_first(HUGE), 422, "beats[0][0]"),
    "string": (with_first('"0.1"'), 422, "beats[0][0]"),
    "boolean": (with_first("true"), 422, "beats[0][0]"),
    "null": (with_first("null"), 422, "beats[0][0]"),
    "nested": (with_first("[1]"), 422, "beats[0][0]"),
    "no beats": (beats_text(""), 422, "beats"),
    "empty beat": (beats_text("[]"), 422, "beats[0]"),
    "one sample": (beats_text("[1]"), 422, "beats[0]"),
    "too long": (beats_text(json.dumps(BEAT * 10)), 422, "beats[0]"),
    "flat": (beats_text(json.dumps([0.5] * 160)), 422, "beats[0]"),
    "flat and huge": (beats_text(json.dumps([1e300] * 160)), 422, "beats[0]"),
    "second is flat": (beats_text(f"{json.dumps(BEAT)}, {[0] * 160}"), 422, "beats[1]"),
    "one array": (beats_text("1, 2, 3"), 422, "beats[0]"),
    "too many": (beats_text(", ".join(["[1]"] * 10_001)), 422, "beats"),
    "fs is missing": (json.dumps({"beats": [BEAT]}), 422, "fs"),
    "beats are missing": ('{"fs": 125}', 422, "beats"),
    "fs is a string": (json.dumps(request(fs="125")), 422, "fs"),
    "fs is a boolean": (json.dumps(request(fs=True)), 422, "fs"),
    "fs is null": (json.dumps(request(fs=None)), 422, "fs"),
    "fs is low": (json.dumps(request(fs=99.9)), 422, "fs"),
    "fs is high": (json.dumps(request(fs=2000.1)), 422, "fs"),
    "fs is huge": (json.dumps(request()).replace("125", HUGE, 1), 422, "fs"),
    "r_peak is outside": (json.dumps(request(r_peak=[160])), 422, "r_peak[0]"),
    "r_peak is negative": (json.dumps(request(r_peak=[-1])), 422, "r_peak[0]"),
    "r_peak is 1.5": (json.dumps(request(r_peak=[1.5])), 422, "r_peak[0]"),
    "r_peak is huge": (json.dumps(request(r_peak=[10**400])), 422, "r_peak[0]"),
    "r_peak is long": (json.dumps(request(r_peak=[1, 2])), 422, "r_peak"),
    "r_peak is empty": (json.dumps(request(r_peak=[])), 422, "r_peak"),
    "rr is long": (json.dumps(request(rr=[None, None])), 422, "rr"),
    "rr is zero": (json.dumps(request(rr=[{"next_s": 0}])), 422, "rr[0].next_s"),
    "rr is above 60": (json.dumps(request(rr=[{"next_s": 60.5}])), 422, "rr[0].next_s"),
    "rr has an unknown key": (json.dumps(request(rr=[{"secret": 1}])), 422, "rr[0]"),
    "rr is a number": (json.dumps(request(rr=[0.8])), 422, "rr[0]"),
    "unknown model": (json.dumps(request(model="secret")), 422, "model"),
    "model is a number": (json.dumps(request(model=1)), 422, "model"),
    "model is an escaped surrogate": (
        json.dumps(request(model="x")).replace('"x"', '"\\ud800"'),
        400,
        "",
    ),
    "unknown key": (json.dumps(request(secret=1)), 422, "body"),
    "unknown key like a path": (json.dumps({"a` - at `$.secret": 1}), 422, "body"),
    "key twice": ('{"fs": 125, "fs": 360, "beats": [[1]]}', 422, "fs"),
    "array": ("[]", 422, "body"),
    "null body": ("null", 422, "body"),
    "no body": ("", 400, ""),
    "cut off": ('{"fs": 125, "beats": [[1,', 400, ""),
    "comma": ('{"fs": 125,}', 400, ""),
    "two documents": (json.dumps(request()) * 2, 400, ""),
    "deep arrays": ("[" * 100_000, 422, "body"),
    "deep beats": ('{"beats": ' + "[" * 100_000, 422, "beats[0][0]"),
    "deep objects": ('{"beats":' * 50_000, 422, "beats"),
    "not UTF-8": (b'{"fs": 125, "\xff\xfe": 1}', 400, ""),
    "binary": (bytes(range(256)), 400, ""),
}


@pytest.mark.parametrize(("sent", "status", "field"), BAD_BEATS.values(), ids=BAD_BEATS)
def test_bad_beats_are_refused_by_name(
    client: httpx.Client, sent: str | bytes, status: int, field: str
) -> None:
    problem = check_problem(post(client, "/v1/beats", sent), status)
    assert [error["field"] for error in problem["errors"]] == ([field] if field else [])
    assert all(error["problem"] and error["accepted"] for error in problem["errors"])


@pytest.mark.parametrize("sent", [sent for sent, _, _ in BAD_BEATS.values()], ids=BAD_BEATS)
def test_a_refusal_never_echoes_what_was_sent(client: httpx.Client, sent: str | bytes) -> None:
    text = post(client, "/v1/beats", sent).text
    assert not re.search(r"secret|NaN|Infinity|1e\+?308|0{100}|\\ud800", text)
    assert len(text) < 1000


BAD_COMPAT: dict[str, tuple[str, str]] = {
    "not an array": (json.dumps({"signal": COMPAT}), "body"),
    "none": ("[]", "body"),
    "too many": (json.dumps([{"signal": COMPAT}] * 201), "body"),
    "186 numbers": (json.dumps([{"signal": COMPAT[1:]}]), "[0].signal"),
    "188 numbers": (json.dumps([{"signal": [0, *COMPAT]}]), "[0].signal"),
    "string": (json.dumps([{"signal": [*COMPAT[1:], "1"]}]), "[0].signal[186]"),
    "boolean": (json.dumps([{"signal": [*COMPAT[1:], True]}]), "[0].signal[186]"),
    "1e999": (json.dumps([{"signal": COMPAT}]).replace("0.", "1e999, 0.", 1), "[0].signal[0]"),
    "flat": (json.dumps([{"signal": [1] * 187}]), "[0].signal"),
    "1e308": (json.dumps([{"signal": [*COMPAT[1:], 1e308]}]), "[0].signal"),
    "unknown key": (json.dumps([{"signal": COMPAT, "secret": 1}]), "[0]"),
    "missing": ("[{}]", "[0].signal"),
}


@pytest.mark.parametrize(("sent", "field"), BAD_COMPAT.values(), ids=BAD_COMPAT)
def test_bad_beats_of_the_public_dialect_are_refused_by_name(
    client: httpx.Client, sent: str, field: str
) -> None:
    problem = check_problem(post(client, "/predict", sent), 422)
    assert [error["field"] for error in problem["errors"]] == [field]


def test_an_unknown_model_is_told_the_known_ones(client: httpx.Client) -> None:
    problem = check_problem(client.get("/v1/models/secret"), 404)
    assert "convxgb" in problem["detail"]
    assert "secret" not in problem["detail"]


@pytest.mark.parametrize("path", ["/v1/models?page=1", "/v1/models/convxgb?x", "/v1/beats?fs=1"])
def test_query_parameters_are_refused(client: httpx.Client, path: str) -> None:
    method = "POST" if "beats" in path else "GET"
    problem = check_problem(client.request(method, path, json=request()), 422)
    assert problem["code"] == "unknown_query"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/v1/beats", "POST"),
        ("PUT", "/predict", "POST"),
        ("POST", "/v1/models", "GET"),
        ("DELETE", "/health/live", "GET"),
        ("POST", "/docs/assets/docs.js", "GET, HEAD"),
    ],
)
def test_another_method_is_refused_with_those_allowed(
    client: httpx.Client, method: str, path: str, allow: str
) -> None:
    response = client.request(method, path)
    check_problem(response, 405)
    assert response.headers["allow"] == allow


@pytest.mark.parametrize(
    "path", ["/nowhere", "/v1", "/v1/beats/", "/docs/assets/%00", "/docs/assets/..%2fdocs.html"]
)
def test_nothing_is_served_elsewhere(client: httpx.Client, path: str) -> None:
    check_problem(client.get(path), 404)


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
    ids=str,
)
def test_other_types_and_compressed_bodies_are_refused(
    client: httpx.Client, headers: dict[str, str]
) -> None:
    response = client.post("/v1/beats", content=json.dumps(request()), headers=headers)
    check_problem(response, 415)


def chunks(n: int) -> Iterator[bytes]:
    for _ in range(n):
        yield b" " * 1024 * 1024


def test_a_body_over_the_limit_is_refused(client: httpx.Client) -> None:
    check_problem(post(client, "/v1/beats", b" " * (32 * 1024 * 1024 + 1)), 413)


def test_a_body_of_unsaid_length_is_counted(client: httpx.Client) -> None:
    response = client.post("/v1/beats", content=chunks(33), headers=JSON)
    check_problem(response, 413)


def test_bodies_held_at_once_are_bounded(made_up_models: Path) -> None:
    with running(made_up_models, BEATWISE_MAX_HELD_BYTES="1000") as (address, _):
        refused = httpx.post(f"{address}/v1/beats", json=request(beats=[BEAT] * 3))
        assert check_problem(refused, 503)["code"] == "busy"
        assert httpx.get(f"{address}/health/ready").status_code == 200


# Headers and the log


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


def test_an_error_of_our_own_is_a_problem_and_says_nothing(made_up_models: Path) -> None:
    with inside(app := create_app(Settings(made_up_models))) as ask:
        app.state.models = None
        problem = check_problem(ask("POST", "/v1/beats", request()), 500)
    assert problem["code"] == "internal"
    assert "NoneType" not in str(problem)


# The description


def test_every_route_describes_its_problems_with_examples(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) == {
        *("/v1/beats", "/v1/models", "/v1/models/{name}", "/predict"),
        *("/health/live", "/health/ready"),
    }
    for operations in paths.values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                ((media, content),) = answer["content"].items()
                assert media == f"application/{'json' if status == '200' else 'problem+json'}"
                assert "example" in content or content["examples"]


def test_the_examples_of_the_description_are_answered(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for path in ("/v1/beats", "/predict"):
        content = paths[path]["post"]["requestBody"]["content"]["application/json"]
        assert client.post(path, json=content["example"]).status_code == 200


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


POSITIVE = schemathesis.GenerationMode.POSITIVE
NEGATIVE = schemathesis.GenerationMode.NEGATIVE


@pytest.mark.parametrize(
    ("method", "path", "mode"),
    [
        ("POST", "/v1/beats", POSITIVE),
        ("POST", "/v1/beats", NEGATIVE),
        ("POST", "/predict", POSITIVE),
        ("POST", "/predict", NEGATIVE),
        ("GET", "/v1/models", POSITIVE),
        ("GET", "/v1/models/{name}", POSITIVE),
        ("GET", "/health/live", POSITIVE),
        ("GET", "/health/ready", POSITIVE),
    ],
)
def test_generated_requests_get_what_the_description_says(
    api_schema: Any, method: str, path: str, mode: schemathesis.GenerationMode
) -> None:
    @given(case=api_schema[path][method].as_strategy(generation_mode=mode))
    @hypothesis_settings(
        max_examples=50, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    def check(case: Any) -> None:
        case.call_and_validate(checks=CHECKS)

    check()


# Artefacts that must not serve


@pytest.fixture
def artefact(made_up_models: Path, tmp_path: Path) -> Path:
    shutil.copytree(made_up_models / "convxgb", tmp_path / "convxgb")
    return tmp_path / "convxgb"


def reason_not_ready(folder: Path) -> str:
    with inside(create_app(Settings(folder.parent))) as ask:
        assert ask("GET", "/health/live").status_code == 200
        check_problem(ask("POST", "/v1/beats", request()), 503)
        check_problem(ask("POST", "/predict", [{"signal": COMPAT}]), 503)
        reason: str = check_problem(ask("GET", "/health/ready"), 503)["detail"]
    return reason


@pytest.mark.parametrize("name", ["model.onnx", "golden.npz"])
def test_a_flipped_byte_is_never_ready(artefact: Path, name: str) -> None:
    content = bytearray((artefact / name).read_bytes())
    content[len(content) // 2] ^= 1
    (artefact / name).write_bytes(content)
    assert name in reason_not_ready(artefact)


@pytest.mark.parametrize("name", ["manifest.json", "model.onnx", "golden.npz"])
def test_a_missing_file_is_never_ready(artefact: Path, name: str) -> None:
    (artefact / name).unlink()
    reason = reason_not_ready(artefact)
    assert name in reason
    assert "dvc pull" in reason


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"protocol": 1', "\x00"])
def test_a_broken_manifest_is_never_ready(artefact: Path, text: str) -> None:
    (artefact / "manifest.json").write_text(text)
    assert "manifest.json" in reason_not_ready(artefact)


def test_files_that_are_not_weights_are_never_ready(artefact: Path) -> None:
    (artefact / "model.onnx").write_bytes(b"not weights")
    write_manifest(artefact)
    assert "model.onnx" in reason_not_ready(artefact)


def test_an_artefact_of_another_name_is_never_ready(artefact: Path) -> None:
    write_manifest(artefact, name="other")
    assert "manifest.json" in reason_not_ready(artefact)


def test_golden_beats_of_another_class_are_never_ready(artefact: Path) -> None:
    with np.load(artefact / "golden.npz") as archive:
        golden = dict(archive)
    write_golden(artefact, {**golden, "proba": golden["proba"][:, ::-1]})
    write_manifest(artefact)
    assert "golden" in reason_not_ready(artefact)


def test_no_models_folder_is_never_ready(tmp_path: Path) -> None:
    reason = reason_not_ready(tmp_path / "nowhere" / "convxgb")
    assert "convxgb/manifest.json" in reason


def test_two_models_are_served_by_name(made_up_models: Path, tmp_path: Path) -> None:
    shutil.copytree(made_up_models / "convxgb", tmp_path / "convxgb")
    write_made_up_artefact(tmp_path / "other")
    with inside(create_app(Settings(tmp_path))) as ask:
        answer = ask("POST", "/v1/beats", request(model="other")).json()
        assert answer["model"]["name"] == "other"
        assert ask("POST", "/v1/beats", request()).json()["model"]["name"] == "convxgb"


# The process


def test_sigterm_answers_the_request_under_way_and_exits_with_0(made_up_models: Path) -> None:
    sent = json.dumps(request(beats=[BEAT] * 10_000))
    answers: list[httpx.Response] = []
    with running(made_up_models) as (address, process):
        ask = lambda: answers.append(post(httpx.Client(timeout=60), f"{address}/v1/beats", sent))  # noqa: E731
        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(0.4)
        assert not answers
        process.send_signal(signal.SIGTERM)
        thread.join(60)
        assert process.wait(60) == 0
    assert len(answers[0].json()["beats"]) == 10_000


def test_an_unknown_setting_names_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"BEATWISE_MODLES.*BEATWISE_MODELS"):
        from_environ({"BEATWISE_MODLES": "x"})


@pytest.mark.parametrize(
    ("key", "value"),
    [("MAX_BEATS", "0"), ("MAX_BODY_BYTES", "-1"), ("MAX_BEATS", "1e3"), ("LOG_LEVEL", "loud")],
)
def test_a_setting_of_another_kind_is_refused(key: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"BEATWISE_{key} must be"):
        from_environ({f"BEATWISE_{key}": value})


def test_settings_come_from_the_environment() -> None:
    assert from_environ({"PATH": "x", "BEATWISE_MIRROR": "x"}) == Settings()
    read = from_environ({"BEATWISE_MODELS": "m", "BEATWISE_MAX_BEATS": "5"})
    assert read == Settings(models=Path("m"), max_beats=5)
    assert len(known_keys()) == 5
