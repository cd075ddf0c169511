"""What the service tells Prometheus: `GET /metrics`. Never signal values, request ids or names."""

from collections.abc import Callable
from typing import Final

from fastapi import APIRouter, Request, Response
from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from starlette.types import Scope

from app import __version__, openapi, openapi_examples
from app.schemas import model_id
from app.service import Models

BUCKETS_S: Final = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
"""A lone beat takes half a millisecond, a day of a recording some ten seconds."""
METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
OTHER: Final = "other"
"""Any method that is none of these: a client may send any word."""
NOWHERE: Final = "-"
"""As in the log: files of the pages, and paths that are not; strangers must not make series."""

router = APIRouter()


class Metrics:
    """The metrics of one application, in a registry of its own."""

    def __init__(self) -> None:
        # Times of creation would double the series, and nobody asks for them.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "beatwise_http_requests_total",
            "Requests that were answered, or left by their client (499).",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "beatwise_http_request_duration_seconds",
            "From a request's head until its answer was sent.",
            ("route",),
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self._beats = Counter(
            "beatwise_beats_total",
            "Beats in answers, classified or written as annotations.",
            ("route",),
            registry=self.registry,
        )
        self._ready = self._gauge("beatwise_ready", "1 once every model was verified, else 0.")
        self._model = self._gauge(
            "beatwise_model_info", "The models that are served.", "name", "version", "sha256"
        )
        self._in_progress = self._gauge(
            "beatwise_http_requests_in_progress", "Requests under way, this one among them."
        )
        self._held = self._gauge(
            "beatwise_http_request_held_bytes", "Bytes of the bodies of requests under way."
        )
        build = self._gauge("beatwise_build_info", "The version of the service.", "version")
        build.labels(__version__).set(1)

    def watch(self, in_progress: Callable[[], float], held: Callable[[], float]) -> None:
        """Read both whenever Prometheus asks: requests under way, and bytes of their bodies."""
        self._in_progress.set_function(in_progress)
        self._held.set_function(held)

    def show_models(self, models: Models) -> None:
        """Tell whether the service is ready, and by which models."""
        self._ready.set(not models.reason)
        self._model.clear()
        for model in [] if models.reason else models.every.values():
            known = model_id(model)
            self._model.labels(known.name, known.version, known.sha256).set(1)

    def count(self, scope: Scope, status: int, seconds: float) -> None:
        """Count a request that ended."""
        method = scope["method"] if scope["method"] in METHODS else OTHER
        route = getattr(scope.get("route"), "path", NOWHERE)
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(route).observe(seconds)
        if "beats" in scope:
            self._beats.labels(route).inc(scope["beats"])

    def _gauge(self, name: str, says: str, *labels: str) -> Gauge:
        return Gauge(name, says, labels, registry=self.registry)


@router.get("/metrics", **openapi.gives_text("text/plain", openapi_examples.METRICS))
async def metrics(request: Request) -> Response:
    """Give the service's figures as Prometheus reads them."""
    shown: Metrics = request.app.state.metrics
    return Response(generate_latest(shown.registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)
