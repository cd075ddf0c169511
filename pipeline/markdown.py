"""Tables and numbers of the rendered reports."""

from typing import Any


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def score(scores: dict[str, Any], name: str) -> float:
    """Return a score by its name, `S_f1` for the F1 of S."""
    value = scores[name[0]]["f1"] if name.endswith("_f1") and name[1] == "_" else scores[name]
    return float(value)


def share(value: float | None) -> str:
    """Return a share from 0 to 1 with three digits; nothing where there is none."""
    return "" if value is None else f"{value:.3f}"
