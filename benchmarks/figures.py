"""From values of single rounds to medians with their spread, and a table."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Way = Literal["beatwise", "naive"]
WAYS: Final[tuple[Way, Way]] = ("beatwise", "naive")

_LINE = "{:<44}{:<12}{:>25}{:>25}{:>8}"


@dataclass(frozen=True)
class Figure:
    """One value of one round; a unit that ends in /s is better when higher, others when lower."""

    what: str
    unit: str
    way: Way
    value: float


@dataclass(frozen=True)
class Spread:
    """Over the rounds."""

    median: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class Row:
    """times: how many times better Beatwise is, by the medians."""

    what: str
    unit: str
    beatwise: Spread
    naive: Spread
    times: float


def rows(figures: Iterable[Figure]) -> list[Row]:
    """Return a row for each thing measured, in the order in which they first came."""
    values: dict[tuple[str, str], dict[Way, list[float]]] = {}
    for figure in figures:
        ways = values.setdefault((figure.what, figure.unit), {way: [] for way in WAYS})
        ways[figure.way].append(figure.value)
    return [_row(what, unit, ways) for (what, unit), ways in values.items()]


def table(found: Iterable[Row]) -> str:
    """Return the rows as text: the median, and the lowest and highest round."""
    head = _LINE.format("", "", "Beatwise", "naive", "times").rstrip()
    return "\n".join([head, *(_line(row) for row in found)])


def _row(what: str, unit: str, ways: dict[Way, list[float]]) -> Row:
    beatwise, naive = (_spread(ways[way]) for way in WAYS)
    higher_is_better = unit.endswith("/s")
    better, worse = (beatwise, naive) if higher_is_better else (naive, beatwise)
    return Row(what, unit, beatwise, naive, _significant(better.median / worse.median))


def _spread(values: list[float]) -> Spread:
    return Spread(*map(_significant, (statistics.median(values), min(values), max(values))))


def _significant(value: float) -> float:
    return float(f"{value:.4g}")


def _line(row: Row) -> str:
    ways = (row.beatwise, row.naive)
    cells = (f"{_short(s.median)} ({_short(s.lowest)} - {_short(s.highest)})" for s in ways)
    return _LINE.format(row.what, row.unit, *cells, f"{_short(row.times)}x")


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
