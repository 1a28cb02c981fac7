"""The parts of a scoreboard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from estimator.paths import folder_name
from estimator.quantity import QUANTITIES
from estimator.show.grid import Column, Grid, column
from estimator.show.number import NOTHING, Write, count, fixed, hundredths, scale
from estimator.show.part import Part
from estimator.studies.score.scores import (
    ALL,
    INTERVAL,
    KNOWN,
    NO_QUANTILE,
    NOTHING_CAME,
    OWN,
    SCORED,
    SHARED,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEM = "score"
_STATUS = (SCORED, NOTHING_CAME, KNOWN, NO_QUANTILE)
_MASSES = (0.5, 0.8, 0.9, 0.95)  # those that are shown, where there are many
_MAIN = 0.9  # whose interval score is shown, else that of the widest
_HORIZONS = 6  # columns of the table by horizon
_ROWS = 40  # that a terminal shows
_LOG = "log ratio"


def parts(
    cases: pd.DataFrame, table: pd.DataFrame, *, remarks: Sequence[str] = (), log: bool = False
) -> Iterator[Part]:
    """Yield how many estimates there are, and the scores of each target.

    Parameters
    ----------
    cases, table
        As `estimator.studies.score.scores.held_against` and `scores` give them.
    remarks
        On the files.
    log
        Whether the scores are those of logarithms.
    """
    yield Part(
        grids=[_counts(cases, remarks)],
        tables={"scores": table, "cases": _dated(cases)},
    )
    for target, rows in table.groupby("target", sort=False):
        grids = _grids(str(target), rows, log)
        drawn = partial(_figures, str(target), rows, log)
        yield Part(grids=list(grids), figures=drawn)


def unit_of(target: str, log: bool) -> str:
    """Name the unit of the scores of a target."""
    return _LOG if log else QUANTITIES[target.rpartition(":")[2]].unit


def masses(rows: pd.DataFrame) -> list[float]:
    """Masses of the central intervals that at least one row has; of many those that are usual."""
    found = sorted(
        float(name.removeprefix("coverage_")) / 100
        for name in map(str, rows.dropna(axis="columns", how="all"))
        if name.startswith("coverage_") and name.count("_") == 1
    )
    return found if len(found) <= len(_MASSES) else [m for m in found if m in _MASSES] or found[-1:]


def _counts(cases: pd.DataFrame, remarks: Sequence[str]) -> Grid:
    names = {status: (cases["status"] == status) for status in _STATUS}
    counts = cases[["model_id", "target"]].assign(**names).groupby(["model_id", "target"]).sum()
    sizes = cases.groupby(["model_id", "target"]).size()
    rows = [
        (model, target, str(sizes[model, target]), *(str(row[status]) for status in _STATUS))
        for (model, target), row in zip(counts.index, counts.to_dict("records"), strict=True)
    ]
    notes = [
        "An estimate: one month of a target as of one day. Nothing came: no observation of that "
        "month. Known before: the month had ended before the reference date, or, where an as_of "
        "says so, the observation was there on it. No quantile: a mean alone, which is not scored.",
        *(f"Not used: {remark}." for remark in remarks),
    ]
    heads = [column("model", "name"), column("target", "text"), column("estimates")]
    return Grid.of(
        "Estimates", [*heads, *(column(one) for one in _STATUS)], rows, notes, most=_ROWS
    )


def _dated(cases: pd.DataFrame) -> pd.DataFrame:
    """Dates as days, without their midnight."""
    days = cases.select_dtypes("datetime").columns
    return cases.assign(**{name: cases[name].dt.strftime("%Y-%m-%d") for name in days})


def shown_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of one target that are compared: on the same tasks, or of a single model its own."""
    rows = rows[rows["horizon"] == ALL]
    several = rows.loc[rows["scope"] == OWN, "model_id"].nunique() > 1
    return rows[rows["scope"] == (SHARED if several else OWN)]


def _grids(target: str, rows: pd.DataFrame, log: bool) -> Iterator[Grid]:
    whole = rows[rows["horizon"] == ALL]
    own, shared = (whole[whole["scope"] == scope] for scope in (OWN, SHARED))
    write, unit = _writer(rows, log)
    if len(shared):
        n = count(int(shared["estimates"].iloc[0]), "estimate")
        months = count(int(shared["months"].iloc[0]), "month")
        title = f"{target}: scores on the {n} of {months} that all {len(shared)} models made"
        yield _scores_grid(f"{title}, {unit}", shared, own, write)
    elif len(own) > 1:
        yield Grid.of(
            f"{target}: no scores side by side", [column("models", "name")],
            [(model,) for model in own["model_id"]],
            ["No month is there that all of them estimated as of the same day."],
        )  # fmt: skip
    if not _same(own, shared):
        yield _scores_grid(
            f"{target}: scores of each model on all its own, {unit}", own, own, write
        )
    ahead = rows[(rows["scope"] == (SHARED if len(shared) else OWN)) & (rows["horizon"] != ALL)]
    if len(ahead):
        yield _horizons_grid(f"{target}: WIS by months ahead, {unit}", ahead, write)


