"""What people see: the page, and the API's description with Swagger UI, all from this service."""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles

from app.problems import NOT_FOUND, ProblemError

WEB: Final = Path(__file__).parent.parent / "web"
DOCS: Final = Path(__file__).parent / "static"
# Swagger UI writes style attributes and shows icons that its style sheet holds as data.
DOCS_CSP: Final = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_SWAGGER: Final = ("fastapi_swagger", "resources")

router = APIRouter(include_in_schema=False)


@router.api_route("/", methods=["GET", "HEAD"])
async def index() -> Response:
    """Serve the page of recordings."""
    return _page("index.html")


@router.api_route("/beats", methods=["GET", "HEAD"])
async def beats() -> Response:
    """Serve the page of lone beats."""
    return _page("beats.html")


@router.api_route("/models", methods=["GET", "HEAD"])
async def models() -> Response:
    """Serve the page of models side by side."""
    return _page("models.html")


def _page(name: str) -> Response:
    page = WEB / name
    if not page.is_file():
        raise ProblemError(NOT_FOUND, "The page is not installed; the API is described at /docs.")
    return FileResponse(page)


@router.api_route("/docs", methods=["GET", "HEAD"])
async def docs() -> Response:
    """Serve the API's description for people."""
    return FileResponse(DOCS / "docs.html", headers={"Content-Security-Policy": DOCS_CSP})


@router.api_route("/openapi.json", methods=["GET", "HEAD"])
async def openapi(request: Request) -> Response:
    """Serve the API's description for programs."""
    return Response(request.app.state.openapi, media_type="application/json")


def mount(app: FastAPI) -> None:
    """Serve the files of the page, of /docs, and of the package that carries Swagger UI."""
    packages: list[str | tuple[str, str]] = [_SWAGGER] if find_spec(_SWAGGER[0]) else []
    app.mount("/docs/assets", StaticFiles(directory=DOCS, packages=packages))
    if WEB.is_dir():
        app.mount("/static", StaticFiles(directory=WEB))
