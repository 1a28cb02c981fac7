"""The errors that the estimator raises on purpose.

Every message names the place (file and row, or configuration key), what was found and what is
allowed. The command line turns each class into an exit status.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_LINES, _WIDTH = 20, 2000  # of a message on the command line
_COUNTED = re.compile(r"  and ([\d,]+) more")


class EstimatorError(Exception):
    """Base of all errors that a user can mend; the command line exits with `exit_status`."""

    exit_status = 2


class ConfigError(EstimatorError):
    """The configuration has unknown keys, impossible values or wrong units."""


class EvidenceError(EstimatorError):
    """A claims table cannot be read, or what it says cannot be used."""


class IngestError(EstimatorError):
    """A table of others cannot be brought into the claims table."""


class ScoreError(EstimatorError):
    """Estimates, or what came later, cannot be read or scored."""


class OutputError(EstimatorError):
    """Results cannot be written or read back."""


class SamplingError(EstimatorError):
    """The sampler gave up, so that there are no draws."""

    exit_status = 3


class DiagnosticsError(EstimatorError):
    """Sampling finished, results are written, and the diagnostics failed."""

    exit_status = 3


class SweepError(EstimatorError):
    """Some sets of a sweep failed; the others are written."""

    exit_status = 4


def problems_text(heading: str, problems: Iterable[str], most: int | None = None) -> str:
    """Join all problems found into one message, one line each; of many the first, and a count."""
    lines = [f"  - {problem}" for problem in problems]
    if most is not None and len(lines) > most:
        lines[most:] = [f"  and {len(lines) - most:,} more"]
    return "\n".join([heading, *lines])


def shortened(text: str) -> str:
    """Cut a message to what can be read at once; a table may have a thousand bad rows."""
    lines = [_line(line) for line in text.splitlines()]
    if len(lines) > _LINES:
        counted = _COUNTED.fullmatch(lines[-1])
        more = len(lines) - _LINES + (int(counted[1].replace(",", "")) if counted else 1)
        lines[_LINES - 1 :] = [f"  and {more:,} more"]
    return "\n".join(lines)


def _line(line: str) -> str:
    """Leave out the middle of a long line: what was found may be long, what is allowed follows."""
    half = _WIDTH // 2
    return line if len(line) <= _WIDTH else f"{line[:half]} … {line[-half:]}"


def nearest(
    word: str, valid: Iterable[str], *, count: int = 1, listed: Iterable[str] | None = None
) -> str:
    """Return a hint with the valid name nearest to `word`, else with all or those `listed`."""
    names = [str(name) for name in valid]
    close = difflib.get_close_matches(str(word), names, n=count, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(repr(name) for name in close)}?"
    return f"allowed: {', '.join(names if listed is None else listed)}"
