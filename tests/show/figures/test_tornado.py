from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from estimator.show.figures import _look as style
from estimator.show.figures.tornado import DRAWN, plot_indices, plot_tornado
from estimator.studies.compare.drivers.table import NEGLIGIBLE

pytestmark = pytest.mark.slow

ANSWERS = ["net_change[2026-01]", "P(net_change[2026-01] < 0)"]


def table(count: int = 15, method: str = "one_at_a_time") -> pd.DataFrame:
    """Effects that fall from 10,000 to little; every other one the other way round."""
    rows = []
    for answer in ANSWERS:
        size = 1.0 if answer == ANSWERS[0] else 0.00004
        for n in range(count):
            reach = size * 10_000.0 / (n + 1)
            low, high = (-reach, reach / 2) if n % 2 == 0 else (reach / 2, -reach)
            rows.append(
                {
                    "answer": answer,
                    "unit": "probability" if "P(" in answer else "persons/month",
                    "assumption": f"group.key{n}",
                    "method": method,
                    "level_low": f"low {n}",
                    "level_high": f"a very long option's name, number {n}",
                    "value_low": 0.4 * (size != 1.0) + low,
                    "value_high": 0.4 * (size != 1.0) + high,
                    "reference": 0.4 * (size != 1.0),
                    "effect": 1.5 * reach,
                    "effect_mcse": 1.0,
                    "first_order": 0.5 / (n + 1),
                    "first_order_low": 0.4 / (n + 1),
                    "first_order_high": 0.6 / (n + 1),
                    "total": 0.55 / (n + 1),
                    "total_low": 0.45 / (n + 1),
                    "total_high": 0.65 / (n + 1),
                    "rank": n + 1,
                    "note": ("within its Monte-Carlo error (up to 1); " if n == 2 else "")
                    + "2 of 47 sets failed their diagnostics",
                }
            )
    return pd.DataFrame(rows).sample(frac=1.0, random_state=0)


def names(figure: Figure) -> list[list[str]]:
    return [[label.get_text() for label in ax.get_yticklabels()] for ax in figure.axes]


def texts(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.texts)


@pytest.mark.parametrize("plot", [plot_tornado, plot_indices])
def test_the_largest_are_on_top_and_the_rest_is_counted(plot) -> None:
    figure = plot(table())
    assert len(figure.axes) == 2
    for own, ax in zip(names(figure), figure.axes, strict=True):
        assert own == [f"group.key{n}" for n in range(DRAWN)]
        bottom, top = ax.get_ylim()
        assert bottom > top
    assert "3 more assumptions move an answer less, or have no numbers" in texts(figure)
    assert "2 of 47 sets failed their diagnostics" in texts(figure)


@pytest.mark.parametrize("plot", [plot_tornado, plot_indices])
def test_nothing_is_said_of_others_where_all_are_drawn(plot) -> None:
    assert "more assumptions" not in texts(plot(table(3)))


@pytest.mark.parametrize("plot", [plot_tornado, plot_indices])
def test_only_the_answers_that_are_asked_for_are_drawn_in_their_order(plot) -> None:
    figure = plot(table(), list(reversed(ANSWERS)))
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles == ["P(net change, 2026-01 < 0)", "net change, 2026-01"]
    assert len(plot(table(), ANSWERS[:1]).axes) == 1


def test_bars_go_from_the_reference_to_both_ends_in_thousands() -> None:
    ax = plot_tornado(table(3), ANSWERS[:1]).axes[0]
    bars = [(bar.get_x(), bar.get_width(), to_hex(bar.get_edgecolor()).upper())
            for bar in ax.patches]  # fmt: skip
    low, high, grey = style.VERMILION, style.BLUE, style.GREY
    assert bars == [
        (0.0, -10_000.0, low), (0.0, 5_000.0, high),
        (0.0, 2_500.0, low), (0.0, -5_000.0, high),
        (0.0, pytest.approx(-10_000 / 3), grey), (0.0, pytest.approx(5_000 / 3), grey),
    ]  # fmt: skip
    assert ax.patches[0].get_hatch()  # the lower level can be told without colour
    assert not ax.patches[1].get_hatch()
    assert ax.get_xlabel() == "thousand persons per month"
    assert ax.xaxis.get_major_formatter()(-10_000.0, 0) == "−10"


