"""Specification curves, from tables without results."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from estimator.show.figures import _look as style
from estimator.show.figures.specification import FEW, plot_specification

QUANTILES = ("q05", "q25", "q50", "q75", "q95")
OPTIONS = ("all", "registry", "western")


@dataclass(frozen=True)
class Levels:
    """A key with options, and one with as many numbers as there are sets."""

    codes: np.ndarray
    names = ("killed_share", "returns.rate")
    ordered = np.array([False, True])

    @property
    def texts(self) -> tuple[tuple[str, ...], ...]:
        """Levels in words."""
        return OPTIONS, tuple(f"0.{n:03}" for n in range(len(self.codes)))


def sets(count: int, *, lost: int = 0, failed: int = 0) -> tuple[pd.DataFrame, Levels]:
    """Make sets whose medians fall from the first to the last, the `lost` first without any."""
    middle = 1000.0 * np.arange(count)[::-1] - 2500.0
    table = pd.DataFrame(
        {
            "assumption_set": [f"set {n}" for n in range(count)],
            "answer": "net_change[2026-01]",
            "unit": "persons/month",
            **{q: middle + 500.0 * step for step, q in enumerate(QUANTILES, start=-2)},
            "failures": "",
        }
    )
    table.loc[: lost - 1, list(QUANTILES)] = np.nan
    table.loc[: lost + failed - 1, "failures"] = "gave up"
    codes = np.column_stack([np.arange(count) % 3, np.arange(count)])
    return table, Levels(codes)


def heights(figure: Figure, row: str) -> np.ndarray:
    """Columns of the dots in a row of the lower axes."""
    ax = figure.axes[1]
    labels = {text.get_text(): text.get_position()[1] for text in ax.get_yticklabels()}
    (line,) = (line for line in ax.lines if set(line.get_ydata()) == {labels[row]})
    return np.asarray(line.get_xdata(), dtype=float)


def words(figure: Figure) -> str:
    return " ".join(text.get_text().replace("\n", " ") for text in figure.texts)


def test_answers_rise_and_each_set_is_marked_at_its_option() -> None:
    table, levels = sets(9)
    figure = plot_specification(table, levels)
    dots = next(line for line in figure.axes[0].lines if len(line.get_xdata()) == 9)
    assert np.diff(dots.get_ydata()).min() > 0
    # The last set is the lowest: it stands first, and has the option of the last code.
    assert heights(figure, "western").tolist() == [0.0, 3.0, 6.0]
    assert heights(figure, "all").tolist() == [2.0, 5.0, 8.0]
    assert "medians of 9 sets from −2.5 to 5.5" in words(figure)
    assert "3 of them below 0" in words(figure)


def test_of_many_numbers_the_height_says_which_and_its_ends_are_written() -> None:
    table, levels = sets(FEW + 1)
    figure = plot_specification(table, levels)
    texts = [text.get_text() for text in figure.axes[1].texts]
    assert texts == [f"0.{FEW:03}", "0.000"]
    line = figure.axes[1].lines[-1]
    assert np.diff(line.get_ydata()).min() > 0  # the y axis points down, and numbers fall


def test_sets_without_an_answer_stand_apart_and_failed_ones_are_crossed() -> None:
    table, levels = sets(10, lost=2, failed=1)
    figure = plot_specification(table, levels)
    upper = figure.axes[0]
    (crosses,) = (line for line in upper.lines if line.get_marker() == "x")
    assert len(crosses.get_xdata()) == 1
    places = [x for line in upper.lines if line.get_marker() in "ox" for x in line.get_xdata()]
    assert sorted(places) == list(range(8))
    assert max(heights(figure, "all")) > 8  # what a lost set assumed is still there
    assert "Shaded: 2 sets without an answer" in words(figure)
    assert "gave up" in words(figure)


def test_a_level_that_most_sets_have_is_said_and_not_marked() -> None:
    table, levels = sets(9)
    codes = levels.codes.copy()
    codes[:, 0] = [0] * 7 + [1, 2]
    figure = plot_specification(table, Levels(codes), reference="set 3")
    labels = [text.get_text() for text in figure.axes[1].get_yticklabels()]
    assert "killed_share (else all)" in labels
    assert "all" not in labels
    assert "Dashed: set 3." in words(figure)


@pytest.mark.parametrize("count", [30, 100, 1000])
@pytest.mark.parametrize("look", [style.PAPER, style.PAGE])
def test_names_of_assumptions_stay_whole_with_any_number_of_sets(
    count: int, look: style.Look
) -> None:
    figure = plot_specification(*sets(count), look=look)
    ax = figure.axes[1]
    texts = [text.get_text() for text in (*ax.get_yticklabels(), *ax.texts)]
    assert {"killed_share", "returns.rate", *OPTIONS} <= set(texts)
    assert figure.get_size_inches()[0] == look.width


def test_a_probability_is_told_by_how_often_it_is_one_half() -> None:
    table, levels = sets(9)
    chance = np.linspace(0.0, 1.0, 9)
    table = table.assign(unit="probability", q50=chance, answer="P(net_change[2026-01] < 0)")
    table[["q05", "q25", "q75", "q95"]] = np.nan
    figure = plot_specification(table, levels)
    assert "one half or more in 5 of 9 sets" in words(figure)
    assert "ranges" not in words(figure)


def test_nothing_is_drawn_of_sets_without_answers() -> None:
    table, levels = sets(3, lost=3)
    with pytest.raises(ValueError, match="at least one answer"):
        plot_specification(table, levels)
