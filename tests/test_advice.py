"""What people usually do next: the table, and which of its lines a recording gets."""

import csv
import re
import tomllib
from fnmatch import fnmatch
from typing import Any

import pytest

from ecg.advice import BANDS, CHILD, NOTHING, SYMPTOMS, UNKNOWN_AGE, advise, band_of, table
from tests.conftest import ROOT

DOI = re.compile(r"10\.\d{4,}/[\w.()/-]+")
ADULTS = (20, 50, 80, None)
CASES: list[tuple[dict[str, Any], str]] = [
    ({"v_runs": 1}, "runs of V beats"),
    ({"v": 110, "v_percent": 10.0}, "many V beats"),
    ({"v": 31, "v_percent": 3.1}, "frequent V beats"),
    ({"v_couplets": 1}, "V beats in pairs or bigeminy"),
    ({"v_bigeminy": 1}, "V beats in pairs or bigeminy"),
    ({"s_runs": 1, "s_longest": 3}, "runs of S beats"),
    ({"s": 30}, "many S beats"),
    ({"s": 5, "s_longest": 20}, "many S beats"),
    ({"pause_s": 3.1}, "pause over 3 s"),
    ({"pause_s": 3.0}, "pause over 2 s"),
    ({"mean": 49.9}, "slow rate"),
    ({"mean": 100.1}, "fast rate"),
    ({"analysable": 74.9}, "little signal"),
    ({"beats": 0, "mean": None}, "little signal"),
    ({"unusable": 4000}, "little signal"),
    ({}, NOTHING),
]
WITHIN: list[dict[str, Any]] = [
    {"v": 30, "v_percent": 0.75},
    {"s": 29, "s_longest": 2},
    {"hours": 2.0, "v": 60, "s": 59},
    {"hours": 0.01, "s": 29},
    {"mean": 50.0},
    {"mean": 100.0},
    {"analysable": 75.0, "v": 22},
]


def figures(**given: Any) -> dict[str, Any]:
    """Figures of an hour without anything to tell, but for what is given."""
    counts = {"N": (0, 0.0), "S": (given.get("s", 0), 0.0)}
    counts["V"] = (given.get("v", 0), given.get("v_percent", 0.0))
    pause = given.get("pause_s")
    return {
        "duration_s": 3600 * given.get("hours", 1.0),
        "beats": given.get("beats", 4000),
        "unusable_beats": given.get("unusable", 0),
        "heart_rate": {"mean": given.get("mean", 70.0), "min": None, "max": None},
        "by_class": {c: {"count": n, "burden_percent": p} for c, (n, p) in counts.items()},
        "ventricular": {
            "couplets": given.get("v_couplets", 0),
            "runs": given.get("v_runs", 0),
            "longest_run": 0,
            "bigeminy": given.get("v_bigeminy", 0),
        },
        "supraventricular": {
            "couplets": 0,
            "runs": given.get("s_runs", 0),
            "longest_run": given.get("s_longest", 0),
            "bigeminy": 0,
        },
        "pauses": {"count": 0 if pause is None else 1, "longest_s": pause, "at_s": []},
        "analysable_percent": given.get("analysable", 100.0),
    }


def found(given: dict[str, Any], age: int | None = None) -> list[str]:
    """Return the findings of the answer, each once, without the one that is always there."""
    lines = advise(figures(**given), age).lines
    assert lines[0].finding == SYMPTOMS
    return list(dict.fromkeys(line.finding for line in lines[1:]))


# Which lines


@pytest.mark.parametrize(("given", "finding"), CASES, ids=str)
def test_a_figure_at_its_limit_gets_its_line(given: dict[str, Any], finding: str) -> None:
    assert found(given) == [finding]


@pytest.mark.parametrize("given", WITHIN, ids=str)
def test_a_figure_within_its_limit_gets_none(given: dict[str, Any]) -> None:
    assert found(given) == [NOTHING]


def test_a_share_of_few_beats_is_not_many() -> None:
    assert found({"hours": 0.01, "v": 4, "v_percent": 10.0}) == ["frequent V beats"]


def test_every_finding_of_a_recording_is_told() -> None:
    given = {"v_runs": 1, "v_couplets": 1, "s": 40, "pause_s": 4.0, "mean": 45.0}
    assert len(found(given)) == 5


@pytest.mark.parametrize("age", [0, 10, 17])
@pytest.mark.parametrize("given", [given for given, _ in CASES], ids=str)
def test_children_get_no_text_for_adults(given: dict[str, Any], age: int) -> None:
    assert set(found(given, age)) - {"little signal"} == {CHILD}


def test_separate_beats_have_no_figures_to_go_by() -> None:
    assert [line.finding for line in advise(None).lines] == [SYMPTOMS]
    assert [line.finding for line in advise(None, 9).lines] == [SYMPTOMS, CHILD]


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (0, "under 18"),
        (17, "under 18"),
        (18, "18 to 39"),
        (39, "18 to 39"),
        (40, "40 to 64"),
        (64, "40 to 64"),
        (65, "65 and older"),
        (120, "65 and older"),
        (None, UNKNOWN_AGE),
    ],
)
def test_an_age_is_in_one_band(age: int | None, band: str) -> None:
    assert band_of(age) == band
    assert advise(None, age).age_band == band


def test_age_changes_the_text_where_the_sources_do() -> None:
    texts = {age: [one.text for one in advise(figures(v_runs=1), age).lines] for age in ADULTS}
    assert any("inherited" in text for text in texts[20])
    assert any("coronary" in text for text in texts[80])
    assert not any("inherited" in text or "coronary" in text for text in texts[None])


# The table


def test_every_finding_has_a_line_for_every_adult() -> None:
    for given, finding in CASES:
        assert [found(given, age) for age in ADULTS] == [[finding]] * len(ADULTS)


def test_every_line_can_be_reached() -> None:
    reached = {
        line
        for given, _ in CASES
        for age in (*ADULTS, 10)
        for line in advise(figures(**given), age).lines
    }
    assert reached == {row.line for row in table()}


def test_every_line_names_a_source_with_its_doi() -> None:
    for row in table():
        citations = row.line.source.split("; ")
        assert all(DOI.fullmatch(one.split(", doi:")[1]) for one in citations)
        assert row.bands <= {*BANDS, UNKNOWN_AGE}


def test_every_source_is_named_by_a_line() -> None:
    with (ROOT / "ecg" / "advice_sources.csv").open() as file:
        dois = [one["doi"] for one in csv.DictReader(file)]
    cited = " ".join(row.line.source for row in table())
    assert len(set(dois)) == len(dois)
    assert all(f"doi:{doi}" in cited for doi in dois)


@pytest.mark.parametrize("word", ["diagnos", "you ", "your", "clinical", "must", "should"])
def test_no_line_is_a_verdict_or_an_order(word: str) -> None:
    assert not [row.line.text for row in table() if word in row.line.text.lower()]


def test_nobody_is_told_that_a_physician_reviewed_it() -> None:
    assert "not by a physician" in advise(None).notice
    assert "not a medical device" in advise(None).notice


def test_an_installed_package_carries_the_table() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    data = [p.name for p in (ROOT / "ecg").iterdir() if p.is_file() and p.suffix != ".py"]
    assert {"advice.csv", "advice_sources.csv"} <= set(data)
    for name in data:
        assert any(fnmatch(name, pattern) for pattern in settings["package-data"]["ecg"])
