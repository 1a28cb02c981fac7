"""Read a file of others whole, and its text: UTF-8, or UTF-16 that says so in its first bytes."""

from __future__ import annotations

import codecs
import io
from pathlib import Path
from typing import TextIO

from estimator.errors import IngestError

_MEGABYTE = 1_000_000
# Spreadsheets write "Unicode text" so; no UTF-8 file can begin with these bytes.
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_PACKED = {
    b"PK\x03\x04": "a zip file or a workbook",
    b"\xd0\xcf\x11\xe0": "an old workbook",
    b"\x1f\x8b": "a gzip file",
}


def read_bytes(path: Path, max_megabytes: float) -> bytes:
    """Read a file that is neither empty nor larger than allowed.

    Raises
    ------
    IngestError
        If it cannot be read.
    """
    try:
        size = path.stat().st_size
        if size > max_megabytes * _MEGABYTE:
            raise IngestError(
                f"{path}: {size / _MEGABYTE:,.0f} MB; allowed: {max_megabytes:,.0f} MB "
                "(--max-megabytes)"
            )
        content = path.read_bytes()
    except OSError as error:
        raise IngestError(f"{path}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise IngestError(f"{str(path)!r}: not a path ({error})") from error
    for mark, what in _PACKED.items():
        if content.startswith(mark):
            raise IngestError(f"{path}: {what}; expected text: unpack it, or save a sheet as CSV")
    if not content.strip():
        raise IngestError(f"{path}: the file is empty")
    return content


def text_stream(content: bytes) -> TextIO:
    """Text of a file as a stream, line ends as they are; large tables are never decoded at once."""
    return io.TextIOWrapper(io.BytesIO(content), encoding=_encoding(content), newline="")


def text_of(path: Path, content: bytes) -> str:
    """Text of a file.

    Raises
    ------
    IngestError
        If it is neither UTF-8 nor marked UTF-16.
    """
    try:
        return content.decode(_encoding(content))
    except UnicodeDecodeError as error:
        raise not_text(path, content) from error


def not_text(path: Path, content: bytes) -> IngestError:
    """Error that names the first byte that is no text."""
    encoding = _encoding(content)
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-16":
            return IngestError(f"{path}: not UTF-16, as its first bytes say; save it as UTF-8")
        line = content[: error.start].count(b"\n") + 1
        found = content[error.start]
        return IngestError(f"{path}: line {line}: not UTF-8 (byte {found:#04x}); save it as UTF-8")
    return IngestError(f"{path}: not UTF-8; save it as UTF-8")


def _encoding(content: bytes) -> str:
    return "utf-16" if content.startswith(_UTF16_MARKS) else "utf-8-sig"
