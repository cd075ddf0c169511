"""`beatwise analyse FILE...`: the service's analysis of recordings, on the command line."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from app import __version__
from app.schemas import model_id
from app.settings import DEFAULT_MODEL
from ecg import exports, readers
from ecg.analysis import Analysis, RowAnalysis, analyse_any
from ecg.classifier import Classifier, load
from ecg.errors import ArtefactError, InputError
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
    """What to write, as letters of a file's ending, and where: to standard output without `out`."""

    formats: tuple[str, ...]
    out: Path | None


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
    model: Annotated[str, typer.Option(help="Name of a folder of --models.")] = DEFAULT_MODEL,
    models: Annotated[Path, typer.Option(help="Folder of model artefacts.")] = MODELS,
    json: Annotated[bool, typer.Option("--json", help="Write the answer of the API.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Write a row a beat.")] = False,
    atr: Annotated[bool, typer.Option("--atr", help="Write WFDB annotations.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for what is written.")] = None,
) -> None:
    """Find and classify the beats of recordings; print a summary of each, or write its beats.

    A WFDB header brings the files that it names, and the .atr beside it.
    """
    formats = tuple(n for n, on in (("json", json), ("csv", csv), ("atr", atr)) if on)
    wanted = Wanted(formats, out)
    recordings = _recordings(files)
    _check(wanted, len(recordings))
    try:
        classifier = load(models / model)
    except ArtefactError as error:
        _fail(f"{error}. `make run` or `dvc pull -r bundled models/{model}` fetches the model.")
    failed = 0
    with _progress() as progress:
        for paths in recordings:
            task = progress.add_task(paths[0].name, total=1.0, step="reading")
            tell = _teller(progress, task)
            failed += not _one(paths, wanted, classifier, {"fs": fs, "unit": unit}, lead, tell)
            progress.remove_task(task)
    raise typer.Exit(1 if failed else 0)


def _one(
    paths: list[Path],
    wanted: Wanted,
    classifier: Classifier,
    given: dict[str, Any],
    lead: str | None,
    tell: Callable[[str, float], None],
) -> bool:
    try:
        opened = readers.open_files({p.name: p.read_bytes() for p in paths}, **given)
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
        content = _content(analysis, ending, classifier)
        if wanted.out is None:
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
        else:
            wanted.out.mkdir(parents=True, exist_ok=True)
            path = wanted.out / f"{stem}.{ending}"
            path.write_bytes(content)
            _errors.print(f"written: {path}", markup=False, highlight=False)
    if not wanted.formats:
        _print_summary(analysis, stem, classifier)


def _content(analysis: Analysis | RowAnalysis, ending: str, classifier: Classifier) -> bytes:
    if ending == "csv":
        return exports.to_csv(analysis).encode()
    if ending == "atr":
        return exports.to_atr(analysis)
    columns = exports.to_columns(analysis, proba=True)
    return msgspec.json.encode({**columns, "model": model_id(classifier)}) + b"\n"


def _print_summary(analysis: Analysis | RowAnalysis, name: str, classifier: Classifier) -> None:
    answer = exports.to_columns(analysis)
    table = Table(title=name, title_justify="left", show_header=False, box=None)
    table.add_column(style="bold")
    for title, text in _lines(answer, classifier):
        table.add_row(title, text)
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


def _fail(message: str) -> None:
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
