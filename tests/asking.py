"""How the tests ask the service, and what every problem document must be."""

from typing import Any

import httpx

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
