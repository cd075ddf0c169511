"""About every request: limits, an id, security headers, one line in the log, its metrics.

Pure ASGI: a middleware that wraps responses would copy each of them.
"""

import json
import logging
import re
import secrets
import time
import traceback
from typing import Final

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.metrics import Metrics
from app.problems import BUSY, INTERNAL, MEDIA, STALLED, TOO_LARGE, ProblemError, response
from app.settings import Settings

CSP: Final = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS: Final = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
RECORDS: Final = "/v1/records"
"""The one address whose bodies may be as large as recordings are."""
STALL_S: Final = 30.0
"""Without a byte of a body that has begun; a slow client that sends is served."""
GONE: Final = 499
"""In the log: the client left before it was answered."""

_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_log = logging.getLogger("beatwise")


class Guard:
    """The outermost part of the service; nothing passes by it."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self.app = app
        self.settings = settings
        self.metrics = metrics
        self.held = 0
        self.in_progress = 0
        metrics.watch(lambda: self.in_progress, lambda: self.held)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = Headers(scope=scope)
        scope["request_id"] = _request_id(headers)
        body = _Body(self, receive, self._most(scope))
        answer = _Answer(scope["request_id"], send)
        self.in_progress += 1
        try:
            self._check(headers, body.most)
            await self.app(scope, body.receive, answer.send)
        except ProblemError as error:
            await response(error, scope["request_id"])(scope, receive, answer.send)
        except ClientDisconnect:
            answer.status = GONE
        except anyio.get_cancelled_exc_class():
            # The service was told to stop, and the time for requests under way is over.
            await self._stop(scope, receive, answer)
        except Exception as error:  # noqa: BLE001 - the process edge
            await self._fail(error, scope, receive, answer)
        finally:
            self.held -= body.size
            self.in_progress -= 1
            seconds = time.perf_counter() - started
            self.metrics.count(scope, answer.status, seconds)
            _write_line(scope, answer.status, seconds)

    def _most(self, scope: Scope) -> int:
        if scope["path"] == RECORDS:
            return self.settings.max_record_bytes
        return self.settings.max_body_bytes

    def _check(self, headers: Headers, most: int) -> None:
        if headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise ProblemError(
                MEDIA, "Send the body uncompressed.", headers={"Accept-Encoding": "identity"}
            )
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or len(length) > 18:
            raise _too_large(most)
        if int(length) > most:
            raise _too_large(most)

    async def _stop(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        if answer.status == 0:
            stopping = ProblemError(BUSY, "The service is stopping.", headers={"Retry-After": "5"})
            await response(stopping, scope["request_id"])(scope, receive, answer.send)

    async def _fail(
        self, error: Exception, scope: Scope, receive: Receive, answer: "_Answer"
    ) -> None:
        # The message of an error may hold what was sent; its place in the code never does.
        where = "".join(traceback.format_tb(error.__traceback__))
        line = {"event": "error", "id": scope["request_id"], "type": type(error).__name__}
        _log.error(json.dumps({**line, "where": where}))
        if answer.status == 0:
            refused = response(ProblemError(INTERNAL), scope["request_id"])
            await refused(scope, receive, answer.send)


class _Body:
    """Counts the body as it comes, whatever its headers said."""

    def __init__(self, guard: Guard, receive: Receive, most: int) -> None:
        self.guard = guard
        self.most = most
        self.inner = receive
        self.size = 0
        self.whole = False

    async def _next(self) -> Message:
        with anyio.move_on_after(STALL_S):
            return await self.inner()
        raise ProblemError(STALLED, headers={"Connection": "close"})

    async def receive(self) -> Message:
        message = await (self.inner() if self.whole else self._next())
        self.whole = not message.get("more_body", False)
        n = len(message.get("body", b""))
        self.size += n
        self.guard.held += n
        if self.size > self.most:
            raise _too_large(self.most)
        if self.guard.held > self.guard.settings.max_held_bytes:
            raise ProblemError(BUSY, headers={"Retry-After": "1"})
        return message


class _Answer:
    """Adds the headers that every answer has, and remembers its status."""

    def __init__(self, request_id: str, send: Send) -> None:
        self.request_id = request_id
        self.inner = send
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(raw=message["headers"])
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers["x-request-id"] = self.request_id
        await self.inner(message)


def _too_large(most: int) -> ProblemError:
    return ProblemError(TOO_LARGE, f"A request may hold up to {most} bytes.")


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _ID.fullmatch(given) else secrets.token_hex(8)


def _write_line(scope: Scope, status: int, seconds: float) -> None:
    # Whoever asks for health asks every few seconds; that all is well is no news.
    well = scope["path"].startswith("/health/") and status == 200
    level = logging.DEBUG if well else logging.INFO
    if not _log.isEnabledFor(level):
        return
    route = scope.get("route")
    line = {
        "id": scope["request_id"],
        "route": getattr(route, "path", "-"),
        "status": status,
        "ms": round(1000 * seconds, 3),
        "beats": scope.get("beats", 0),
    }
    _log.log(level, json.dumps(line))
