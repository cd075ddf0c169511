"""GET /metrics: what Prometheus is told of the service, and what it is not."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app import __version__
from app.main import create_app
from app.settings import Settings
from tests.asking import BEAT, JSON, request
from tests.conftest import inside, running

Ask = Callable[..., httpx.Response]
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def ask(made_up_models: Path) -> Iterator[Ask]:
    with inside(create_app(Settings(made_up_models))) as opened:
        yield opened


def told(ask: Ask) -> Series:
    families = text_string_to_metric_families(ask("GET", "/metrics").text)
    return {(s.name, frozenset(s.labels.items())): s.value for f in families for s in f.samples}


def value(series: Series, name: str, **labels: str) -> float:
    return series[f"beatwise_{name}", frozenset(labels.items())]


def labels_of(series: Series, name: str) -> set[frozenset[tuple[str, str]]]:
    return {labels for known, labels in series if known == f"beatwise_{name}"}


def test_it_is_the_text_that_prometheus_reads(ask: Ask) -> None:
    answer = ask("GET", "/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = list(text_string_to_metric_families(answer.text))
    assert all(family.documentation for family in families)
    assert not [family.name for family in families if family.name.endswith("_created")]


def test_requests_are_counted_by_method_route_and_status(ask: Ask) -> None:
    for _ in range(3):
        ask("POST", "/v1/beats", request())
    ask("POST", "/v1/beats", request(fs=1))
    ask("GET", "/v1/models/convxgb")
    series = told(ask)
    counted = {"method": "POST", "route": "/v1/beats"}
    assert value(series, "http_requests_total", **counted, status="200") == 3
    assert value(series, "http_requests_total", **counted, status="422") == 1
    one = {"method": "GET", "route": "/v1/models/{name}", "status": "200"}
    assert value(series, "http_requests_total", **one) == 1


def test_a_scrape_is_counted_like_any_request(ask: Ask) -> None:
    told(ask)
    scraped = {"method": "GET", "route": "/metrics", "status": "200"}
    assert value(told(ask), "http_requests_total", **scraped) == 1


def test_durations_are_told_by_route_in_seconds(ask: Ask) -> None:
    ask("POST", "/v1/beats", request(beats=[BEAT] * 100))
    series = told(ask)
    name = "http_request_duration_seconds"
    assert value(series, f"{name}_count", route="/v1/beats") == 1
    assert 0 < value(series, f"{name}_sum", route="/v1/beats") < 30
    bounds = [float(dict(labels)["le"]) for labels in labels_of(series, f"{name}_bucket")]
    assert (min(bounds), sorted(bounds)[-2], max(bounds)) == (0.0005, 60, float("inf"))


def test_beats_are_counted_by_route(ask: Ask) -> None:
    ask("POST", "/v1/beats", request(beats=[BEAT] * 7))
    ask("POST", "/v1/beats", request())
    ask("POST", "/v1/annotations", {"fs": 250, "sample": [1, 2], "aami_class": ["N", "V"]})
    series = told(ask)
    assert value(series, "beats_total", route="/v1/beats") == 8
    assert value(series, "beats_total", route="/v1/annotations") == 2


def test_unknown_paths_and_methods_add_no_series(ask: Ask) -> None:
    ask("BREW", "/nowhere")
    ask("GET", "/nowhere")
    told(ask)
    before = told(ask)
    for i in range(200):
        assert ask("GET", f"/nowhere/{i}?secret={i}").status_code == 404
        ask(f"BREW{i}", f"/secret/{i}")
    after = told(ask)
    assert before.keys() == after.keys()
    lost = {"route": "-", "status": "404"}
    assert value(after, "http_requests_total", method="GET", **lost) == 201
    assert value(after, "http_requests_total", method="other", **lost) == 201
    assert "secret" not in ask("GET", "/metrics").text


def test_what_was_sent_is_not_told(ask: Ask) -> None:
    ask("POST", "/v1/beats", request(model="secret"), {"x-request-id": "secret-id"})
    ask("GET", "/v1/models/secret", headers={"user-agent": "secret"})
    assert "secret" not in ask("GET", "/metrics").text


def test_requests_under_way_and_their_bytes_are_given_back(ask: Ask) -> None:
    ask("POST", "/v1/beats", headers=JSON, content=b" " * 5000)
    series = told(ask)
    assert value(series, "http_requests_in_progress") == 1
    assert value(series, "http_request_held_bytes") == 0


def test_a_body_under_way_is_told(made_up_models: Path) -> None:
    seen: list[Series] = []

    def sending(address: str) -> Iterator[bytes]:
        yield b'{"fs": 125,' + b" " * 10_000
        # Answered after the first part of the body came: the service holds it by now.
        for _ in range(50):
            series = told(lambda method, path: httpx.request(method, address + path))
            seen.append(series)
            if value(series, "http_request_held_bytes"):
                break
        yield b'"beats": []}'

    with running(made_up_models) as (address, _):
        httpx.post(f"{address}/v1/beats", content=sending(address), headers=JSON)
    assert value(seen[-1], "http_request_held_bytes") > 10_000
    assert value(seen[-1], "http_requests_in_progress") == 2


def test_the_models_are_named_and_ready(ask: Ask) -> None:
    card: dict[str, Any] = ask("GET", "/v1/models/convxgb").json()
    series = told(ask)
    assert value(series, "ready") == 1
    named = {key: card[key] for key in ("name", "version", "sha256")}
    assert labels_of(series, "model_info") == {frozenset(named.items())}
    assert value(series, "build_info", version=__version__) == 1


def test_a_broken_model_is_not_ready(made_up_models: Path, tmp_path: Path) -> None:
    shutil.copytree(made_up_models / "convxgb", tmp_path / "convxgb")
    (tmp_path / "convxgb" / "lone.onnx").write_bytes(b"not weights")
    with inside(create_app(Settings(tmp_path))) as ask:
        ask("GET", "/health/ready")
        series = told(ask)
    assert value(series, "ready") == 0
    assert labels_of(series, "model_info") == set()
    refused = {"method": "GET", "route": "/health/ready", "status": "503"}
    assert value(series, "http_requests_total", **refused) == 1


def test_an_error_of_our_own_is_counted(made_up_models: Path) -> None:
    with inside(app := create_app(Settings(made_up_models))) as ask:
        app.state.models = None
        ask("POST", "/v1/beats", request())
        series = told(ask)
    failed = {"method": "POST", "route": "/v1/beats", "status": "500"}
    assert value(series, "http_requests_total", **failed) == 1


def test_two_applications_in_one_process_count_apart(made_up_models: Path, ask: Ask) -> None:
    ask("POST", "/v1/beats", request())
    with inside(create_app(Settings(made_up_models))) as other:
        assert labels_of(told(other), "beats_total") == set()


def test_the_process_is_measured(ask: Ask) -> None:
    series = told(ask)
    for name in ("resident_memory_bytes", "cpu_seconds_total", "open_fds", "start_time_seconds"):
        assert series[f"process_{name}", frozenset()] > 0
