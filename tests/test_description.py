"""The OpenAPI description, and generated requests held to it."""

from typing import Any

import httpx
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


@pytest.fixture(scope="module")
def api_schema(service: str) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{service}/openapi.json")


# The description


def test_every_route_describes_its_problems_with_examples(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) == {
        *("/v1/beats", "/v1/models", "/v1/models/{name}", "/predict"),
        *("/v1/records", "/v1/annotations", "/v1/limits"),
        *("/health/live", "/health/ready", "/metrics"),
    }
    for operations in paths.values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                for media, content in answer["content"].items():
                    assert (media == "application/problem+json") == (status != "200")
                    is_json = media.endswith("json")
                    assert not is_json or "example" in content or content["examples"]


def test_the_examples_of_the_description_are_answered(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for path in ("/v1/beats", "/predict", "/v1/annotations"):
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
        ("GET", "/metrics", POSITIVE),
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
