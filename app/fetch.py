"""`python -m app.fetch ADDRESS REVISION FOLDER`: bring pinned models from S3, within limits.

A process of its own, which the service starts: whatever a host sends, it can take no more memory
and time than this, and it can be ended at any moment.
"""

import contextlib
import signal
import sys
from pathlib import Path
from typing import Final

from app.pinned import fetch
from app.remote import RemoteError, shown
from app.settings import Pinned
from ecg.errors import ArtefactError

LIMIT_S: Final = 120
"""For all models: thirteen megabytes, where Kubernetes waits for two minutes."""
_MEMORY: Final = 512 * 1024 * 1024


def main() -> int:
    """Bring them and return 0, or say in one line on standard output why not, and return 1."""
    address, revision, folder = sys.argv[1:]
    _limit()
    try:
        fetch(Pinned(address, revision), Path(folder))
    except (ArtefactError, RemoteError) as error:
        return _say(str(error))
    except MemoryError:
        return _say(f"{address}: the host sends more than models may take")
    except OSError as error:
        return _say(f"{folder} cannot take the models: {error}; mount more at /tmp, or set TMPDIR")
    return 0


def _limit() -> None:
    # Not everywhere: Windows has neither.
    with contextlib.suppress(ImportError, AttributeError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
        signal.alarm(LIMIT_S)


def _say(reason: str) -> int:
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    sys.stdout.write(shown(reason))
    return 1


if __name__ == "__main__":
    sys.exit(main())
