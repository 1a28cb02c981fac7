"""The table that ends a run, for the terminal and as Markdown."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import xarray as xr
from rich.table import Table
from rich.text import Text

HEADINGS = (
    "set",
    "losses",
    "losses, total",
    "killed",
    "killed, total",
    "replacement gap",
    "gap, total",
    "net change",
    "net change, total",
    "P(gap < 0)",
    "R-hat",
    "ESS",
    "div.",
)
_SERIES = ("losses", "killed", "replacement_gap", "net_change")


def rows(trees: Mapping[str, xr.DataTree]) -> list[tuple[str, ...]]:
    """Cells of the table, one row a set: median and 90 % range in thousands of persons.

    The last month and the total over the window of losses, killed, replacement gap and net change;
    the probability that the gap of the last month is below 0; the worst diagnostics.
    """
    return [_row(label, tree) for label, tree in trees.items()]


def _row(label: str, tree: xr.DataTree) -> tuple[str, ...]:
    posterior = tree["posterior"].to_dataset()
    cells = []
    for name in _SERIES:
        series = posterior[name]
        cells.append(_range(series.isel(month=-1).values))
        cells.append(_range(series.sum("month").values, digits=0))
    gap = posterior["replacement_gap"].isel(month=-1).values
    found = json.loads(tree.attrs["diagnostics"])
    failed = tree.attrs["diagnostics_ok"] != "true"
    ess = [found[name] for name in ("min_ess_bulk", "min_ess_tail") if found[name] is not None]
    return (
        label + (" [FAILED]" if failed else ""),
        *cells,
        f"{(gap < 0).mean():.2f}",
        f"{found['max_rhat']:.3f}",
        f"{min(ess):.0f}" if ess else "–",
        f"{found['divergences']}",
    )


def _range(draws: np.ndarray, digits: int = 1) -> str:
    low, middle, high = np.quantile(draws, (0.05, 0.5, 0.95)) / 1000.0
    return f"{middle:,.{digits}f} [{low:,.{digits}f}, {high:,.{digits}f}]"


def caption(trees: Mapping[str, xr.DataTree]) -> str:
    """Say what the figures are."""
    months = next(iter(trees.values()))["posterior"]["month"].values
    return (
        f"Thousands of persons: median [90 % range] in {months[-1]} and, as total, from {months[0]} "
        f"to {months[-1]}. Replacement gap: recruits - losses. Net change: recruits + foreign "
        f"recruits + returned - losses - other exits. P(gap < 0) in {months[-1]}. R-hat, ESS: the "
        "worst of all reported quantities."
    )


def terminal_table(trees: Mapping[str, xr.DataTree]) -> Table:
    """Table for the terminal; sets whose diagnostics failed are red."""
    table = Table(caption=Text(caption(trees)), caption_justify="left", show_lines=False)
    for position, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="left" if position == 0 else "right", overflow="fold")
    for cells in rows(trees):
        style = "red" if cells[0].endswith("[FAILED]") else ""
        table.add_row(*(Text(cell) for cell in cells), style=style)
    return table


def markdown_table(trees: Mapping[str, xr.DataTree]) -> str:
    """Table as Markdown, with the caption and what failed."""
    lines = [
        "| " + " | ".join(HEADINGS) + " |",
        "|" + "|".join(["---", *["---:"] * (len(HEADINGS) - 1)]) + "|",
        *("| " + " | ".join(_escape(cell) for cell in cells) + " |" for cells in rows(trees)),
        "",
        caption(trees),
    ]
    failures = {
        label: tree.attrs["diagnostics_failures"]
        for label, tree in trees.items()
        if tree.attrs["diagnostics_ok"] != "true"
    }
    lines += [f"\n**{_escape(label)}** failed: {_escape(text)}" for label, text in failures.items()]
    return "\n".join(lines) + "\n"


def _escape(text: str) -> str:
    for character in "\\|<>*_`[]":
        text = text.replace(character, f"\\{character}") if character not in "[]" else text
    return text
