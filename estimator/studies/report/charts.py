"""Charts of the answers: sets side by side, monthly losses, break-even."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from estimator.quantities.answers import Answer
from estimator.show import number
from estimator.show.figures._claims import monthly, used_claims
from estimator.show.figures._months import Months
from estimator.studies.report import _axes as axes
from estimator.studies.report import words
from estimator.studies.report._svg import INK, Chart, drawing, inline_svg
from estimator.studies.report.answers import EQUAL, QUANTILES, Answers

POOLED = "all sets alike"
_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def forest(found: Answers, answer: Answer, name: str) -> Chart | None:
    """Ranges of one answer, sets below each other; None where no set has it."""
    table = found.of(answer).head(found.data.options.most_sets)
    if table.empty:
        return None
    unit = str(table["unit"].iloc[0])
    signed = words.is_signed(answer.quantity)
    rows = [(str(label), row[list(QUANTILES)].tolist()) for label, row in table.iterrows()]
    pooled = found.pooled(answer)
    title = words.capital(words.answer(answer, found.months))
    with drawing():
        figure, ax = axes.new_figure(axes.ROW * (len(rows) + (pooled is not None)) + 0.75)
        for y, (label, values) in enumerate(rows):
            axes.draw_range(ax, y, values, color=axes.BLUE, hollow=label in found.failures)
        names = [f"✗ {label}" if label in found.failures else label for label, _ in rows]
        if pooled is not None:
            values = [float(pooled[q]) for q in QUANTILES]
            axes.draw_range(ax, len(rows), values, color=axes.VERMILION, marker="D")
            name_of_pool = pool_name(str(pooled["weights"]))
            rows.append((name_of_pool, values))
            names.append(name_of_pool)
        axes.name_rows(ax, names)
        axes.faint_grid(ax, "x")
        axes.scale(ax, unit)
        if signed:
            ax.axvline(0, color=INK, linewidth=1.0)
        texts = [
            f"{found.marked(label)}: {axes.range_text(v, unit, sign=signed)}" for label, v in rows
        ]
        description = f"Middle value and 9-of-10 range, {unit}. " + "; ".join(texts) + "."
        return Chart(inline_svg(figure, name, title, description), title)


def pool_name(weights: str) -> str:
    """Name a pool by its weights."""
    return POOLED if weights == EQUAL else f"sets weighted ({weights})"


def fans(trees: Mapping[str, xr.DataTree], failures: Mapping[str, str], name: str) -> list[Chart]:
    """Monthly losses of each set, all on one scale, with the confirmed floor."""
    quantiles = {
        label: tree["posterior"]["losses"].quantile(_LEVELS, dim=["chain", "draw"]).values
        for label, tree in trees.items()
    }
    floors = {label: _floors(tree) for label, tree in trees.items()}
    top = max(
        *(float(np.quantile(bands[-1], 0.98)) for bands in quantiles.values()),
        *(float(value) for floor in floors.values() for _, _, value, _ in floor),
        1.0,
    )
    return [
        _fan(tree, label, quantiles[label], floors[label], 1.15 * top, failures, f"{name}-{i}")
        for i, (label, tree) in enumerate(trees.items(), start=1)
    ]


def _floors(tree: xr.DataTree) -> list[tuple[float, float, float, str]]:
    """First and last position, mean a month and id of the confirmed figures."""
    months = Months.of(tree)
    found = []
    for claim, row in used_claims(tree, prefix="confirmed_").iterrows():
        weights = months.weights(row["period_start"], row["period_end"])
        (at,) = np.nonzero(weights)
        if len(at):
            _, central, _ = monthly(row, months)
            found.append((float(at[0]), float(at[-1]), float(central), str(claim)))
    return found


def _fan(
    tree: xr.DataTree,
    label: str,
    bands: np.ndarray,
    floors: list[tuple[float, float, float, str]],
    top: float,
    failures: Mapping[str, str],
    name: str,
) -> Chart:
    months = Months.of(tree)
    low, lower, middle, upper, high = bands
    failed = label in failures
    with drawing():
        figure, ax = axes.new_figure(2.2)
        ax.fill_between(months.x, low, high, color=axes.BLUE, alpha=0.22, linewidth=0)
        ax.fill_between(months.x, lower, upper, color=axes.BLUE, alpha=0.35, linewidth=0)
        ax.plot(months.x, middle, color=axes.BLUE, linewidth=1.6, linestyle="--" if failed else "-")
        for first, last, value, _ in floors:
            if first == last:
                ax.plot([first], [value], "^", color=axes.VERMILION, markersize=4.5)
            else:
                ends = [first - 0.5, last + 0.5]
                ax.plot(ends, [value] * 2, color=axes.VERMILION, linewidth=2.2)
        ax.set_ylim(0, top)
        ax.set_xlim(-0.7, len(months.labels) - 0.3)
        _years(ax, months.labels)
        axes.faint_grid(ax, "y")
        axes.scale(ax, "persons/month", "y", ticks=4)
        ax.set_ylabel("")
        peak = int(np.argmax(middle))
        texts = [
            f"{number.month(months.labels[n])}: {axes.range_text(bands[:, n].tolist(), 'persons')}"
            for n in dict.fromkeys((0, peak, len(middle) - 1))
        ]
        said = [f"{claim} {number.rounded(value)} a month" for _, _, value, claim in floors]
        description = (
            "Losses a month, middle value and 9-of-10 range, in the first, highest and last month: "
            f"{'; '.join(texts)}. Confirmed figures: {'; '.join(said) or 'none'}."
        )
        caption = f"✗ {label} – FAILED its checks" if failed else label
        picture = inline_svg(figure, name, f"Monthly losses, {caption}", description)
        return Chart(picture, caption, failed=failed)


def _years(ax: Axes, labels: tuple[str, ...]) -> None:
    """Mark each January with its year; of a window under two years every third month."""
    januaries = [i for i, label in enumerate(labels) if label.endswith("-01")]
    if len(labels) < 24:
        at = list(range(0, len(labels), max(len(labels) // 4, 1)))
        ax.set_xticks(at, [labels[i] for i in at])
    else:
        ax.set_xticks(januaries, [labels[i][:4] for i in januaries])
