"""A recording's figures as tables on a terminal."""

from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ecg.advice import Advice
from ecg.classifier import Classifier
from ecg.rhythm import RHYTHMS, WORDS

NOTICE: Final = "Research and education, not a medical device."
_HRV: Final = (
    ("SDNN", "sdnn_ms", "ms"),
    ("RMSSD", "rmssd_ms", "ms"),
    ("pNN50", "pnn50_percent", "%"),
)


def print_summary(
    answer: dict[str, Any], name: str, classifier: Classifier, advice: Advice | None
) -> None:
    """Print an answer as `exports.to_columns` gives it, and advice where there is any."""
    table = Table(title=name, title_justify="left", show_header=False, box=None)
    table.add_column(style="bold")
    for title, text in _lines(answer, classifier):
        table.add_row(title, text)
    Console().print(table, markup=False)
    if advice is not None:
        _print_advice(advice)


def _print_advice(advice: Advice) -> None:
    table = Table(title="What people usually do next", title_justify="left", show_header=False)
    table.box = None
    table.add_column(style="bold", max_width=16)
    table.add_row("", advice.notice)
    table.add_row("age", advice.age_band)
    for line in advice.lines:
        table.add_row(line.finding, line.text)
        table.add_row("", Text(line.source, style="dim"))
    Console().print(table, markup=False)


def _lines(answer: dict[str, Any], classifier: Classifier) -> list[tuple[str, str]]:
    record, found = answer["record"], answer["summary"]
    lines = [("format", f"{record['format']}, {record['fs']:g} Hz")]
    lines += [("", note) for note in record["found"]]
    if found is None:
        counts = {c: answer["beats"]["aami_class"].count(c) for c in "NSVFQ"}
        lines.append(("beats", "  ".join(f"{c} {n}" for c, n in counts.items())))
    else:
        lines += _recording_lines(record, found)
        lines += _rhythm_lines(answer["rhythm"])
    if answer["agreement"]:
        lines.append(("agreement", _agreement(answer["agreement"])))
    models = [f"{classifier.name} {classifier.version}"]
    if answer["rhythm"]:
        models.append("{name} {version}".format(**answer["rhythm"]["model"]))
    return [*lines, ("model", ", ".join(models)), ("", NOTICE)]


def _recording_lines(record: dict[str, Any], found: dict[str, Any]) -> list[tuple[str, str]]:
    turned = ", was upside down" if record["inverted"] else ""
    rate, hrv, pauses = found["heart_rate"], found["hrv"], found["pauses"]
    classes = (
        f"{c} {n['count']} ({n['burden_percent']:.1f} %)" for c, n in found["by_class"].items()
    )
    return [
        ("lead", f"{record['lead']} of {', '.join(record['leads'])}{turned}"),
        ("duration", f"{found['duration_s']:.1f} s, {found['analysable_percent']:g} % analysable"),
        ("beats", f"{found['beats']}: {'  '.join(classes)}"),
        ("unusable", f"{found['unusable_beats']} of them, answered Q"),
        (
            "heart rate",
            f"mean {_known(rate['mean'], 'bpm')}, "
            + " to ".join(_known(rate[key], "bpm") for key in ("min", "max")),
        ),
        ("ventricular", _ectopy(found["ventricular"])),
        ("supraventr.", _ectopy(found["supraventricular"])),
        ("pauses", f"{pauses['count']} over 2 s, longest {_known(pauses['longest_s'], 's')}"),
        ("HRV", ", ".join(f"{name} {_known(hrv[key], unit)}" for name, key, unit in _HRV)),
    ]


def _rhythm_lines(found: dict[str, Any] | None) -> list[tuple[str, str]]:
    if found is None:
        return []
    words = dict(zip(RHYTHMS, WORDS, strict=True))
    sure = "" if found["confidence"] is None else f" ({100 * found['confidence']:.0f} %)"
    told = ("rhythm", words[found["class"]] + sure)
    parts = found["parts"]["class"]
    if len(parts) == 1:
        return [told]
    shares = (f"{words[r]} {100 * parts.count(r) / len(parts):.1f} %" for r in RHYTHMS)
    spans = found["af_episodes"]
    longest = max((e - b for b, e in zip(spans["begin_s"], spans["end_s"], strict=True)), default=0)
    n = len(spans["begin_s"])
    episodes = f"{n} episode{'' if n == 1 else 's'}, longest {longest:g} s"
    burden = _known(found["af_burden_percent"], "%")
    return [told, ("by time", ", ".join(shares)), ("AF burden", f"{burden}; {episodes}")]


def _known(value: float | None, unit: str) -> str:
    return "none" if value is None else f"{value:g} {unit}"


def _ectopy(found: dict[str, int]) -> str:
    return (
        f"{found['couplets']} couplets, {found['runs']} runs (longest {found['longest_run']}), "
        f"{found['bigeminy']} episodes of bigeminy"
    )


def _agreement(found: dict[str, Any]) -> str:
    text = f"accuracy {100 * found['accuracy']:.2f} % of {found['reference']}"
    for target in ("qrs", "veb", "sveb"):
        rates = found[target]
        if rates and rates["se"] is not None and rates["ppv"] is not None:
            text += f"; {target.upper()} Se {100 * rates['se']:.2f} % +P {100 * rates['ppv']:.2f} %"
    return text
