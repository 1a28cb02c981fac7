"""Pictures of a report: figures with the look of a page, and in words what they show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from markupsafe import Markup
from matplotlib.figure import Figure

from estimator.quantities.answers import Answer
from estimator.quantity import QUANTILES
from estimator.show import number
from estimator.show.break_even import Axis, BreakEven
from estimator.show.figures._claims import floors_of
from estimator.show.figures._look import PAGE
from estimator.show.figures._months import Months
from estimator.show.figures.break_even import plot_break_even
from estimator.show.figures.fans import monthly_bands, plot_fans
from estimator.show.figures.files import inline_svg
from estimator.show.figures.forest import plot_forest
from estimator.show.figures.prior_posterior import plot_prior_ranges
from estimator.show.figures.tornado import DRAWN, plot_indices, plot_tornado
from estimator.studies.compare.pool import EQUAL
from estimator.studies.report import words
from estimator.studies.report.data import ReportData

POOLED = "all sets alike"


@dataclass(frozen=True)
class Picture:
    """A picture in a page.

    Attributes
    ----------
    svg
        The picture.
    caption
        Its heading.
    note
        What stands below it.
    failed
        Whether it shows a set that failed its diagnostics.
    """

    svg: Markup
    caption: str
    note: str = ""
    failed: bool = False


def _picture(figure: Figure, name: str, caption: str, description: str) -> Picture:
    return Picture(inline_svg(figure, name, caption, description), caption)


def forest(data: ReportData, answer: Answer, name: str) -> Picture | None:
    """Draw the ranges of one answer, sets below each other; None where no set has it.

    Parameters
    ----------
    name
        Of the picture, unique in the page; so of all functions here.
    """
    table = data.ranges(answer).head(data.options.most_sets)
    if table.empty:
        return None
    unit = str(table["unit"].iloc[0])
    table = table.rename_axis("assumption_set").reset_index()
    table["failures"] = [data.failures.get(label, "") for label in table["assumption_set"]]
    pooled = data.pool(answer)
    pool = "" if pooled is None else pool_name(str(pooled["weights"]))
    if pooled is not None:
        row = {"assumption_set": pool, "unit": unit, "failures": "", **pooled[list(QUANTILES)]}
        table = pd.concat([table, pd.DataFrame([row])], ignore_index=True)
    sign = words.is_signed(answer.quantity)
    texts = (
        f"{data.marked(str(row['assumption_set']))}: {_range_of(row, '', unit, sign=sign)}"
        for _, row in table.iterrows()
    )
    return _picture(
        plot_forest(table.assign(answer=str(answer)), pooled=pool, look=PAGE),
        name,
        words.capital(words.answer(answer, data.months)),
        f"Middle value and 9-of-10 range, {unit}. {'; '.join(texts)}.",
    )


def forests(data: ReportData) -> list[Picture]:
    """Draw the ranges of all answers that are asked and that some set has."""
    made = [forest(data, a, f"chart-forest-{n}") for n, a in enumerate(data.asked, start=1)]
    return [picture for picture in made if picture is not None]


def pool_name(weights: str) -> str:
    """Name a pool by its weights."""
    return POOLED if weights == EQUAL else f"sets weighted ({weights})"


def fans(trees: Mapping[str, xr.DataTree], failures: Mapping[str, str], name: str) -> list[Picture]:
    """Draw monthly losses of each set, all on one scale, with the confirmed floor."""
    bands = monthly_bands(trees, "losses")
    pictures = []
    for position, (label, tree) in enumerate(trees.items(), start=1):
        failed = label in failures
        caption = f"✗ {label} – FAILED its checks" if failed else label
        figure = plot_fans(
            bands, unit="persons/month", failures=failures, floors=trees, only=[label], look=PAGE
        )
        svg = inline_svg(
            figure,
            f"{name}-{position}",
            f"Monthly losses, {caption}",
            _fan_text(
                bands.sel(set=label).dropna("month"),
                floors_of(tree, Months.of(tree)),
            ),
        )
        pictures.append(Picture(svg, caption, failed=failed))
    return pictures


def _fan_text(bands: xr.DataArray, floors: pd.DataFrame) -> str:
    low, middle, high = (bands.sel(quantile=q).values for q in ("q05", "q50", "q95"))
    months = [str(month) for month in bands["month"].values]
    shown = dict.fromkeys((0, int(np.argmax(middle)), len(middle) - 1))
    texts = [f"{number.month(months[n])}: {range_text(low[n], middle[n], high[n])}" for n in shown]
    confirmed = [
        f"{claim} {number.rounded(row['mean'])} a month" for claim, row in floors.iterrows()
    ]
    return (
        "Losses a month, middle value and 9-of-10 range, in the first, highest and last month: "
        f"{'; '.join(texts)}. Confirmed figures: {'; '.join(confirmed) or 'none'}."
    )


def drivers(table: pd.DataFrame, answer: str, position: int) -> list[Picture]:
    """Draw how far an answer moves with each assumption, and the shares of its variance.

    Parameters
    ----------
    table
        Rows of the table `drivers` of one answer and method.
    answer
        The answer in words.
    position
        Which of the answers and methods it is.
    """
    table = table.sort_values("rank")
    table = table.assign(
        assumption=[words.capital(words.assumption(str(key))) for key in table["assumption"]]
    )
    pictures = []
    if table["effect"].notna().any():
        moved = table[table["effect"].notna()].head(DRAWN)
        reference = number.rounded(float(moved["reference"].iloc[0]), str(moved["unit"].iloc[0]))
        texts = (
            f"{row['assumption']}: {_at_level(row, 'low')}, {_at_level(row, 'high')}"
            for _, row in moved.iterrows()
        )
        caption = f"What moves {answer}, one assumption at a time"
        description = f"The answer as it is: {reference}. {'; '.join(texts)}."
        figure = plot_tornado(table, look=PAGE)
        pictures.append(_picture(figure, f"chart-tornado-{position}", caption, description))
    if table["total"].notna().any():
        shares = table[table["total"].notna()].head(DRAWN)
        texts = (
            f"{row['assumption']}: alone {number.rounded(row['first_order'], 'share')}, with "
            f"others {number.rounded(row['total'], 'share')}"
            for _, row in shares.iterrows()
        )
        caption = f"Share of the variance of {answer} by assumption"
        figure = plot_indices(table, look=PAGE)
        pictures.append(
            _picture(figure, f"chart-shares-{position}", caption, f"{'; '.join(texts)}.")
        )
    return pictures


def prior_ranges(table: pd.DataFrame, name: str) -> Picture:
    """Draw one parameter before and after the claims, sets below each other.

    Parameters
    ----------
    table
        Rows of the table `prior_or_data` of one parameter.
    """
    unit = str(table["unit"].iloc[0])
    texts = (
        f"{row['assumption_set']}: before {_range_of(row, 'prior_', unit)}, after "
        f"{_range_of(row, 'posterior_', unit)}"
        for _, row in table.iterrows()
    )
    return _picture(
        plot_prior_ranges(table, look=PAGE),
        name,
        words.capital(words.assumption(str(table["parameter"].iloc[0]))),
        f"Middle value and 9-of-10 range, {unit}. {'; '.join(texts)}.",
    )


def breakeven(result: BreakEven, name: str, *, failed: bool) -> Picture:
    """Draw where an event becomes as likely as the level.

    Parameters
    ----------
    failed
        Whether the set or the fits failed their diagnostics.
    """
    mark = " – FAILED its checks" if failed else ""
    caption = f"Chance that {words.event(result.words)} ({result.assumption_set}){mark}"
    text = _curve_text(result) if len(result.axes) == 1 else _line_text(result)
    svg = inline_svg(plot_break_even([result], look=PAGE), name, caption, text)
    return Picture(svg, caption, result.sentence, failed=failed)


def _curve_text(result: BreakEven) -> str:
    (axis,) = result.axes
    curve = result.curve.sort_values("value")
    ends = curve.iloc[list(dict.fromkeys((0, -1)))] if len(curve) else curve
    texts = [
        f"{number.rounded(point['probability'], 'probability')} at "
        f"{number.rounded(point['value'], axis.unit)}"
        for _, point in ends.iterrows()
    ]
    return (
        f"Chance along {axis.description}: {', '.join(texts)}. It crosses "
        f"{number.rounded(result.level, 'probability')} at {crossings_text(result) or 'no value'}."
    )


def _line_text(result: BreakEven) -> str:
    first, second = result.axes
    texts = []
    for _, line in result.contour[result.contour["edge"] == "level"].groupby("line"):
        at = line.iloc[sorted({0, len(line) // 2, len(line) - 1})]
        texts += [
            f"{number.rounded(x, first.unit)} and {number.rounded(y, second.unit)}"
            for x, y in zip(at["value"], at["value_2"], strict=True)
        ]
    return (
        f"The chance is {number.rounded(result.level, 'probability')} along a line of "
        f"{first.description} and {second.description}: "
        f"{'; '.join(texts) or 'nowhere in their ranges'}."
    )


def crossings_text(result: BreakEven) -> str:
    """Write the crossings of a break-even along one key with their intervals."""
    axis: Axis = result.axes[0]
    return "; ".join(
        range_text(crossing.low, crossing.value, crossing.high, axis.unit)
        for crossing in result.crossings
    )


def range_text(
    low: float, middle: float, high: float, unit: str = "persons", *, sign: bool = False
) -> str:
    """Write a middle value with its range: 32,700 (27,100 to 38,200)."""
    return f"{number.rounded(middle, unit, sign=sign)} ({number.span(low, high, unit, sign=sign)})"


def _range_of(row: pd.Series, prefix: str, unit: str, *, sign: bool = False) -> str:
    low, middle, high = (float(row[f"{prefix}{q}"]) for q in ("q05", "q50", "q95"))
    return range_text(low, middle, high, unit, sign=sign)


def _at_level(row: pd.Series, end: str) -> str:
    value = number.rounded(float(row[f"value_{end}"]), str(row["unit"]))
    return f"{value} at {row[f'level_{end}']}"
