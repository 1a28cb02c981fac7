from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex

from estimator.show.figures import _look as style
from estimator.show.figures.break_even import plot_break_even
from tests.studies.breakeven import toy


def legend(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def line(ax, label: str):
    (found,) = [one for one in ax.lines if one.get_label() == label]
    return found


def test_one_key_shows_curve_level_crossing_fits_and_what_is_assumed():
    one = toy.result()
    (ax,) = plot_break_even([one]).axes
    assert set(legend(ax)) == {
        "what the set assumes",
        "reweighted draws",
        "crossing, with interval",
        "real fits",
        "real fits, to check",
        "failed fits, not used",
    }
    drawn = line(ax, "reweighted draws").get_xydata()
    used = one.curve["used"].to_numpy()
    assert drawn[used] == pytest.approx(one.curve.loc[used, ["value", "probability"]].to_numpy())
    assert np.isnan(drawn[~used, 1]).all()
    assert line(ax, "crossing, with interval").get_xydata() == pytest.approx(
        np.array([[0.51, 0.5]])
    )
    intervals = [one.get_xdata() for one in ax.lines if len(one.get_xdata()) == 2]
    assert any(np.allclose(ends, [0.48, 0.53]) for ends in intervals)
    assert ax.get_xlabel() == "returns.rate (share)"
    assert ax.get_ylabel() == "P(net change in 2026-01 < 0)"


def test_a_curve_that_no_fit_gave_is_left_out_and_real_fits_stay():
    bare = replace(toy.result(), curve=toy.result().curve.iloc[:0])
    (ax,) = plot_break_even([bare]).axes
    assert "reweighted draws" not in legend(ax)
    assert "real fits" in legend(ax)


def test_a_key_that_the_set_holds_fixed_is_a_line():
    (axis,) = toy.result().axes
    fixed = toy.result(axes=(replace(axis, assumed_low=0.3, assumed_high=0.3),))
    (ax,) = plot_break_even([fixed]).axes
    assert line(ax, "what the set assumes").get_xdata() == [0.3, 0.3]
    outside = toy.result(axes=(replace(axis, assumed_low=0.0, assumed_high=0.0),))
    (ax,) = plot_break_even([outside]).axes
    assert "what the set assumes" not in legend(ax)


def test_scenarios_share_one_picture_and_equal_ones_one_curve():
    one = toy.result(event="status_quo: force holds its level")
    same = toy.result(event="plan_100: force holds its level")
    curve = one.curve.assign(probability=one.curve["probability"] / 2)
    other = toy.result(event="goal_60000: force holds its level", curve=curve)
    (ax,) = plot_break_even([one, same, other]).axes
    assert legend(ax) == ["status_quo,\nplan_100", "goal_60000"]
    assert ax.get_legend().get_title().get_text() == "scenario"


def test_two_keys_show_line_band_fits_and_what_is_not_reached():
    figure = plot_break_even([toy.result_of_two_keys()])
    ax, bar = figure.axes
    assert legend(ax) == [
        "level 0.5",
        "edges of its band",
        "real fits ± standard error",
        "failed fits, not used",
        "what the set assumes",
        "not reached by the draws",
    ]
    ends = np.array([[0.3, 2000.0], [0.7, 9000.0]])
    assert line(ax, "level 0.5").get_xydata() == pytest.approx(ends)
    assert sum(one.get_label() == "edges of its band" for one in ax.lines) == 2
    assert ax.get_xscale() == "linear"
    assert ax.get_yscale() == "log"
    assert "P(net change" in bar.get_ylabel()
    assert any("0.56 ± 0.01" in text.get_text() for text in ax.texts)


def test_a_level_without_a_line_is_drawn_all_the_same():
    two = toy.result_of_two_keys()
    bare = replace(two, contour=two.contour.iloc[:0], refits=two.refits.iloc[:0])
    assert "level 0.5" not in legend(plot_break_even([bare]).axes[0])


@pytest.mark.parametrize("results", [[toy.result()], [toy.result_of_two_keys()],
                                     [toy.result(), toy.result()]])  # fmt: skip
def test_every_picture_names_its_set_and_reaches_nowhere_beyond_the_figure(results):
    figure = plot_break_even(results)
    figure.draw_without_rendering()
    width, height = figure.canvas.get_width_height()
    boxes = [text.get_window_extent() for text in figure.texts]
    assert len(boxes) >= 2
    assert all(b.x0 >= 0 and b.x1 <= width and b.y0 >= 0 and b.y1 <= height for b in boxes)
    assert any("toy" in text.get_text() for text in figure.texts)
    assert not any("diagnostics failed" in text.get_text() for text in figure.texts)


def test_failed_diagnostics_are_said_in_red():
    figure = plot_break_even([toy.result(failures=("R-hat 1.2 > 1.01",))])
    (note,) = [text for text in figure.texts if "diagnostics failed" in text.get_text()]
    assert "R-hat 1.2" in note.get_text()
    assert to_hex(note.get_color()).upper() == style.NOTE_RED
