"""`beatwise analyse FILE...`: the service's analysis of recordings, on the command line."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from app import __version__
from app.printing import NOTICE, print_summary
from app.schemas import model_id
from app.settings import DEFAULT_MODEL, RHYTHM_MODEL, ROWS_MODEL, default_model
from ecg import exports, readers
from ecg.advice import Advice, advise
from ecg.analysis import Analysis, RhythmBy, RowAnalysis, analyse_any
from ecg.beat_rows import BeatRows
from ecg.classifier import Classifier, load
from ecg.errors import ArtefactError, InputError
from ecg.record import Record
from ecg.rhythm import RhythmModel
from ecg.rhythm import load as load_rhythm
from ecg.wfdb_header import read_header

MODELS: Final = Path(__file__).parent.parent / "models"

program = typer.Typer(
    help=f"Read ECG recordings, classify their heartbeats. {NOTICE}",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_errors = Console(stderr=True)
Model = TypeVar("Model", Classifier, RhythmModel)


@dataclass(frozen=True)
class Wanted:
    """What to write, as letters of a file's ending, and where: to standard output without `out`.

    advice: with text on what people usually do next, for that age in years if known.
    """

    formats: tuple[str, ...]
    out: Path | None
    advice: bool = False
    age: int | None = None

    @property
    def rhythm(self) -> bool:
        """Return whether what is written has a place for the rhythm: CSV and .atr have none."""
        return not self.formats or "json" in self.formats


@dataclass(frozen=True)
class Choice:
    """The models' folder, and the name asked for."""

    folder: Path
    name: str | None

    def default(self) -> Classifier:
        """Return the model asked for, or that of recordings."""
        return _beats(self.folder / (self.name or DEFAULT_MODEL))

    def of(self, opened: Record | BeatRows) -> Classifier:
        """Return the model for what was opened."""
        known = [path.name for path in self.folder.iterdir() if path.is_dir()]
        return _beats(self.folder / (self.name or default_model(opened, known)))

    def rhythm(self) -> RhythmBy | None:
        """Return what tells the rhythm, None where its model or that of the beats is not there."""
        of_rhythm, of_beats = self.folder / RHYTHM_MODEL, self.folder / DEFAULT_MODEL
        if not (of_rhythm.is_dir() and of_beats.is_dir()):
            return None
        return RhythmBy(_rhythm(of_rhythm), _beats(of_beats))


@lru_cache
def _beats(folder: Path) -> Classifier:
    return _loaded(folder, load)


@lru_cache
def _rhythm(folder: Path) -> RhythmModel:
    return _loaded(folder, load_rhythm)


def _loaded(folder: Path, load_from: Callable[[Path], Model]) -> Model:
    try:
        return load_from(folder)
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
        by = choice.rhythm() if wanted.rhythm else None
        analysis = analyse_any(opened, classifier, lead, tell, rhythm=by)
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
        answer = exports.to_columns(analysis)
        print_summary(answer, stem, classifier, _advice(answer, wanted))


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
