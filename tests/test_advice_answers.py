"""What people usually do next, asked of `/v1/records` as a client would."""

import httpx
import msgspec
import pytest

from app.record_schemas import RecordAnswer
from tests.asking import check_problem
from tests.test_detector import made
from tests.test_records import FS, Files, answer, sent, upload


@pytest.fixture(scope="module")
def files() -> Files:
    rows = (f"{i / FS:.3f},{v:.4f}" for i, v in enumerate(made(FS, 20.0).signal))
    return sent(rec_csv=("time (s),ECG (mV)\n" + "\n".join(rows)).encode())


def test_advice_is_off_and_changes_nothing_else(client: httpx.Client, files: Files) -> None:
    plain = answer(client, files)
    assert plain["advice"] is None
    advised = answer(client, files, advice="true")
    changed = {name for name in plain if plain[name] != advised[name]}
    assert changed - {"timing_ms"} == {"advice"}


def test_advice_names_a_source_for_each_line_and_the_age_it_is_for(
    client: httpx.Client, files: Files
) -> None:
    found = answer(client, files, advice="true", age=70)
    advice = msgspec.convert(found, RecordAnswer).advice
    assert advice is not None
    assert advice.age_band == "65 and older"
    assert "not a medical device" in advice.notice
    assert advice.lines[0].finding == "symptoms"
    assert len(advice.lines) > 1
    assert all(line.text and "doi:" in line.source for line in advice.lines)


def test_text_for_adults_is_not_given_for_a_child(client: httpx.Client, files: Files) -> None:
    advice = answer(client, files, advice="true", age=9)["advice"]
    assert [line["finding"] for line in advice["lines"]] == ["symptoms", "age under 18"]


def test_advice_has_no_place_in_csv_and_annotations(client: httpx.Client, files: Files) -> None:
    for accept in ("text/csv", "application/x-wfdb-annotation"):
        plain = upload(client, files, accept)
        advised = upload(client, files, accept, advice="true", age=40)
        assert advised.status_code == 200
        assert advised.content == plain.content


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"advice": "maybe"}, "advice"),
        ({"advice": "true", "age": "-1"}, "age"),
        ({"advice": "true", "age": "121"}, "age"),
        ({"advice": "true", "age": "40.5"}, "age"),
        ({"advice": "true", "age": "old"}, "age"),
        ({"advice": "true", "age": ""}, "age"),
        ({"age": "40"}, "age"),
        ({"advice": "false", "age": "40"}, "age"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_field(
    client: httpx.Client, files: Files, query: dict[str, str], field: str
) -> None:
    (error,) = check_problem(upload(client, files, **query), 422)["errors"]
    assert error["field"] == field
    assert error["accepted"]
