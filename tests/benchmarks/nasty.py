"""What people and programs put into cells, options and arguments by mistake or on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

NUMBERS = (
    "0", "-1", "-0", "1e400", "-1e308", "1e-400", "1e15", "999999999999", "nan", "inf", "-inf",
    "1,5", "1.234,56", "1 000", "12%", "0x10", "1_000", "\u0661\u0662", "\u00b2", "\u00bd",
    "1e", "--1", "9" * 400,
)  # fmt: skip
DATES = (
    "2026-02-30", "2026-13-01", "0000-00-00", "0001-01-01", "1600-01-01", "9999-12-31",
    "12345-01-01", "31/12/2025", "2026-1-5", "20260105", "2026-01", "2026-01-01T00:00:00Z",
    "yesterday", "2025-W05", "46000",
)  # fmt: skip
TEXTS = (
    "", " ", "None", "null", "~", "true", "x" * 50_000, "=1+1", '=HYPERLINK("http://example.org")',
    "@SUM(A1)", "<script>alert(1)</script>", "\u202eabc", "\U0001f600", "fr\u00fch", "#REF!",
    "'", '"', "\\",
    "a;b", "a\tb", "%s%n", "{0}", "../../etc/passwd", "/dev/null", ".", "-", "--", "[]", "{}", "[1",
    "{a: 1}", "${seed}", "${oc.env:HOME}", "${", "[bold]", "[/]", "*", "**", "?", "a=b",
)  # fmt: skip
RAW = ("\0", "a\0b", "a\nb", "a\rb", "\x1b[31m", "\x7f")
"""What no shell and no spreadsheet lets through easily."""
UNDECODED = "\udcff\udcfe"
"""What Python makes of an argument that is not UTF-8."""
WORDS = (*NUMBERS, *DATES, *TEXTS)
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 3.5, 1e300, float("nan"), float("inf"), "", "text", "2026-02-30", "9" * 400,
    [], [1, 2], ["a", None], {}, {"a": 1}, {"family": "Cauchy"}, {"family": "Normal", "low": 1},
    {"family": "LogNormal", "low": -1, "high": 2, "mass": 0.9, "unit": "ratio"},
    {"family": "Fixed", "value": [1]}, [[[]]], {"low": 0.1, "high": 0.3}, "${seed}", "${nothing}",
    10**30, -(10**30), [{"a": {"b": None}}], {1: 2}, {None: 1}, "\0", "${oc.env:HOME}", 99_999_999,
)  # fmt: skip
"""What may stand for a value in YAML."""


def one[T](rng: np.random.Generator, pool: Sequence[T]) -> T:
    """Draw one of several."""
    return pool[int(rng.integers(len(pool)))]


def misspelt(rng: np.random.Generator, word: str) -> str:
    """Drop, double or change a letter."""
    at = int(rng.integers(len(word))) if word else 0
    return word[:at] + one(rng, ("", word[at : at + 1] * 2, "x", ".", "E")) + word[at + 1 :]


def garbled(rng: np.random.Generator, content: bytes) -> bytes:
    """Damage a file: tear, empty, overwrite or encode it, or put another thing in its place."""
    size = len(content)
    text = content.decode("utf-8", "replace")
    way = int(rng.integers(14))
    if way == 0:
        return b""
    if way == 1:
        return content[: int(rng.integers(size + 1))]
    if way == 2 or not content:
        return rng.bytes(int(rng.integers(1, 3000)))
    if way in (3, 4):
        array = np.frombuffer(content, np.uint8).copy()
        array[rng.integers(size, size=20)] = rng.integers(256, size=20)
        return array.tobytes()
    if way == 5:
        return text.encode("utf-16")
    if way == 6:
        return text.replace("e", "\u00e9").encode("latin-1", "replace")
    if way == 7:
        return b"PK\x03\x04" + rng.bytes(400) + b"xl/workbook.xml" + rng.bytes(400)
    if way == 8:
        return b"<!DOCTYPE html><html><body>404 Not Found</body></html>"
    if way == 9:
        at = int(rng.integers(size + 1))
        return (
            content[:at]
            + one(rng, (b"\0", b'"', b"\xff\xfe", b"\r", b"\t", b"[", b"\n\n"))
            + content[at:]
        )
    if way == 10:
        return content.replace(b"\n", b"\r")
    if way == 11:
        return b"\xef\xbb\xbf" + content.replace(b",", b";")
    if way == 12:
        return content.partition(b"\n")[0] + b"\n"
    return content * 2
