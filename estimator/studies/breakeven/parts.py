"""The parts of a break-even, and its files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from estimator.errors import OutputError
from estimator.export import write_text
from estimator.show.break_even import BreakEven
from estimator.show.grid import FAILED, Cell, Grid, column
from estimator.show.number import fixed, hundredths, resolved
from estimator.show.part import Part, publish
from estimator.store.results import check_writable

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Console

STEM = "breakeven"


def publish_break_evens(
    results: Sequence[BreakEven], folder: Path, console: Console | None = None
) -> list[Path]:
    """Write ``breakeven.csv``, ``.md``, ``.json``, ``.png`` and ``.svg``, each in one step.

    Parameters
    ----------
    results
        Of one question: one, or one a scenario.
    folder
        Made if it is not there.
    console
        Where they are printed; None prints nothing.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    check_writable(folder)
    text = json.dumps([one.to_dict() for one in results], indent=1, ensure_ascii=False) + "\n"
    kept = write_text(folder / f"{STEM}.json", text)
    return [
        kept,
        *publish(parts(results), folder, document=STEM, heading="Break-even", console=console),
    ]


def read_break_evens(folder: Path) -> list[BreakEven]:
    """Read back what `publish_break_evens` wrote.

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


def parts(results: Sequence[BreakEven]) -> Iterator[Part]:
    """Yield all crossings, the answer of each result with its real fits, and what to know."""

    def figures() -> Iterator[tuple[str, Figure]]:
        from estimator.show.figures.break_even import plot_break_even  # matplotlib takes a second

        yield STEM, plot_break_even(results)

    yield Part(
        grids=[_crossings_grid(results)], tables={STEM: tidy_table(results)}, figures=figures
    )
    for result in results:
        yield Part(
            title=f"{result.key}: {result.event}",
            sentences=[
                result.sentence,
                *(f"FAILED its diagnostics: {text}" for text in result.failures),
            ],
            grids=[_refits_grid(result)] if len(result.refits) else [],
        )
    notes = [note for result in results for note in result.notes]
    yield Part(sentences=list(dict.fromkeys([*notes, *map(provenance, results)])))


def _crossings_grid(results: Sequence[BreakEven]) -> Grid:
    first = results[0]
    return Grid.of(
        f"{first.assumption_set}: {first.key} at which P = {first.level:g}",
        ("event", f"value ({first.unit})", "interval", column("direction", "text"), "real fits"),
        (
            (result.event, *cells)
            for result in results
            for cells in crossing_rows(result)
            or [("none" if len(result.axes) == 1 else "a line", "", "", "")]
        ),
        [f"Intervals: {hundredths(first.interval)} %, of the Monte-Carlo error alone."],
    )


def crossing_rows(result: BreakEven) -> list[tuple[str, ...]]:
    """Cells of the crossings: value, interval, direction, number of real fits."""
    return [
        (c.value_text, c.interval_text, "rises" if c.rising else "falls", str(c.fits))
        for c in result.crossings
    ]


def _refits_grid(result: BreakEven) -> Grid:
    return Grid.of(
        "Real fits",
        (
            "fit",
            "value",
            "probability",
            "error",
            "on the curve",
            "error",
            column("note", "long"),
        ),
        (
            (Cell(kind, style=FAILED if cells[-1] else ""), *cells)
            for kind, *cells in refit_rows(result)
        ),
    )


def refit_rows(result: BreakEven) -> list[tuple[str, ...]]:
    """Cells of the real fits: kind, values, probabilities with their errors, and what failed."""
    resolutions = [(axis.high - axis.low) / 100.0 for axis in result.axes]
    rows = []
    for row in result.refits.to_dict("records"):
        values = [row["value"], row["value_2"]][: len(result.axes)]
        where = " x ".join(resolved(v, r) for v, r in zip(values, resolutions, strict=True))
        numbers = (row[name] for name in ("probability", "error", "curve", "curve_error"))
        cells = [fixed(number, 3) for number in numbers]
        rows.append((str(row["kind"]), where, *cells, str(row["failures"])))
    return rows


def provenance(one: BreakEven) -> str:
    """Where the answer comes from, on one line."""
    versions = ", ".join(f"{name} {version}" for name, version in one.versions.items())
    return (
        f"Set {one.assumption_set} ({one.assumption_set_id}), data {one.data_hash}, seed "
        f"{one.seed}; {versions}; {one.seconds:.0f} s."
    )
