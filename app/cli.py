"""`beatwise analyse FILE...`: the service's analysis of recordings, on the command line."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from app import __version__
from app.schemas import model_id
from app.settings import DEFAULT_MODEL, ROWS_MODEL, default_model
from ecg import exports, readers
from ecg.advice import Advice, advise
from ecg.analysis import Analysis, RowAnalysis, analyse_any
from ecg.beat_rows import BeatRows
from ecg.classifier import Classifier, load
from ecg.errors import ArtefactError, InputError
from ecg.record import Record
from ecg.wfdb_header import read_header

NOTICE: Final = "Research and education, not a medical device."
MODELS: Final = Path(__file__).parent.parent / "models"

program = typer.Typer(
    help=f"Read ECG recordings, classify their heartbeats. {NOTICE}",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_HRV: Final = (
    ("SDNN", "sdnn_ms", "ms"),
    ("RMSSD", "rmssd_ms", "ms"),
    ("pNN50", "pnn50_percent", "%"),
)
_errors = Console(stderr=True)


@dataclass(frozen=True)
class Wanted:
    """What to write, as letters of a file's ending, and where: to standard output without `out`.

    advice: with text on what people usually do next, for that age in years if known.
    """

    formats: tuple[str, ...]
    out: Path | None
    advice: bool = False
    age: int | None = None


@dataclass(frozen=True)
class Choice:
    """The models' folder, and the name asked for."""

    folder: Path
    name: str | None

    def default(self) -> Classifier:
        """Return the model asked for, or that of recordings."""
        return _loaded(self.folder / (self.name or DEFAULT_MODEL))

    def of(self, opened: Record | BeatRows) -> Classifier:
        """Return the model for what was opened."""
        known = [path.name for path in self.folder.iterdir() if path.is_dir()]
        return _loaded(self.folder / (self.name or default_model(opened, known)))


@lru_cache
def _loaded(folder: Path) -> Classifier:
    try:
        return load(folder)
    except ArtefactError as error:
        _fail(
            f"{error}. `make run` or `dvc pull -r bundled models/{folder.name}` fetches the model."
        )


@program.callback()
def about() -> None:
    """Beatwise."""


@program.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


@program.command()
def analyse(
    files: Annotated[
        list[Path], typer.Argument(help="WFDB headers (.hea), EDF, BDF, CSV, text or zip files.")
    ],
    fs: Annotated[float | None, typer.Option(help="Hz, for files that do not say.")] = None,
    unit: Annotated[str | None, typer.Option(help="mV, uV, V or adc, likewise.")] = None,
    lead: Annotated[str | None, typer.Option(help="Name; MLII, II or the first.")] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help=f"Folder of --models: {DEFAULT_MODEL}, for 187-sample beats {ROWS_MODEL}."
        ),
    ] = None,
    models: Annotated[Path, typer.Option(help="Folder of model artefacts.")] = MODELS,
    json: Annotated[bool, typer.Option("--json", help="Write the answer of the API.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Write a row a beat.")] = False,
    atr: Annotated[bool, typer.Option("--atr", help="Write WFDB annotations.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for what is written.")] = None,
    advice: Annotated[
        bool, typer.Option("--advice", help="Add what people usually do next: no verdict.")
    ] = False,
    age: Annotated[int | None, typer.Option(min=0, max=120, help="Years, for --advice.")] = None,
) -> None:
    """Find and classify the beats of recordings; print a summary of each, or write its beats.

    A WFDB header brings the files that it names, and the .atr beside it.
    """
    formats = tuple(n for n, on in (("json", json), ("csv", csv), ("atr", atr)) if on)
    wanted = Wanted(formats, out, advice, age)
    recordings = _recordings(files)
    _check(wanted, len(recordings))
    choice = Choice(models, model)
    choice.default()
    failed = 0
    with _progress() as progress:
        for paths in recordings:
            task = progress.add_task(paths[0].name, total=1.0, step="reading")
            tell = _teller(progress, task)
            failed += not _one(paths, wanted, choice, {"fs": fs, "unit": unit}, lead, tell)
            progress.remove_task(task)
    raise typer.Exit(1 if failed else 0)


