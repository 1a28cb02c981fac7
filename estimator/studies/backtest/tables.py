"""What a back-test says, for the terminal and as Markdown, and its files."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from estimator.export import write_csv, write_text
from estimator.store.versions import versions
from estimator.studies.backtest.cases import MODEL, percent
from estimator.studies.backtest.run import Backtest
from estimator.studies.backtest.summary import summary, vintage_summary
from estimator.studies.compare.show import FAILED, Grid

STEM = "backtest"
_TOLD = (1, 3, 6)  # horizons of the table of all dynamics
HINDSIGHT = (
    "The claims are those known on each day; the ranges of the priors are not: they were set by "
    "people who had seen the whole series. So this tests how the estimator turns claims into "
    "ranges, not whether somebody could have chosen its priors then."
)


def backtest_grids(found: Backtest) -> list[Grid]:
    """Tables for the terminal and Markdown, readable in 100 columns."""
    table = summary(found.cases, found.options)
    grids = [_shown_grid(found, part) for _, part in table.groupby("source", sort=False)]
    each = table.groupby(["assumption_set", "source"], sort=False)
    grids += [_dynamics_grid(found, part) for _, part in each]
    later = vintage_summary(found.cases)
    later = later[later["noise_factor"] == found.options.noise_factors[0]]
    return [*grids, *([_vintage_grid(later)] if len(later) else [])]


def _shown_grid(found: Backtest, table: pd.DataFrame) -> Grid:
    """Coverage and scores of the dynamics that is told first, by set and horizon."""
    options = found.options
    shown = table[(table["by"] == MODEL) & (table["dynamics"] == options.shown)]
    shown = shown[shown["noise_factor"] == options.noise_factors[0]]
    main = percent(options.main_level)
    levels = [percent(level) for level in options.levels]
    rows = [
        (
            str(row["assumption_set"]) + (FAILED if row["failed"] else ""),
            str(row["horizon"]),
            str(row["cases"]),
            "/".join(f"{100 * row[f'coverage_{level}']:.0f}" for level in levels),
            f"{100 * row[f'coverage_{main}_low']:.0f} to {100 * row[f'coverage_{main}_high']:.0f}",
            _ratio_text(row, "crps"),
            _ratio_text(row, "interval_score"),
        )
        for row in shown.to_dict("records")
    ]
    mass = f"{percent(options.interval)} %"
    notes = [
        "Ahead: months. Cover: how many of a hundred figures lay in the range that should hold so "
        f"many; {main} is: the {mass} range of that coverage if only "
        "forecasts that do not overlap counted.",
        f"CRPS and interval score ({main} %), log scale: mean over that of the naive forecast "
        f"{options.baseline} for the same figures, with {mass} ranges (block bootstrap). Below 1 "
        "is better.",
        HINDSIGHT,
        *(f"Not tested: {reason}." for reason in found.refused.values()),
        *(f"FAILED: {text}" for text in found.failures),
    ]
    return Grid(
        f"{table['source'].iloc[0]}: forecasts by {options.shown} against what came",
        (
            "set",
            "ahead",
            "n",
            f"cover {'/'.join(levels)}",
            f"{main} is",
            "CRPS ratio",
            "interval ratio",
        ),
        tuple(rows),
        tuple(notes),
        frozenset(n for n, row in enumerate(rows) if FAILED in row[0]),
    )


def _ratio_text(row: Mapping[Hashable, Any], name: str) -> str:
    value, low, high = (row[f"{name}_ratio{end}"] for end in ("", "_low", "_high"))
    return f"{value:.2f} [{low:.2f}, {high:.2f}]" if np.isfinite(value) else "-"


def _dynamics_grid(found: Backtest, table: pd.DataFrame) -> Grid:
    """All dynamics and naive forecasts of one set, side by side."""
    main = percent(found.options.main_level)
    horizons = [h for h in _TOLD if h in set(table["horizon"])] or sorted(set(table["horizon"]))
    rows = []
    for (by, dynamics, factor), part in table.groupby(
        ["by", "dynamics", "noise_factor"], sort=False
    ):
        at = {int(row["horizon"]): row for row in part.to_dict("records")}
        cells = [
            f"{100 * at[h][f'coverage_{main}']:.0f} / {at[h]['crps']:.3f} / "
            f"{at[h][f'interval_score_{main}']:.2f}"
            if h in at
            else "-"
            for h in horizons
        ]
        noise = f" x {factor:g}" if by == MODEL and factor != 1.0 else ""
        rows.append((f"{by}: {dynamics}{noise}", *cells))
    first = table.iloc[0]
    return Grid(
        f"{first['assumption_set']}, {first['source']}: every forecast, by months ahead",
        ("forecast", *(f"{horizon} ahead" for horizon in horizons)),
        tuple(rows),
        (
            f"How many of a hundred in the {main} % range / mean CRPS / mean interval score of it "
            "(log scale, lower is better). x: factor of the source's noise.",
        ),
    )


def _vintage_grid(later: pd.DataFrame) -> Grid:
    """Later claims on periods that had ended."""
    rows = [
        (
            str(row["assumption_set"]) + (FAILED if row["failures"] else ""),
            f"{row['claim']} {row['source']}",
            str(row["as_of"]),
            str(row["published"]),
            f"{row['observed'] / 1000:,.0f}",
            f"{row['q50'] / 1000:,.0f} [{row['q5'] / 1000:,.0f}, {row['q95'] / 1000:,.0f}]",
            f"{row['pit']:.2f}",
        )
        for row in later.to_dict("records")
    ]
    return Grid(
        "Later claims on periods that had ended, thousands",
        ("set", "claim", "as of", "published", "came", "predicted [90 %]", "PIT"),
        tuple(rows),
        (
            "The first and the last day as of which each was predicted: one test a claim, however "
            "many days. Of a range its middle. PIT: share of the draws below what came.",
        ),
        left=frozenset({0, 1, 2, 3}),
        fold=frozenset({0, 1}),
    )


def write_backtest(found: Backtest, folder: Path, grids: Sequence[Grid]) -> list[Path]:
    """Write ``backtest.csv`` (a row a case), ``summary.csv`` and ``backtest.md``.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    made = ", ".join(f"{name} {version}" for name, version in versions().items())
    text = "\n".join(["# Back-test\n", *(grid.markdown() for grid in grids)])
    text += f"\nData {found.data_hash}; {made}.\n"
    return [
        write_csv(found.cases, folder / f"{STEM}.csv"),
        write_csv(summary(found.cases, found.options), folder / "summary.csv"),
        write_text(folder / f"{STEM}.md", text),
    ]
