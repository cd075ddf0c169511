"""The files of a multipart request, held in memory and never stored."""

from typing import Final

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from app.problems import FORM, MEDIA, ProblemError, invalid
from ecg.readers import MAX_FILES

FIELD: Final = "files"
ACCEPTED: Final = f"1 to {MAX_FILES} files in the multipart field `{FIELD}`"
_MEDIA: Final = "multipart/form-data"


async def uploaded_files(request: Request) -> dict[str, bytes]:
    """Return the uploaded files by base name.

    Raises ProblemError: 415 for another media type, 400 for a broken body, 422 for a field that is
    not `files`, no file, too many, or two of one name.
    """
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != _MEDIA:
        raise ProblemError(MEDIA, f"Send the files as {_MEDIA}, in the field `{FIELD}`.")
    parser = MultiPartParser(
        request.headers, request.stream(), max_files=MAX_FILES, max_fields=MAX_FILES
    )
    # The guard bounds the body: nothing of it needs to go to a disk.
    parser.spool_max_size = request.app.state.settings.max_record_bytes
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if "Too many" in error.message:
            raise invalid(FIELD, "holds too many parts", ACCEPTED) from None
        raise ProblemError(FORM) from None
    files: dict[str, bytes] = {}
    for field, value in form.multi_items():
        if field != FIELD or not isinstance(value, UploadFile):
            raise invalid("body", "holds another field or text instead of a file", ACCEPTED)
        name = _base_name(value.filename or "") or f"file {len(files) + 1}"
        if name in files:
            raise invalid(FIELD, "holds two files of one name", ACCEPTED)
        files[name] = value.file.read()
        value.file.close()
    if not files:
        raise invalid(FIELD, "is missing", ACCEPTED)
    return files


def _base_name(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1]
