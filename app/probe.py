"""`python -m app.probe`: exit with 0 if the service of these settings is ready, else say why.

What HEALTHCHECK of the image runs: the image holds no shell and no curl.
"""

import http.client
import os
import signal
import sys
from typing import Final

from app.settings import from_environ

ANY: Final = ("0.0.0.0", "::")  # noqa: S104 - listened on, by whoever set it
TIMEOUT_S: Final = 3


def main() -> int:
    """Ask /health/ready; return 0 for 200, else 1 with the answer on standard error."""
    if hasattr(signal, "alarm"):
        # Ends the process; a timeout of the connection begins anew with every byte.
        signal.alarm(TIMEOUT_S)
    try:
        settings = from_environ(os.environ)
        host = "localhost" if settings.host in ANY else settings.host
        connection = http.client.HTTPConnection(host, settings.port, timeout=TIMEOUT_S)
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
        said = answer.read(4096).decode(errors="replace")
    except (OSError, http.client.HTTPException, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    sys.stdout.write(f"{said}\n")
    return 0 if answer.status == http.HTTPStatus.OK else 1


if __name__ == "__main__":
    sys.exit(main())
