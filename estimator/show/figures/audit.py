"""Verdicts of claims under several sets, as a heat map."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from estimator.show import number
from estimator.show.figures import _axes as axes
from estimator.show.figures import _look as style

MOST = 45
_LEVELS = ("in conflict", "strained", "consistent")
_COLORS = (style.VERMILION, "#F0C987", "#DCEBF5")


def plot_audit(claims: pd.DataFrame) -> Figure:
    """Plot the claims that fit worst, in rows, under each set, in columns.

    Parameters
    ----------
    claims
        As `estimator.studies.audit.claims.judge_claims` gives them, of one or more sets.

    Returns
    -------
    matplotlib.figure.Figure
        One axes; a cell says the tail probability, in brackets where the set does not count the
        claim, with a question mark where the prediction failed its diagnostics.
    """
    judged = claims[claims["verdict"].isin(_LEVELS)]
    labels = list(dict.fromkeys(judged["assumption_set"]))
    worst = judged.groupby("claim")["tail_probability"].min().sort_values(kind="stable")
    names = list(worst.index[:MOST])
    cells = {(str(r.claim), str(r.assumption_set)): r for r in judged.itertuples()}
    figure = style.new_figure(0.21 * len(names) + 1.7, width=2.9 + 1.05 * max(len(labels), 4))
    ax = figure.subplots()
    grid = np.full((len(names), len(labels)), np.nan)
    for row, claim in enumerate(names):
        for column, label in enumerate(labels):
            cell = cells.get((claim, label))
            if cell is None:
                continue
            grid[row, column] = _LEVELS.index(str(cell.verdict))
            ax.text(
                column,
                row,
                _cell_text(
                    float(str(cell.tail_probability)), bool(cell.counted), str(cell.failures)
                ),
                ha="center",
                va="center",
                fontsize=style.SMALL_SIZE - 0.5,
                color="white" if cell.verdict == _LEVELS[0] else style.BLACK,
            )
    ax.imshow(grid, cmap=ListedColormap(list(_COLORS)), vmin=0, vmax=2, aspect="auto")
    ax.set_xticks(range(len(labels)), labels, rotation=30, ha="left", fontsize=style.TEXT_SIZE - 1)
    ax.xaxis.tick_top()
    texts = [_row_text(claim, judged) for claim in names]
    ax.set_yticks(range(len(names)), texts, fontsize=style.SMALL_SIZE)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    handles = [Patch(color=c, label=name) for c, name in zip(_COLORS, _LEVELS, strict=True)]
    axes.legend(ax, handles=handles)
    counts = judged["verdict"].value_counts()
    return style.frame(
        figure,
        f"{len(worst)} claims under {len(labels)} sets: {counts.get('in conflict', 0)} in "
        f"conflict, {counts.get('strained', 0)} strained of {len(judged)}",
        notes=[
            "Tail probability of the figure under what the set predicts for it without the claim. "
            "Strained: outside the 95 % range, in conflict: outside the 99 % range. (brackets): "
            "not counted by the set. ?: the prediction failed its diagnostics. "
            f"Shown: the {len(names)} that fit worst."
        ],
    )


def _cell_text(tail: float, counted: bool, failures: str) -> str:
    """Write a tail probability; in brackets if it does not count, with ? if the fit failed."""
    text = f"{number.tail(tail)}{'?' if failures else ''}"
    return text if counted else f"({text})"


def _row_text(claim: str, judged: pd.DataFrame) -> str:
    """Name a claim by its id, its quantity and its figure."""
    row = judged[judged["claim"] == claim].iloc[0]
    return f"{claim}  {row['quantity'].replace('_', ' ')}: {axes.shorten(str(row['figure']), 34)}"
