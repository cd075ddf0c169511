"""Tables of the rendered reports."""


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def share(value: float | None) -> str:
    """Return a share from 0 to 1 with three digits; nothing where there is none."""
    return "" if value is None else f"{value:.3f}"
