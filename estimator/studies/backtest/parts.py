"""The parts of a back-test."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from estimator.paths import folder_name
from estimator.show.grid import Cell, Grid, column, set_cell
from estimator.show.number import NOTHING, fixed, hundredths, interval
from estimator.show.part import Part
from estimator.store.versions import versions
from estimator.studies.backtest.backtest import Backtest
from estimator.studies.backtest.cases import MODEL
from estimator.studies.backtest.exported import exported
from estimator.studies.backtest.options import BacktestOptions
from estimator.studies.backtest.origins import IN_HAND
from estimator.studies.backtest.summary import summary, vintage_summary
from estimator.studies.backtest.vintages import VintageBacktest, vintage_scores

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEM = "backtest"
_TOLD = (1, 3, 6)  # horizons of the table of all dynamics
HINDSIGHT = (
    "The claims are those known on each day; the ranges of the priors are not: they were set by "
    "people who had seen the whole series. So this tests how the estimator turns claims into "
    "ranges, not whether somebody could have chosen its priors then."
)


def parts(backtest: Backtest) -> Iterator[Part]:
    """Yield what a reader sees first, every forecast of each set, later claims, and the origin."""
    table = summary(backtest.cases, backtest.options)

    def figures() -> Iterator[tuple[str, Figure]]:
        return _figures(backtest, table)

    yield Part(
        grids=[_shown_grid(backtest, rows) for _, rows in table.groupby("source", sort=False)],
        tables={STEM: backtest.cases, "summary": table, **exported(backtest.cases)},
        figures=figures,
    )
    by_set = table.groupby(["assumption_set", "source"], sort=False)
    yield Part(grids=[_dynamics_grid(backtest, rows) for _, rows in by_set])
    in_hand = summary(backtest.cases, backtest.options, IN_HAND)
    if len(in_hand):
        by_set = in_hand.groupby(["assumption_set", "source"], sort=False)
        grids = [_in_hand_grid(backtest, rows, table) for _, rows in by_set]
        yield Part(grids=grids, tables={"summary_in_hand": in_hand})
    later = vintage_summary(backtest.cases)
    later = later[later["noise_factor"] == backtest.options.noise_factors[0]]
    if len(later):
        yield Part(grids=[_vintage_grid(later)])
    made = ", ".join(f"{name} {version}" for name, version in versions().items())
    yield Part(sentences=[f"Data {backtest.data_hash}; {made}."])


def _figures(backtest: Backtest, table: pd.DataFrame) -> Iterator[tuple[str, Figure]]:
    """Draw forecasts and scores of each set."""
    from estimator.show.figures.backtest import plot_forecasts, plot_scores

    options = backtest.options
    for label, cases in backtest.cases.groupby("assumption_set", sort=False):
        ending = folder_name(str(label))
        yield f"{STEM}-forecasts-{ending}", plot_forecasts(cases, options.shown)
        yield (
            f"{STEM}-scores-{ending}",
            plot_scores(
                cases,
                table[table["assumption_set"] == label],
                shown=options.shown,
                baseline=options.baseline,
                levels=options.levels,
                interval=options.interval,
            ),
        )


def _shown_grid(backtest: Backtest, table: pd.DataFrame) -> Grid:
    """Coverage and scores of the dynamics that is told first, by set and horizon."""
    options = backtest.options
    shown = table[(table["by"] == MODEL) & (table["dynamics"] == options.shown)]
    shown = shown[shown["noise_factor"] == options.noise_factors[0]]
    main = hundredths(options.main_level)
    levels = [hundredths(level) for level in options.levels]
    rows = [
        (
            set_cell(str(row["assumption_set"]), failed=bool(row["failed"])),
            str(row["horizon"]),
            str(row["cases"]),
            "/".join(fixed(100 * row[f"coverage_{level}"]) for level in levels),
            " to ".join(fixed(100 * row[f"coverage_{main}_{end}"]) for end in ("low", "high")),
            _ratio(row, "crps"),
            _ratio(row, "interval_score"),
        )
        for row in shown.to_dict("records")
    ]
    mass = f"{hundredths(options.interval)} %"
    notes = [
        "Ahead: months. Cover: how many of a hundred figures lay in the range that should hold so "
        f"many; {main} is: the {mass} range of that coverage if only "
        "forecasts that do not overlap counted.",
        f"CRPS and interval score ({main} %), log scale: mean over that of the naive forecast "
        f"{options.baseline} for the same figures, with {mass} ranges (block bootstrap). Below 1 "
        "is better.",
        HINDSIGHT,
        *(f"Not tested: {reason}." for reason in backtest.refused.values()),
        *(f"FAILED: {text}" for text in backtest.failures),
    ]
    return Grid.of(
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
        rows,
        notes,
    )


def _ratio(row: Mapping[Hashable, Any], name: str) -> Cell:
    value, low, high = (row[f"{name}_ratio{end}"] for end in ("", "_low", "_high"))
    write = partial(fixed, digits=2)
    return Cell(write(value), interval(low, high, write))


def _dynamics_grid(backtest: Backtest, table: pd.DataFrame) -> Grid:
    """All dynamics and naive forecasts of one set, side by side."""
    main = hundredths(backtest.options.main_level)
    horizons = [h for h in _TOLD if h in set(table["horizon"])] or sorted(set(table["horizon"]))
    rows = []
    for (by, dynamics, factor), part in table.groupby(
        ["by", "dynamics", "noise_factor"], sort=False
    ):
        at = {int(row["horizon"]): row for row in part.to_dict("records")}
        cells = [
            f"{fixed(100 * at[h][f'coverage_{main}'])} / {fixed(at[h]['crps'], 3)} / "
            f"{fixed(at[h][f'interval_score_{main}'], 2)}"
            if h in at
            else NOTHING
            for h in horizons
        ]
        noise = f" x {factor:g}" if by == MODEL and factor != 1.0 else ""
        rows.append((f"{by}: {dynamics}{noise}", *cells))
    first = table.iloc[0]
    return Grid.of(
        f"{first['assumption_set']}, {first['source']}: every forecast, by months ahead",
        ("forecast", *(f"{horizon} ahead" for horizon in horizons)),
        rows,
        (
            f"How many of a hundred in the {main} % range / mean CRPS / mean interval score of it "
            "(log scale, lower is better). x: factor of the source's noise.",
        ),
    )


def _in_hand_grid(backtest: Backtest, table: pd.DataFrame, ahead: pd.DataFrame) -> Grid:
    """Forecasts of one set of a month whose first part is known, above those without it."""
    options, main = backtest.options, hundredths(backtest.options.main_level)
    first = table.iloc[0]
    same = ahead["assumption_set"].eq(first["assumption_set"]) & ahead["source"].eq(first["source"])
    known = {(row["by"], row["dynamics"]) for row in table.to_dict("records")}
    rows = [
        (
            f"{row['by']}: {row['dynamics']}",
            what,
            str(row["cases"]),
            fixed(100 * row[f"coverage_{main}"]),
            fixed(row["crps"], 3),
            fixed(row[f"interval_score_{main}"], 2),
        )
        for what, part in (("yes", table), ("no", ahead[same & (ahead["horizon"] == 1)]))
        for row in part.to_dict("records")
        if (row["by"], row["dynamics"]) in known and row["noise_factor"] == options.noise_factors[0]
    ]
    return Grid.of(
        f"{first['assumption_set']}, {first['source']}: the month in hand",
        ("forecast", "first part known", "n", f"cover {main}", "CRPS", "interval score"),
        rows,
        (
            "Of a month whose first part was published (backtest.first_parts), and the same "
            "forecasts before it was. Naive: the daily figure of the first part goes on, with the "
            "spread that the rest of so many last months had about it. Log scale; lower is better.",
        ),
    )


def _vintage_grid(later: pd.DataFrame) -> Grid:
    """Later claims on periods that had ended."""
    rows = [
        (
            set_cell(str(row["assumption_set"]), failed=bool(row["failures"])),
            f"{row['claim']} {row['source']}",
            str(row["as_of"]),
            str(row["published"]),
            fixed(row["observed"] / 1000),
            Cell(fixed(row["q50"] / 1000), interval(row["q5"] / 1000, row["q95"] / 1000)),
            fixed(row["pit"], 2),
        )
        for row in later.to_dict("records")
    ]
    return Grid.of(
        "Later claims on periods that had ended, thousands",
        (
            "set",
            column("claim", "long"),
            column("as of", "text"),
            column("published", "text"),
            "came",
            "predicted [90 %]",
            "PIT",
        ),
        rows,
        (
            "The first and the last day as of which each was predicted: one test a claim, however "
            "many days. Of a range its middle. PIT: share of the draws below what came.",
        ),
    )


def vintage_parts(backtest: VintageBacktest, options: BacktestOptions) -> Iterator[Part]:
    """Yield scores of predicted vintages, every year of death, and the killed by year."""
    cases = backtest.cases
    mass = hundredths(options.main_level)
    scores = vintage_scores(cases, options.main_level)
    rows = [
        (
            str(row["assumption_set"]),
            str(row["kind"]),
            str(row["cases"]),
            f"{fixed(100 * row['coverage'])} %",
            fixed(row["interval_score"], 2),
            fixed(row["crps"], 3),
        )
        for row in scores.to_dict("records")
    ]
    yield Part(
        grids=[
            Grid.of(
                "Later vintages against what was predicted of them",
                ("set", column("of a", "text"), "n", f"cover {mass}", "interval score", "CRPS"),
                rows,
                (
                    f"Over all days, origins and vintages. Cover: how many lay in the {mass} % "
                    "range. Scores on the log scale, lower is better.",
                    HINDSIGHT,
                    *(f"FAILED: {text}" for text in backtest.failures),
                ),
            )
        ],
        tables={"vintages": cases, "vintages_scores": scores, "vintages_killed": backtest.killed},
    )
    years = cases[cases["kind"] == "year"]
    yield Part(
        grids=[
            Grid.of(
                "Dead of a year as a later vintage knew them, thousands",
                (
                    "set",
                    column("as of", "text"),
                    column("origin", "text"),
                    column("published", "text"),
                    column("died in", "text"),
                    "came",
                    "predicted [90 %]",
                    "PIT",
                ),
                [
                    (
                        set_cell(str(row["assumption_set"]), failed=bool(row["failures"])),
                        *(str(row[name]) for name in ("as_of", "origin", "published", "period")),
                        fixed(row["observed"] / 1000, 1),
                        _thousands(row),
                        fixed(row["pit"], 2),
                    )
                    for row in years.to_dict("records")
                ],
                ("Of the months that had passed. PIT: share of the draws below what came.",),
            ),
            Grid.of(
                "Killed by year as each day's fit said, thousands",
                ("set", column("as of", "text"), column("year", "text"), "killed [90 %]"),
                [
                    (
                        set_cell(str(row["assumption_set"]), failed=bool(row["failures"])),
                        str(row["as_of"]),
                        str(row["year"]),
                        _thousands(row),
                    )
                    for row in backtest.killed.to_dict("records")
                ],
            ),
        ]
    )


def _thousands(row: Mapping[Hashable, Any]) -> Cell:
    write = partial(fixed, digits=1)
    return Cell(write(row["q50"] / 1000), interval(row["q5"] / 1000, row["q95"] / 1000, write))
