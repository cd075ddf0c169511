"""The HTTP service: what it refuses, by which field and in which words."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.asking import BEAT, COMPAT, JSON, check_problem, post, request
from tests.conftest import (
    running,
)


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
