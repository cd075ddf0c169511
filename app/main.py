"""The application: `create_app(settings)`."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import chain, repeat
from pathlib import Path
from typing import Final

import anyio
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app import __version__, compat, health, metrics, openapi, pages, records, routes
from app.guard import Guard
from app.problems import ProblemError, answer_problem
from app.remote import is_remote
from app.service import THREADS, Models, bring_models, load_models, release_memory
from app.settings import Pinned, Settings
from ecg.errors import InputError

RETRIES_S: Final = (5, 10, 20, 40, 60)
"""Between tries to bring models from S3; the last again and again."""

_log = logging.getLogger("beatwise")


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
    source = app.state.settings.models
    if isinstance(source, Path) or not is_remote(source.address):
        _serve(app, load_models(source))
        yield
        return
    # Meanwhile the service answers that it is alive, and that it is not ready.
    async with anyio.create_task_group() as group:
        group.start_soon(_serve_remote, app, source)
        yield
        group.cancel_scope.cancel()


async def _serve_remote(app: FastAPI, source: Pinned) -> None:
    # Until they are there: the host may be started after the service, and be filled after that.
    for wait_s in chain(RETRIES_S, repeat(RETRIES_S[-1])):
        _serve(app, await bring_models(source))
        if not app.state.models.reason:
            return
        await anyio.sleep(wait_s)


def _serve(app: FastAPI, models: Models) -> None:
    if models.reason:
        _log.error(json.dumps({"event": "not_ready", "reason": models.reason}))
    app.state.models = models
    app.state.metrics.show_models(models)
    release_memory()
