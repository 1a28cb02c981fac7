"""Pictures of a report: figures with the look of a page, and in words what they show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from markupsafe import Markup
from matplotlib.figure import Figure

from estimator.export import write_csv
from estimator.quantities.answers import Answer
from estimator.quantity import QUANTILES
from estimator.show import number
from estimator.show.break_even import BreakEven
from estimator.show.figures import _axes as axes
from estimator.show.figures._claims import floors_of
from estimator.show.figures._look import PAGE, WIDE
from estimator.show.figures._months import Months
from estimator.show.figures.break_even import plot_break_even
from estimator.show.figures.fans import monthly_bands, plot_fans
from estimator.show.figures.files import inline_svg, save_figure
from estimator.show.figures.forest import plot_forest
from estimator.show.figures.recruits_losses import plot_recruits_losses
from estimator.show.figures.specification import plot_specification
from estimator.show.figures.tornado import DRAWN, plot_indices, plot_tornado
from estimator.studies.compare.drivers.table import NEGLIGIBLE
from estimator.studies.compare.specification import Specification
from estimator.studies.report import whatif, words
from estimator.studies.report.data import ReportData, last_month

POOLED = "all sets alike"
_HEADING = 9.0  # points of the caption in a picture's own file
_LINE = 0.19  # inches of a line of it
_DPI = 200  # for print


@dataclass(frozen=True)
class Picture:
    """A picture in a page.

    Attributes
    ----------
    name
        Unique in the pages: letters, digits and hyphens. Its files are named after it.
    figure
        As it was drawn.
    svg
        The same for the page.
    caption
        Its heading.
    table
        Numbers that it shows.
    note
        What stands below it.
    narrow
        The same for a phone, if it is too wide for one.
    failed
        Whether it shows a set that failed its diagnostics.
    """

    name: str
    figure: Figure
    svg: Markup
    caption: str
    table: pd.DataFrame
    note: Markup | str = ""
    narrow: Markup | str = ""
    failed: bool = False

    @classmethod
    def of(
        cls,
        figure: Figure,
        name: str,
        caption: str,
        description: str,
        table: pd.DataFrame,
        *,
        note: Markup | str = "",
        failed: bool = False,
    ) -> Picture:
        """Draw a figure for the page, with what it shows in words."""
        svg = inline_svg(figure, name, caption, description)
        return cls(name, figure, svg, caption, table, note, failed=failed)

    def write(self, folder: Path) -> list[Path]:
        """Write the picture as PNG and its numbers as CSV; the figure is of no use afterwards."""
        text = axes.wrapped(self.caption, int(10 * self.figure.get_figwidth()))
        height = self.figure.get_figheight() + _LINE * (text.count("\n") + 1)
        self.figure.set_figheight(height)
        heading = self.figure.suptitle(text, fontsize=_HEADING)
        heading.set_parse_math(False)
        image = save_figure(self.figure, folder, self.name, ("png",), _DPI)
        return [*image, write_csv(self.table, folder / f"{self.name}.csv")]


def balance(data: ReportData) -> Picture:
    """Draw recruits against losses in the first sound set."""
    sound = [label for label in data.trees if label not in data.failures]
    label, *others = sound or list(data.trees)
    tree = data.trees[label]
    quantities = ("losses", "recruits", "replacement_gap")
    bands = {name: monthly_bands(data.trees, name) for name in quantities}
    table = pd.concat([_as_table(one).assign(quantity=name) for name, one in bands.items()])
    texts = []
    for quantity, one in bands.items():
        last = one.sel(set=label, month=last_month(tree)).to_series()
        said = _range_of(last, "", "persons", sign=words.is_signed(quantity))
        texts.append(f"{words.quantity(quantity)} {said}")
    name = data.marked(label)
    caption = f"Recruits and losses by month, and the gap between them ({name})"
    rest = [data.trees[other] for other in others]
    description = f"{number.month(last_month(tree))}: {'; '.join(texts)}."
    note = (
        "Lines: middle values; dark bands: half of the draws; light bands: 9 of 10. Black bars: "
        "confirmed figures, a floor. What leaves the picture is in the CSV."
        + (" Thin lines: the middle values of the other sets that passed." if rest else "")
    )
    wide, narrow = (plot_recruits_losses(tree, rest, look) for look in (WIDE, PAGE))
    picture = Picture.of(
        wide, "balance", caption, description, table, note=note, failed=label in data.failures
    )
    small = inline_svg(narrow, "balance-narrow", caption, description)
    return replace(picture, narrow=small)


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
    failed = any(label in data.failures for label in table.index)
    table = table.assign(failures=[data.failures.get(label, "") for label in table.index])
    table["assumption_set"] = [data.options.set_name(label) for label in table.index]
    sign = words.is_signed(answer.quantity)
    texts = [
        f"{data.marked(str(label))}: {_range_of(row, '', unit, sign=sign)}"
        for label, row in table.iterrows()
    ]
    pooled = data.pool(answer)
    pool = "" if pooled is None else POOLED
    if pooled is not None:
        row = {"assumption_set": pool, "unit": unit, "failures": "", **pooled[list(QUANTILES)]}
        table = pd.concat([table, pd.DataFrame([row])], ignore_index=True)
        texts.append(f"{pool}: {_range_of(pooled, '', unit, sign=sign)}")
    table = table.assign(answer=str(answer))
    return Picture.of(
        plot_forest(table, pooled=pool, look=PAGE),
        name,
        words.capital(words.answer(answer, data.months)),
        f"Middle value and 9-of-10 range, {unit}. {'; '.join(texts)}.",
        table[["assumption_set", "answer", "unit", *QUANTILES, "failures"]],
        failed=failed,
    )


def forests(data: ReportData) -> list[Picture]:
    """Draw the ranges of all answers that are asked and that some set has."""
    made = [forest(data, a, f"forest-{n}") for n, a in enumerate(data.asked, start=1)]
    return [picture for picture in made if picture is not None]


def fans(data: ReportData) -> list[Picture]:
    """Draw monthly losses of each set, all on one scale, with the confirmed floor."""
    names = {label: data.options.set_name(label) for label in data.trees}
    trees = {names[label]: tree for label, tree in data.trees.items()}
    failures = {names.get(label, label): text for label, text in data.failures.items()}
    bands = monthly_bands(trees, "losses")
    pictures = []
    for position, (name, tree) in enumerate(trees.items(), start=1):
        failed = name in failures
        caption = f"✗ {name} – FAILED its checks" if failed else name
        own = bands.sel(set=name).dropna("month")
        pictures.append(
            Picture.of(
                plot_fans(
                    bands,
                    unit="persons/month",
                    failures=failures,
                    floors=trees,
                    only=[name],
                    look=PAGE,
                ),
                f"months-{position}",
                caption,
                _fan_text(own, floors_of(tree, Months.of(tree))),
                _as_table(bands.sel(set=[name]).dropna("month")),
                failed=failed,
            )
        )
    return pictures


def _as_table(bands: xr.DataArray) -> pd.DataFrame:
    """Columns set, month and the quantiles."""
    table = bands.to_dataset("quantile").to_dataframe()[list(QUANTILES)]
    return table.reorder_levels(["set", "month"]).sort_index().reset_index()


def _fan_text(bands: xr.DataArray, floors: pd.DataFrame) -> str:
    low, middle, high = (bands.sel(quantile=q).values for q in ("q05", "q50", "q95"))
    months = [str(month) for month in bands["month"].values]
    shown = dict.fromkeys((0, int(np.argmax(middle)), len(middle) - 1))
    texts = [
        f"{number.month(months[n])}: {words.range_text(low[n], middle[n], high[n])}" for n in shown
    ]
    confirmed = [
        f"{claim} {number.rounded(row['mean'])} a month" for claim, row in floors.iterrows()
    ]
    return (
        "Losses a month, middle value and 9-of-10 range, in the first, highest and last month: "
        f"{'; '.join(texts)}. Confirmed figures: {'; '.join(confirmed) or 'none'}."
    )


def drivers(
    data: ReportData, table: pd.DataFrame, answer: str, how: str, position: int
) -> list[Picture]:
    """Draw how far an answer moves with each assumption, and the shares of its variance.

    Parameters
    ----------
    table
        Rows of the table `drivers` of one answer and method.
    answer, how
        The answer and the method in words.
    position
        Which of the answers and methods it is.
    """
    table = table.sort_values("rank")
    named = [
        words.capital(words.assumption(str(key), data.options.origins))
        for key in table["assumption"]
    ]
    shown = table.assign(assumption=named)
    pictures = []
    if shown["effect"].notna().any():
        moved = shown[shown["effect"].notna()].head(DRAWN)
        reference = number.rounded(float(moved["reference"].iloc[0]), str(moved["unit"].iloc[0]))
        texts = (
            f"{row['assumption']}: {_at_level(row, 'low')}, {_at_level(row, 'high')}"
            for _, row in moved.iterrows()
        )
        caption = f"What moves {answer} ({how})"
        description = f"The answer as it is: {reference}. {'; '.join(texts)}."
        small = table["note"].astype(str).str.contains(NEGLIGIBLE, regex=False).all()
        note = f"All of these effects are {NEGLIGIBLE}." if small else ""
        figure, name = plot_tornado(shown, look=PAGE), f"tornado-{position}"
        pictures.append(Picture.of(figure, name, caption, description, table, note=note))
    if shown["total"].notna().any():
        shares = shown[shown["total"].notna()].head(DRAWN)
        texts = (
            f"{row['assumption']}: alone {number.rounded(row['first_order'], 'share')}, with "
            f"others {number.rounded(row['total'], 'share')}"
            for _, row in shares.iterrows()
        )
        caption = f"Share of the variance of {answer} by assumption ({how})"
        figure, name = plot_indices(shown, look=PAGE), f"shares-{position}"
        pictures.append(Picture.of(figure, name, caption, f"{'; '.join(texts)}.", table))
    return pictures


def specification(data: ReportData, curve: Specification, position: int) -> Picture:
    """Draw the sets of a sweep in the order of an answer, with what each assumed.

    Parameters
    ----------
    curve
        The sets, their answers and what they assumed.
    position
        Which of the curves it is.
    """
    rows = curve.table
    known = rows[rows["q50"].notna()].sort_values("q50")
    answer = Answer.parse(str(rows["answer"].iloc[0]))
    what = words.phrase(answer, data.months)
    if answer.below_zero:
        what = f"the chance that {what} is below 0"
    unit = str(rows["unit"].iloc[0])
    low, high = (float(known["q50"].iloc[at]) for at in (0, -1))
    ends = [str(known["assumption_set"].iloc[at]) for at in (0, -1)]
    caption = f"{words.capital(what)} in each of {number.count(len(known), 'set')} of a sweep"
    description = (
        f"The middle value rises from {number.rounded(low, unit)} ({ends[0]}) to "
        f"{number.rounded(high, unit)} ({ends[1]}). The table of the picture has all sets."
    )
    note = (
        "Above: the answer of each set in rising order. Below: what it assumes; of numbers the "
        f"height says how large. {curve.note} Crosses failed their checks; shaded sets have no "
        "answer."
    )
    wide, narrow = (
        plot_specification(rows, curve.levels, reference=curve.base, look=look)
        for look in (WIDE, PAGE)
    )
    name = f"specification-{position}"
    columns = {key: [curve.levels.row(at)[n] for at in range(len(rows))]
               for n, key in enumerate(curve.levels.names)}  # fmt: skip
    picture = Picture.of(wide, name, caption, description, rows.assign(**columns), note=note)
    return replace(picture, narrow=inline_svg(narrow, f"{name}-narrow", caption, description))


def breakeven(data: ReportData, position: int) -> Picture:
    """Draw where an event becomes as likely as the level, by its position in the report."""
    result = data.breakeven[position - 1]
    failed = whatif.failed(data, result)
    mark = " – FAILED its checks" if failed else ""
    event, name = whatif.event(data, result), data.options.set_name(result.assumption_set)
    caption = f"Chance that {event} ({name}){mark}"
    return Picture.of(
        plot_break_even([result], look=PAGE),
        f"breakeven-picture-{position}",
        caption,
        _curve_text(result) if len(result.axes) == 1 else _line_text(result),
        result.curve if len(result.axes) == 1 else result.contour,
        note=whatif.sentence(data, result),
        failed=failed,
    )


def _curve_text(result: BreakEven) -> str:
    (axis,) = result.axes
    curve = result.curve.sort_values("value")
    ends = curve.iloc[list(dict.fromkeys((0, -1)))] if len(curve) else curve
    texts = [
        f"{number.rounded(point['probability'], 'probability')} at "
        f"{number.rounded(point['value'], axis.unit)}"
        for _, point in ends.iterrows()
    ]
    where = whatif.crossings_text(result) or "no value"
    return (
        f"Chance along {axis.description}: {', '.join(texts)}. It crosses "
        f"{number.rounded(result.level, 'probability')} at {where}."
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


def _range_of(row: pd.Series, prefix: str, unit: str, *, sign: bool = False) -> str:
    low, middle, high = (float(row[f"{prefix}{q}"]) for q in ("q05", "q50", "q95"))
    return words.range_text(low, middle, high, unit, sign=sign)


def _at_level(row: pd.Series, end: str) -> str:
    value = number.rounded(float(row[f"value_{end}"]), str(row["unit"]))
    return f"{value} at {row[f'level_{end}']}"
