"""`python -m app --host HOST --port PORT`: run the service until SIGTERM or SIGINT."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Mapping
from types import FrameType
from typing import Final

import uvicorn

from app.main import create_app
from app.settings import PREFIX, Settings, SettingsError, from_environ, known_keys, numeric_level

GRACE_S: Final = 30
"""For requests under way when the service is told to stop."""


def main() -> int:
    """Run the service; return 0 after a stop that was asked for, 2 for settings it cannot take."""
    try:
        settings = from_environ(_chosen(os.environ))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    _log_to_stdout(settings)
    _serve(settings)
    return 0


def _chosen(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with what the command line says instead."""
    parser = argparse.ArgumentParser(
        prog="python -m app",
        description="Serve the ECG beat classifier and its page over HTTP.",
        epilog=f"settings, from the environment: {', '.join(known_keys())}",
    )
    parser.add_argument("--host", help=f"address to listen on, else {PREFIX}HOST")
    parser.add_argument("--port", help=f"port, 0 for a free one, else {PREFIX}PORT")
    given = {f"{PREFIX}{k.upper()}": v for k, v in vars(parser.parse_args()).items()}
    return {**environ, **{key: value for key, value in given.items() if value is not None}}


def _log_to_stdout(settings: Settings) -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log = logging.getLogger("beatwise")
    log.addHandler(handler)
    log.setLevel(numeric_level(settings))
    log.propagate = False


def _serve(settings: Settings) -> None:
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http="httptools",
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    listener = config.bind_socket()
    _say_where(settings.host, listener.getsockname()[1])
    # uvicorn raises the signal again once it has stopped: to have been asked is no failure.
    signal.signal(signal.SIGTERM, _stopped)
    signal.signal(signal.SIGINT, _stopped)
    uvicorn.Server(config).run(sockets=[listener])
    # A recording that is still worked on has had its time; its thread would hold up the end.
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


def _say_where(host: str, port: int) -> None:
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{port}"
    sys.stdout.write(f"Beatwise: the page is at {address}/ and the API at {address}/docs\n")
    sys.stdout.flush()


def _stopped(_number: int, _frame: FrameType | None) -> None:
    return


if __name__ == "__main__":
    sys.exit(main())
