"""How the tests ask the service, and what every problem document must be."""

import http.client
import json
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.conftest import (
    made_up_beat,
)

JSON = {"content-type": "application/json"}
BEAT = made_up_beat()
COMPAT = made_up_beat(360, 187 / 360)
PROBLEM_KEYS = {"type", "title", "status", "detail", "code", "errors", "request_id"}


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


def answer_while_stopping(address: str, stop: Callable[[], object]) -> dict[str, Any]:
    """Send half of 100 beats, stop the service, send the rest; return the answer."""
    sent = json.dumps(request(beats=[BEAT] * 100)).encode()
    under_way = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    with closing(under_way):
        under_way.putrequest("POST", "/v1/beats")
        under_way.putheader("content-type", "application/json")
        under_way.putheader("content-length", str(len(sent)))
        under_way.endheaders(sent[:1000])
        # Answered after the headers came: the service has read both.
        assert httpx.get(f"{address}/health/live").status_code == 200
        stop()
        _wait_until_refused(address)
        under_way.send(sent[1000:])
        answer: dict[str, Any] = json.loads(under_way.getresponse().read())
    return answer


def _wait_until_refused(address: str) -> None:
    for _ in range(600):
        try:
            httpx.get(f"{address}/health/live")
        except httpx.TransportError:
            return
        time.sleep(0.1)
    pytest.fail("the service still takes requests after SIGTERM")
