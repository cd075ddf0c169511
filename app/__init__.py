"""The HTTP service: JSON API and page."""

from typing import Final

__version__: Final = "0.1.0"
