"""`beatwise analyse FILE...`: the service's analysis of recordings, on the command line.

`beatwise models` verifies a folder of models and tells its revision.
"""

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
from app.artefacts import DEFAULT_MODEL, RHYTHM_MODEL, ROWS_MODEL, default_model
from app.files import of_recordings
from app.pinned import revision
from app.printing import NOTICE, print_summary
from app.remote import AnyPath, RemoteError, read_bytes
from app.schemas import model_id
from ecg import exports, readers
from ecg.advice import Advice, advise
from ecg.analysis import Analysis, RhythmBy, RowAnalysis, analyse_any
from ecg.beat_rows import BeatRows
from ecg.classifier import Classifier, load
from ecg.errors import ArtefactError, InputError
from ecg.record import Record
from ecg.rhythm import RhythmModel
from ecg.rhythm import load as load_rhythm

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


def _here(path: Path | None) -> Path | None:
    if path is not None and str(path).lower().startswith("s3:/"):
        raise typer.BadParameter(f"{path}: a folder of this machine is wanted")
    return path


@program.callback()
def about() -> None:
    """Beatwise."""


@program.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


@program.command()
def models(
    folder: Annotated[
        Path, typer.Argument(help="Folder of model artefacts.", callback=_here)
    ] = MODELS,
    expect: Annotated[
        str,
        typer.Option(
            envvar="MODELS_REVISION",
            help="Fail unless this is the revision: sha256:<64 hex digits>.",
        ),
    ] = "",
) -> None:
    """Verify models, hashes and golden beats, and print their versions and the revision of all.

    The revision is what BEATWISE_MODELS=s3://bucket/path@<revision> pins.
    """
    from app.service import load_models  # the web framework, which no other command wants

    loaded = load_models(folder)
    if loaded.reason:
        _fail(loaded.reason)
    for model in loaded.every.values():
        typer.echo(f"{model.name:20} {model.version:8} sha256:{model.sha256}")
    found = revision(loaded.hashes)
    typer.echo(f"revision {found}")
    if expect not in ("", found):
        _fail(f"{folder} is not of the revision that is expected, {expect}")


@program.command()
def analyse(
    files: Annotated[
        list[str],
        typer.Argument(
            help="WFDB headers (.hea), EDF, BDF, CSV, text or zip files; paths or s3:// addresses."
        ),
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
    models: Annotated[
        Path, typer.Option(help="Folder of model artefacts.", callback=_here)
    ] = MODELS,
    json: Annotated[bool, typer.Option("--json", help="Write the answer of the API.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Write a row a beat.")] = False,
    atr: Annotated[bool, typer.Option("--atr", help="Write WFDB annotations.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for what is written.", callback=_here)
    ] = None,
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
    try:
        recordings = of_recordings(files)
    except RemoteError as error:
        _fail(str(error))
    _check(wanted, [paths[0].stem for paths in recordings])
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
    paths: list[AnyPath],
    wanted: Wanted,
    choice: Choice,
    given: dict[str, Any],
    lead: str | None,
    tell: Callable[[str, float], None],
) -> bool:
    try:
        opened = readers.open_files({p.name: read_bytes(p) for p in paths}, **given)
        classifier = choice.of(opened)
        by = choice.rhythm() if wanted.rhythm else None
        analysis = analyse_any(opened, classifier, lead, tell, rhythm=by)
        _give(analysis, paths[0].stem, wanted, classifier)
    except RemoteError as error:
        return _complain(str(error))
    except (InputError, OSError) as error:
        return _complain(f"{paths[0]}: {error}")
    return True


def _complain(message: str) -> bool:
    _errors.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    return False


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


def _check(wanted: Wanted, stems: list[str]) -> None:
    if wanted.out is None and wanted.formats and len(wanted.formats) + len(stems) > 2:
        _fail("more than one file would be written: give a folder with --out")
    if wanted.out is not None and not wanted.formats:
        _fail("--out wants one or more of --json, --csv, --atr")
    if wanted.out is not None and len({*stems}) < len(stems):
        twice = next(stem for stem in stems if stems.count(stem) > 1)
        _fail(f"two recordings are named {twice}: one would replace the other in --out")
    if wanted.age is not None and not wanted.advice:
        _fail("--age is for --advice")


def _fail(message: str) -> NoReturn:
    _errors.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
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
