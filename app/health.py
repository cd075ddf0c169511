"""Is the process alive, and are its models verified?"""

import msgspec
from fastapi import APIRouter, Request, Response

from app import openapi
from app.schemas import Live, Ready
from app.service import models_of

router = APIRouter(prefix="/health")


@router.get("/live", **openapi.gives(Live, openapi.ALWAYS))
async def live() -> Response:
    """Answer while the process runs."""
    return Response(msgspec.json.encode(Live("live")), media_type="application/json")


@router.get("/ready", **openapi.gives(Ready, openapi.READ))
async def ready(request: Request) -> Response:
    """Answer 200 once the golden beats of every model replayed, else 503 with the reason."""
    names = list(models_of(request).every)
    return Response(msgspec.json.encode(Ready("ready", names)), media_type="application/json")