def test_each_end_has_its_level_on_its_side() -> None:
    ax = plot_tornado(table(2), ANSWERS[:1]).axes[0]
    found = {text.get_text(): (text.xy[0], text.get_ha()) for text in ax.texts}
    assert found["low 0"] == (-10_000.0, "right")
    assert found["low 1"] == (2_500.0, "left")
    assert found["a very long…, number 1"] == (-5_000.0, "right")
    low, high = ax.get_xlim()
    assert low < -10_000.0
    assert high > 5_000.0


def test_a_probability_has_no_ticks_outside_its_range() -> None:
    ax = plot_tornado(table(), ANSWERS[1:]).axes[0]
    ticks = np.array(ax.get_xticks())
    assert len(ticks) > 2
    assert ((ticks > -0.01) & (ticks < 1.01)).all()


def test_a_tornado_without_a_base_set_is_drawn_around_the_middle() -> None:
    ax = plot_tornado(table(2).assign(reference=np.nan), ANSWERS[:1]).axes[0]
    assert [bar.get_x() for bar in ax.patches] == [-2500, -2500, -1250, -1250]


def test_indices_show_both_shares_with_their_intervals() -> None:
    figure = plot_indices(table(4, "sobol"), ANSWERS[:1])
    [ax] = figure.axes
    alone, total = ax.lines
    np.testing.assert_allclose(alone.get_xdata(), 0.5 / np.arange(1, 5))
    np.testing.assert_allclose(total.get_xdata(), 0.55 / np.arange(1, 5))
    spans = [segment[:, 0] for lines in ax.collections for segment in lines.get_segments()]
    np.testing.assert_allclose(spans[0], [0.4, 0.6])
    np.testing.assert_allclose(spans[4], [0.45, 0.65])
    assert ax.get_xlim() == (0.0, 1.0)
    assert "Sobol indices" in texts(figure)
    assert "95 % intervals" in texts(figure)


def test_rows_without_numbers_are_left_out_and_a_table_without_any_is_refused() -> None:
    rows = table(3)
    rows.loc[rows["assumption"] == "group.key1", "effect"] = np.nan
    assert names(plot_tornado(rows)) == [["group.key0", "group.key2"]] * 2
    with pytest.raises(ValueError, match="the table has no total of net_change"):
        plot_indices(rows.assign(total=np.nan), ANSWERS)


@pytest.mark.parametrize("plot", [plot_tornado, plot_indices])
def test_no_text_reaches_beyond_the_figure_or_lies_on_another(plot, tmp_path: Path) -> None:
    figure = plot(table())
    figure.draw_without_rendering()
    width, height = figure.canvas.get_width_height()
    boxes = [text.get_window_extent() for text in figure.texts]
    boxes.append(figure.axes[0].get_legend().get_window_extent())
    assert all(b.x0 >= 0 and b.x1 <= width and b.y0 >= 0 and b.y1 <= height for b in boxes)
    assert not any(a.overlaps(b) for n, a in enumerate(boxes) for b in boxes[:n])
    for ending, begin in (("png", b"\x89PNG"), ("svg", b"<?xml")):
        figure.savefig(tmp_path / f"a.{ending}", dpi=40)
        assert (tmp_path / f"a.{ending}").read_bytes().startswith(begin)


@pytest.mark.parametrize("notes", [("",), ("within its Monte-Carlo error", NEGLIGIBLE)])
def test_inside_a_page_the_legend_is_no_wider_than_the_picture(notes: tuple[str, ...]) -> None:
    rows = table()
    rows["note"] = [notes[n % len(notes)] for n in range(len(rows))]
    figure = plot_tornado(rows, look=style.PAGE)
    figure.draw_without_rendering()
    [legend] = figure.legends
    box = legend.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width
    said = " ".join(text.get_text().replace("\n", " ") for text in legend.get_texts())
    assert all(note in said for note in notes)
