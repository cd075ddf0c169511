"""Read and write WFDB annotations (.atr) in the MIT format.

Source: WFDB Applications Guide, annot(5); the codes and letters of <wfdb/ecgcodes.h>.
"""

import re
from dataclasses import dataclass

import numpy as np

from ecg.errors import InputError
from ecg.record import Annotation

MAX_ANNOTATIONS = 1_000_000
"""Over 48 h, 300 beats a minute, and room for the marks between them."""
MAX_ANNOTATION_BYTES = 16 * 2**20
MAX_AUX_BYTES = 255
MAX_SAMPLE = 2**53

# Letters by code; 15, 17 and all from 42 are nobody's and stand as "[15]" here and in WFDB.
# Code 0 marks no annotation.
_LETTERS = '·NLRaVFJASEj/Q~·|·sT*D"=pB^t+u?![]en@xf()r'
SYMBOLS = tuple(f"[{code}]" if c == "·" else c for code, c in enumerate(_LETTERS)) + tuple(
    f"[{code}]" for code in range(len(_LETTERS), 59)
)
CODES = {symbol: code for code, symbol in enumerate(SYMBOLS) if code}
NOTE = CODES['"']
SKIP, NUM, SUB, CHN, AUX = range(59, 64)

# A difference of up to ten bits stands beside its code; a longer one in a SKIP's 32 bits.
_LONGEST_STEP = 2**10 - 1
_LONGEST_SKIP = 2**31 - 1

_RESOLUTION = re.compile(r"## time resolution: (\d{1,9}(?:\.\d{0,9})?)\Z", re.ASCII)
_DEFINITION = re.compile(r"(\d{1,2}) ([!-~]{1,8})(?: .*)?\Z", re.ASCII)
_DEFINITIONS = "## annotation type definitions"
_END_OF_DEFINITIONS = "## end of definitions"

AN_ATR = "a WFDB annotation file in the MIT format"


@dataclass(frozen=True)
class _Mark:
    """One annotation as it stands in the file; `aux` comes in words after it."""

    sample: int
    code: int
    aux: str = ""


def read_annotations(
    content: bytes, limit: int = MAX_ANNOTATIONS, fs: float | None = None
) -> Annotation:
    """Return the annotations of an .atr file: one sample, symbol and aux string each.

    limit: the most annotations taken. fs: Hz of the record; where the file says that it counts
    at another frequency, its samples are put into the record's. Subtypes, channels and numbers
    are read over. Definitions of letters and of the frequency are applied, not returned.
    Raises InputError for a file that is malformed, truncated, runs backwards or is too long.
    Source: annot(5).
    """
    if len(content) > MAX_ANNOTATION_BYTES:
        raise _refuse("annotation file is too long", f"up to {MAX_ANNOTATION_BYTES} bytes")
    symbols, resolution, marks = _definitions(_marks(content, limit))
    sample = np.array([mark.sample for mark in marks], np.int64)
    if fs is not None and resolution is not None and resolution != fs:
        scaled = np.rint(sample * (fs / resolution))
        if (scaled > MAX_SAMPLE).any():
            raise _refuse("annotation file has a mark beyond any recording")
        sample = scaled.astype(np.int64)
    return Annotation(
        sample=sample,
        symbol=tuple(symbols[mark.code] for mark in marks),
        aux=tuple(mark.aux for mark in marks),
    )


def write_annotations(annotation: Annotation, fs: float | None = None) -> bytes:
    """Return `annotation` as the bytes of an .atr file.

    fs: Hz, written into the file where it is given, so that times can be told without a header.
    A `"` at sample 0 is what WFDB takes for a definition: readers may leave it out.
    Raises InputError for samples that do not rise, letters that WFDB does not have, and aux
    strings that are over 255 bytes or not Latin-1. Source: annot(5).
    """
    samples = annotation.sample.tolist()
    aux = annotation.aux or ("",) * len(samples)
    if not len(samples) == len(annotation.symbol) == len(aux):
        raise InputError("annotation", "has columns of different length", "one of each a mark")
    out = bytearray()
    if fs is not None:
        out += _word(0, NOTE) + _aux(f"## time resolution: {fs:.9g}")
    before = 0
    for sample, symbol, text in zip(samples, annotation.symbol, aux, strict=True):
        out += _step(sample - before, symbol) + _aux(text)
        before = sample
    return bytes(out + _word(0, 0))


