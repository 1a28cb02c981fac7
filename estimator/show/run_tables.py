"""The table that ends a run, for the terminal and as Markdown."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from rich import box
from rich.table import Table
from rich.text import Text

from estimator import export
from estimator.export import escape_markdown
from estimator.quantity import HEADLINES, QUANTITIES, SIGNED, TOTAL

HEADINGS = (
    "set",
    "period",
    "losses",
    "killed",
    "replacement gap",
    "net change",
    "P(gap < 0)",
    "R-hat",
    "ESS",
    "div.",
)
FAILED = " (FAILED)"


def rows(trees: Mapping[str, xr.DataTree]) -> list[tuple[str, ...]]:
    """Cells of the table: two rows a set, the last month and the total over the window.

    Median and 90 % range in thousands of persons, the probability that the replacement gap is below
    0, and the worst diagnostics of the set.
    """
    return [row for label, tree in trees.items() for row in _rows_of(label, tree)]


def _rows_of(label: str, tree: xr.DataTree) -> list[tuple[str, ...]]:
    posterior = tree["posterior"].to_dataset()
    last = posterior[list(HEADLINES)].isel(month=-1)
    total = posterior[list(HEADLINES)].sum("month")
    found = json.loads(tree.attrs["diagnostics"])
    ess = [found[name] for name in ("min_ess_bulk", "min_ess_tail") if found[name] is not None]
    marked = label + ("" if tree.attrs["diagnostics_ok"] == "true" else FAILED)
    diagnostics = (
        f"{found['max_rhat']:.3f}",
        f"{min(ess):.0f}" if ess else "-",
        f"{found['divergences']}",
    )
    month = str(posterior.indexes["month"][-1])
    return [
        (marked, month, *_cells(last, digits=1), *diagnostics),
        ("", TOTAL, *_cells(total, digits=0), "", "", ""),
    ]


def _cells(period: xr.Dataset, digits: int) -> tuple[str, ...]:
    below = float((period["replacement_gap"] < 0).mean())
    return (*(_range(period[name].values, digits) for name in HEADLINES), f"{below:.2f}")


def _range(draws: np.ndarray, digits: int) -> str:
    low, middle, high = np.quantile(draws, (0.05, 0.5, 0.95)) / 1000.0
    return f"{middle:,.{digits}f} [{low:,.{digits}f}, {high:,.{digits}f}]"


def caption(trees: Mapping[str, xr.DataTree]) -> str:
    """Say what the figures are."""
    months = next(iter(trees.values()))["posterior"].to_dataset().indexes["month"]
    return (
        "Thousands of persons: median [90 % range]; total: "
        f"{months[0]} to {months[-1]}. {_equations()} R-hat, ESS: the worst of all reported "
        "quantities."
    )


def _equations() -> str:
    """Say what the quantities that may be below 0 are made of."""
    rows = (QUANTITIES[name] for name in SIGNED)
    return " ".join(f"{row.words.capitalize()}: {row.equation}." for row in rows)


def terminal_table(trees: Mapping[str, xr.DataTree]) -> Table:
    """Table for the terminal, at its best with 100 columns; sets that failed are red.

    Two rows a set, each with median and range below each other; the period stands below the set,
    the diagnostics below each other.
    """
    table = Table(
        caption=Text(caption(trees)),
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
        pad_edge=False,
    )
    headings = (*HEADINGS[2:4], "replacement\ngap", HEADINGS[5], "P(gap\n< 0)", "R-hat\nESS")
    table.add_column(HEADINGS[0], min_width=max(len(label) for label in trees), overflow="fold")
    for heading in headings:
        table.add_column(heading, justify="right", overflow="fold")
    cells_of = rows(trees)
    for month, total in zip(cells_of[::2], cells_of[1::2], strict=True):
        label, last_month, *answers, rhat, ess, divergences = month
        style = "red" if label.endswith(FAILED) else ""
        for first, second, cells, diagnostics in (
            (label, last_month, answers, f"{rhat}\n{ess}"),
            ("", TOTAL, total[2:7], f"{divergences} div."),
        ):
            folded = [cell.replace(" [", "\n[") for cell in cells]
            name = f"{first}\n{second}" if first else second
            table.add_row(*(Text(cell) for cell in (name, *folded, diagnostics)), style=style)
        table.add_section()
    return table


def markdown_table(trees: Mapping[str, xr.DataTree]) -> str:
    """Table as Markdown, with the caption and what failed."""
    lines = [export.markdown_table(HEADINGS, rows(trees)), caption(trees)]
    failures = {
        label: tree.attrs["diagnostics_failures"]
        for label, tree in trees.items()
        if tree.attrs["diagnostics_ok"] != "true"
    }
    lines += [
        f"\n**{escape_markdown(label)}** failed: {escape_markdown(text)}"
        for label, text in failures.items()
    ]
    return "\n".join(lines) + "\n"


def sweep_table(tree: xr.DataTree) -> Table:
    """Table of a sweep for the terminal: what its sets say of the last month, how they differ.

    Rows are quantities of the last month, and probabilities; columns the median over the sets of
    the sets' medians, the lowest and highest of them with the set's name, and the lowest 5 % and
    highest 95 % end of any set's range.
    """
    data = tree.to_dataset()
    obtained = data["obtained"].values.astype(str)
    counts = ", ".join(
        f"{int((obtained == how).sum())} {how}" for how in dict.fromkeys(sorted(obtained))
    )
    missed = int(((data["failures"].values != "") & (obtained != "failed")).sum())
    if missed:
        counts += f"; {missed} of them MISSED a bound of their diagnostics"
    title = f"{len(obtained)} assumption sets: {counts}"
    if "month" not in data:  # no set has numbers
        return Table(title=title, title_justify="left")
    month = str(data["month"].values[-1])
    last = data.sel(month=month)
    table = Table(
        title=title,
        caption=f"{month}, thousands of persons: medians of the sets, and the widest ends of their "
        "90 % ranges",
        box=box.SIMPLE,
        title_justify="left",
        caption_justify="left",
    )
    for heading in ("", "middle set", "lowest", "highest", "all ranges"):
        table.add_column(heading, justify="left" if not heading else "right", overflow="fold")
    labels = [str(label).removeprefix("central,") for label in data["assumption_set"].values]
    for name in HEADLINES:
        low, middle, high = (
            last[name].sel(statistic=statistic).values / 1000.0
            for statistic in ("q05", "q50", "q95")
        )
        if np.isnan(middle).all():
            continue
        ends = [int(np.nanargmin(middle)), int(np.nanargmax(middle))]
        table.add_row(
            Text(name.replace("_", " ")),
            f"{np.nanmedian(middle):,.1f}",
            *(Text(f"{middle[at]:,.1f}\n{labels[at]}") for at in ends),
            Text(f"[{np.nanmin(low):,.1f}, {np.nanmax(high):,.1f}]"),
        )
    for name, heading in (("replacement_gap", "P(gap < 0)"), ("net_change", "P(net change < 0)")):
        below = last[name].sel(statistic="below_zero").values
        if np.isnan(below).all():
            continue
        ends = [int(np.nanargmin(below)), int(np.nanargmax(below))]
        table.add_row(
            heading,
            f"{np.nanmedian(below):.2f}",
            *(Text(f"{below[at]:.2f}\n{labels[at]}") for at in ends),
            "",
        )
    return table


def check_summary(check: pd.DataFrame) -> Table:
    """Table of refitted sets for the terminal: how far reweighting was off."""
    table = Table(
        title=f"{len(check)} reweighted sets, fitted as well: differences in Monte-Carlo errors",
        caption="monthly losses, killed, net change; medians, 5 % and 95 % (check.csv)",
        box=box.SIMPLE,
        title_justify="left",
        caption_justify="left",
    )
    columns = {
        "set": "assumption_set",
        "k-hat": "k_hat",
        "ESS": "ess",
        "root mean square": "rms_errors",
        "largest": "max_errors",
        "at": "worst",
        "over 4": "far",
        "note": "note",
    }
    for heading in columns:
        table.add_column(heading, overflow="fold")
    for row in check.reindex(columns=list(columns.values())).itertuples(index=False):
        cells = (f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in row)
        table.add_row(*(Text(cell) for cell in cells))
    return table