def _one(
    paths: list[Path],
    wanted: Wanted,
    choice: Choice,
    given: dict[str, Any],
    lead: str | None,
    tell: Callable[[str, float], None],
) -> bool:
    try:
        opened = readers.open_files({p.name: p.read_bytes() for p in paths}, **given)
        classifier = choice.of(opened)
        analysis = analyse_any(opened, classifier, lead, tell)
        _give(analysis, paths[0].stem, wanted, classifier)
    except (InputError, OSError) as error:
        _errors.print(f"{paths[0]}: {error}", style="red", markup=False, highlight=False)
        return False
    return True


def _give(
    analysis: Analysis | RowAnalysis, stem: str, wanted: Wanted, classifier: Classifier
) -> None:
    for ending in wanted.formats:
        content = _content(analysis, ending, wanted, classifier)
        if wanted.out is None:
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
        else:
            wanted.out.mkdir(parents=True, exist_ok=True)
            path = wanted.out / f"{stem}.{ending}"
            path.write_bytes(content)
            _errors.print(f"written: {path}", markup=False, highlight=False)
    if not wanted.formats:
        _print_summary(analysis, stem, wanted, classifier)


def _content(
    analysis: Analysis | RowAnalysis, ending: str, wanted: Wanted, classifier: Classifier
) -> bytes:
    if ending == "csv":
        return exports.to_csv(analysis).encode()
    if ending == "atr":
        return exports.to_atr(analysis)
    columns = exports.to_columns(analysis, proba=True)
    content = {**columns, "advice": _advice(columns, wanted), "model": model_id(classifier)}
    return msgspec.json.encode(content) + b"\n"


def _advice(answer: dict[str, Any], wanted: Wanted) -> Advice | None:
    return advise(answer["summary"], wanted.age) if wanted.advice else None


def _print_summary(
    analysis: Analysis | RowAnalysis, name: str, wanted: Wanted, classifier: Classifier
) -> None:
    answer = exports.to_columns(analysis)
    table = Table(title=name, title_justify="left", show_header=False, box=None)
    table.add_column(style="bold")
    for title, text in _lines(answer, classifier):
        table.add_row(title, text)
    Console().print(table, markup=False)
    advice = _advice(answer, wanted)
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
    if answer["agreement"]:
        lines.append(("agreement", _agreement(answer["agreement"])))
    return [*lines, ("model", f"{classifier.name} {classifier.version}"), ("", NOTICE)]


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


def _recordings(files: list[Path]) -> list[list[Path]]:
    """Return the files of each recording: a header first, then what it names and its .atr."""
    groups = [_of_header(path) for path in files if path.suffix.lower() == ".hea"]
    taken = {path.resolve() for group in groups for path in group}
    return groups + [[path] for path in files if path.resolve() not in taken]


def _of_header(path: Path) -> list[Path]:
    try:
        names = {lead.file for lead in read_header(path.read_bytes()).leads}
    except (InputError, OSError):
        return [path]
    beside = [path.with_name(Path(name).name) for name in sorted(names)]
    return [path, *(p for p in (*beside, path.with_suffix(".atr")) if p.is_file())]


def _check(wanted: Wanted, n: int) -> None:
    if wanted.out is None and (len(wanted.formats) > 1 or (wanted.formats and n > 1)):
        _fail("more than one file would be written: give a folder with --out")
    if wanted.out is not None and not wanted.formats:
        _fail("--out wants one or more of --json, --csv, --atr")
    if wanted.age is not None and not wanted.advice:
        _fail("--age is for --advice")


def _fail(message: str) -> NoReturn:
    _errors.print(message, style="red", markup=False, highlight=False)
    raise typer.Exit(2)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[step]}"))
    return Progress(*columns, console=_errors, transient=True, disable=not _errors.is_terminal)


def _teller(progress: Progress, task: Any) -> Callable[[str, float], None]:
    return lambda step, share: progress.update(task, completed=share, step=step)


def main() -> None:
    """Run the command line."""
    program()


if __name__ == "__main__":
    main()
