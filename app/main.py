"""The application: `create_app(settings)`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app import __version__, compat, health, metrics, openapi, pages, records, routes
from app.guard import Guard
from app.problems import ProblemError, answer_problem
from app.service import THREADS, Models, load_models
from app.settings import Settings
from ecg.errors import InputError


def create_app(settings: Settings) -> FastAPI:
    """Return the service; its models are loaded and verified when it starts."""
    app = FastAPI(
        title="Beatwise",
        version=__version__,
        lifespan=_lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.settings = settings
    app.state.models = Models({}, "The models are being loaded.")
    app.state.metrics = metrics.Metrics()
    for module in (routes, records, compat, health, metrics, pages):
        app.include_router(module.router)
    pages.mount(app)
    app.state.openapi = openapi.document(app, settings.max_beats)
    for refused in (ProblemError, InputError, HTTPException, RequestValidationError):
        app.add_exception_handler(refused, answer_problem)
    app.add_middleware(Guard, settings=settings, metrics=app.state.metrics)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.limiter = anyio.CapacityLimiter(THREADS)
    app.state.heavy_limiter = anyio.CapacityLimiter(1)
    app.state.models = load_models(app.state.settings.models)
    app.state.metrics.show_models(app.state.models)
    yield
