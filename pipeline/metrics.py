"""Stage `metrics`: the scores of beats and of rhythms -> reports/metrics.json."""

import json
from typing import Any

from pipeline import dataset


def main() -> None:
    found: dict[str, Any] = json.loads((dataset.SCORES / "beats.json").read_text())
    found["rhythm"] = json.loads((dataset.SCORES / "rhythm.json").read_text())
    dataset.METRICS.write_text(json.dumps(rounded(found), indent=1) + "\n")


def rounded(value: Any) -> Any:
    """Return a value of JSON with its numbers to four places."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
