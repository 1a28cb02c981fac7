"""The tables of a break-even, and its files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from estimator.errors import OutputError
from estimator.export import escape_markdown, markdown_table, write_csv, write_text
from estimator.show.number import fixed, resolved
from estimator.store.results import check_writable
from estimator.studies.breakeven.result import BreakEven

STEM = "breakeven"


def write_break_evens(results: Sequence[BreakEven], folder: Path) -> list[Path]:
    """Write ``breakeven.csv``, ``.md``, ``.json``, ``.png`` and ``.svg``, each in one step.

    Parameters
    ----------
    results
        Of one question: one, or one a scenario.
    folder
        Made if it is not there.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    from estimator.show.figures import save_figure
    from estimator.show.figures.break_even import plot_break_even

    check_writable(folder)
    text = json.dumps([one.to_dict() for one in results], indent=1, ensure_ascii=False) + "\n"
    written = [
        write_csv(tidy_table(results), folder / f"{STEM}.csv"),
        write_text(folder / f"{STEM}.md", markdown(results)),
        write_text(folder / f"{STEM}.json", text),
    ]
    return written + save_figure(plot_break_even(results), folder, STEM)


def read_break_evens(folder: Path) -> list[BreakEven]:
    """Read back what `write_break_evens` wrote.

    Raises
    ------
    OutputError
        If the file is not there or is something else.
    """
    path = folder / f"{STEM}.json"
    try:
        return [BreakEven.from_dict(one) for one in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise OutputError(f"{path}: cannot be read ({error})") from error


def tidy_table(results: Sequence[BreakEven]) -> pd.DataFrame:
    """All numbers in one table: a row a crossing, a point of the curve, a fit, a contour's point.

    Returns
    -------
    pandas.DataFrame
        Columns assumption_set, assumption_set_id, event, level, key, unit, kind, value, value_2,
        low, high, probability, error, ess, k_hat, used, failures.
    """
    parts = []
    for one in results:
        crossings = pd.DataFrame([asdict(crossing) for crossing in one.crossings])
        contour = one.contour.rename(columns={"edge": "kind"})
        contour["kind"] = "contour: " + contour["kind"].astype(str)
        rows = pd.concat(
            [
                frame
                for frame in (
                    crossings.reindex(columns=["value", "low", "high"]).assign(kind="crossing"),
                    one.curve.assign(kind="curve"),
                    one.refits,
                    contour,
                )
                if len(frame)
            ],
            ignore_index=True,
        )
        facts: dict[str, Any] = {
            "assumption_set": one.assumption_set,
            "assumption_set_id": one.assumption_set_id,
            "event": one.event,
            "level": one.level,
            "key": one.key,
            "unit": " x ".join(axis.unit for axis in one.axes),
        }
        parts.append(rows.assign(**facts))
    columns = ["assumption_set", "assumption_set_id", "event", "level", "key", "unit", "kind",
               "value", "value_2", "low", "high", "probability", "error", "ess", "k_hat", "used",
               "failures"]  # fmt: skip
    return pd.concat(parts, ignore_index=True).reindex(columns=columns)


CROSSING_HEADINGS = ("value", "interval", "direction", "real fits")
REFIT_HEADINGS = ("fit", "value", "probability", "error", "on the curve", "error", "note")


def crossing_rows(one: BreakEven) -> list[tuple[str, ...]]:
    """Cells of the crossings, for the terminal and Markdown."""
    return [
        (c.value_text, c.interval_text, "rises" if c.rising else "falls", str(c.fits))
        for c in one.crossings
    ]


def refit_rows(one: BreakEven) -> list[tuple[str, ...]]:
    """Cells of the real fits."""
    resolutions = [(axis.high - axis.low) / 100.0 for axis in one.axes]
    rows = []
    for row in one.refits.to_dict("records"):
        values = [row["value"], row["value_2"]][: len(one.axes)]
        where = " x ".join(resolved(v, r) for v, r in zip(values, resolutions, strict=True))
        numbers = [row[name] for name in ("probability", "error", "curve", "curve_error")]
        cells = [fixed(number, 3) for number in numbers]
        rows.append((str(row["kind"]), where, *cells, str(row["failures"])))
    return rows


def markdown(results: Sequence[BreakEven]) -> str:
    """Everything a reader needs, as Markdown."""
    parts = [_markdown(one) for one in results]
    return "\n".join(parts)


def _markdown(one: BreakEven) -> str:
    lines = [f"## {escape_markdown(one.key)}: {escape_markdown(one.event)}", ""]
    lines += [escape_markdown(one.sentence), ""]
    if one.crossings:
        unit = one.unit
        headings = (f"value ({unit})", *CROSSING_HEADINGS[1:])
        lines += [markdown_table(headings, crossing_rows(one))]
    if len(one.refits):
        lines += [markdown_table(REFIT_HEADINGS, refit_rows(one))]
    lines += [f"- {escape_markdown(note)}" for note in one.notes]
    lines += [f"- **failed**: {escape_markdown(text)}" for text in one.failures]
    lines += [f"- {escape_markdown(provenance(one))}", ""]
    return "\n".join(lines)


def provenance(one: BreakEven) -> str:
    """Where the answer comes from, on one line."""
    versions = ", ".join(f"{name} {version}" for name, version in one.versions.items())
    return (
        f"set {one.assumption_set} ({one.assumption_set_id}), data {one.data_hash}, seed "
        f"{one.seed}; {versions}; {one.seconds:.0f} s"
    )