def _refuse(problem: str, accepted: str = AN_ATR) -> InputError:
    return InputError("files", problem, accepted)


def _marks(content: bytes, limit: int) -> list[_Mark]:
    """Return the annotations up to the end mark, definitions among them."""
    # Lists, not marks: a file of nothing but aux strings would replace one mark millions of times.
    samples: list[int] = []
    codes: list[int] = []
    aux: list[str] = []
    now = at = 0
    while at + 2 <= len(content):
        step, code = content[at] | (content[at + 1] & 3) << 8, content[at + 1] >> 2
        at += 2
        if not (step or code):
            return [_Mark(*mark) for mark in zip(samples, codes, aux, strict=True) if mark[1]]
        if code == SKIP:
            now += _long(content[at : at + 4])
            at += 4
        elif code < SKIP:
            now += step
            _check(now, samples, limit)
            samples.append(now)
            codes.append(code)
            aux.append("")
        elif not samples:
            raise _refuse("annotation file starts with what belongs to a mark")
        elif code == AUX:
            # The length is the low byte: the two bits above it are not the length's.
            size = step & 0xFF
            aux[-1] = content[at : at + size].decode("latin-1").rstrip("\0")
            at += size + size % 2
    raise _refuse("annotation file ends before its end mark")


def _check(now: int, samples: list[int], limit: int) -> None:
    if len(samples) >= limit:
        raise _refuse("annotation file has too many marks", f"up to {limit}")
    if now < (samples[-1] if samples else 0):
        raise _refuse("annotation file runs backwards", "marks in order of time")


def _long(four: bytes) -> int:
    """Return a PDP-11 long: the high 16 bits first, each half with its low byte first."""
    return int.from_bytes(four[2:] + four[:2], "little", signed=True)


def _definitions(marks: list[_Mark]) -> tuple[list[str], float | None, list[_Mark]]:
    """Return the letters by code, the file's own frequency in Hz, and the marks left."""
    symbols = list(SYMBOLS)
    resolution: float | None = None
    kept: list[_Mark] = []
    defining = False
    for mark in marks:
        if mark.sample or mark.code != NOTE or not (defining or mark.aux.startswith("## ")):
            kept.append(mark)
        elif found := _RESOLUTION.match(mark.aux):
            resolution = float(found[1]) or None
        elif mark.aux in (_DEFINITIONS, _END_OF_DEFINITIONS):
            defining = mark.aux == _DEFINITIONS
        elif (found := _DEFINITION.match(mark.aux)) and int(found[1]) < SKIP:
            symbols[int(found[1])] = found[2]
    return symbols, resolution, kept


def _word(step: int, code: int) -> bytes:
    return (step | code << 10).to_bytes(2, "little")


def _step(step: int, symbol: str) -> bytes:
    """Return a mark's letter and its difference from the mark before, in samples."""
    if step < 0:
        raise InputError("annotation", "has samples that do not rise", "marks in order of time")
    if symbol not in CODES:
        raise InputError("annotation", "has a letter that WFDB does not have", " ".join(CODES))
    skips = bytearray()
    while step > _LONGEST_STEP:
        skip = min(step, _LONGEST_SKIP)
        four = skip.to_bytes(4, "little")
        skips += _word(0, SKIP) + four[2:] + four[:2]
        step -= skip
    return bytes(skips) + _word(step, CODES[symbol])


def _aux(text: str) -> bytes:
    if not text:
        return b""
    try:
        content = text.encode("latin-1")
    except UnicodeEncodeError:
        raise InputError("annotation", "has an aux string beyond Latin-1", "Latin-1") from None
    if len(content) > MAX_AUX_BYTES:
        raise InputError("annotation", "has too long an aux string", f"{MAX_AUX_BYTES} bytes")
    return _word(len(content), AUX) + content + b"\0" * (len(content) % 2)