def _writer(rows: pd.DataFrame, log: bool) -> tuple[Write, str]:
    if log:
        return partial(fixed, digits=3), _LOG
    values = rows[["crps", "median_error"]].to_numpy(dtype=float).ravel()
    return scale(unit_of(str(rows["target"].iloc[0]), log), values, 1)


def _same(own: pd.DataFrame, shared: pd.DataFrame) -> bool:
    """Whether the shared tasks and levels are all there are."""
    told = [
        rows.set_index("model_id")[["estimates", "levels"]].to_dict("index")
        for rows in (own, shared)
    ]
    return told[0] == told[1]


def _scores_grid(title: str, rows: pd.DataFrame, own: pd.DataFrame, write: Write) -> Grid:
    shown = masses(rows)
    wide = hundredths(_MAIN if _MAIN in shown else shown[-1]) if shown else ""
    has = dict(zip(own["model_id"], own["estimates"], strict=True))
    is_shared = bool((rows["scope"] == SHARED).any())
    body = []
    for row in rows.to_dict("records"):
        cells = [str(row["model_id"]), str(row["estimates"])]
        if is_shared:
            cells.append(str(has[row["model_id"]] - row["estimates"]))
        if shown:
            cells += [
                "/".join(fixed(100 * row[f"coverage_{hundredths(mass)}"]) for mass in shown),
                _range(row[f"coverage_{wide}_low"], row[f"coverage_{wide}_high"]),
                write(row[f"interval_score_{wide}"]),
            ]
        cells.append(write(row["wis"]))
        if is_shared:
            cells.append(fixed(row["wis_ratio"], 2))
        body.append((*cells, write(row["median_error"])))
    columns: list[Column] = [column("model", "name"), column("n")]
    columns += [column("alone")] * is_shared
    if shown:
        columns += [
            column(f"cover {'/'.join(map(hundredths, shown))}"),
            column(f"{wide} is"),
            column(f"interval {wide}"),
        ]
    columns += [column("WIS"), *([column("ratio")] * is_shared), column("median")]
    return Grid.of(title, columns, body, _notes(rows, wide, is_shared), most=_ROWS)


def _range(low: float, high: float) -> str:
    return NOTHING if low != low else f"{fixed(100 * low)} to {fixed(100 * high)}"


def _notes(rows: pd.DataFrame, wide: str, is_shared: bool) -> Iterator[str]:
    levels = list(dict.fromkeys(rows["levels"]))
    same = f"Levels: {levels[0] or 'none that all give'}. " if len(levels) == 1 else ""
    alone = "Alone: what others did not estimate, not scored here. " if is_shared else ""
    yield f"{same}{alone}Lower scores are better, and those of other months, days or levels differ."
    if wide:
        yield (
            "Cover: how many of a hundred lay in the range that should hold so many; "
            f"{wide} is: the {hundredths(INTERVAL)} % range of that coverage, as if only months "
            "counted and not the days as of which each was estimated."
        )
    ratio = " Ratio: over the lowest WIS." if is_shared else ""
    yield (
        "Means. Interval: interval score. WIS: weighted interval score, the CRPS as far as "
        f"quantiles tell it.{ratio} Median: absolute error of the median."
    )


def _horizons_grid(title: str, ahead: pd.DataFrame, write: Write) -> Grid:
    horizons = sorted(map(int, ahead["horizon"].unique()))[:_HORIZONS]
    at = ahead.set_index(["model_id", "horizon"])["wis"].to_dict()
    rows = [
        (model, *(write(at.get((model, str(h)), float("nan"))) for h in horizons))
        for model in dict.fromkeys(ahead["model_id"])
    ]
    notes = ["Months that were not over on the reference date, up to the one that is estimated."]
    return Grid.of(title, ["model", *map(str, horizons)], rows, notes, most=_ROWS)


def _figures(target: str, rows: pd.DataFrame, log: bool) -> Iterator[tuple[str, Figure]]:
    """Draw coverage and WIS by model, where models can be compared."""
    from estimator.show.figures.score import plot_score

    shown = shown_rows(rows)
    if len(shown):
        figure = plot_score(shown, masses(shown), target=target, unit=unit_of(target, log))
        yield f"{STEM}-{folder_name(target)}", figure
