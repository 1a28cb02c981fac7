"""Pictures of one result, and the forest of several."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from estimator.show import figures as pictures
from estimator.show.figures import _look as style
from estimator.show.figures.trace_rank import plot_trace_rank

pytestmark = pytest.mark.slow

NAMES = {plot.__name__.removeprefix("plot_"): plot for plot in pictures.OF_A_RESULT}


class Drawn(Mapping[str, Figure]):
    """Pictures of one result by name, each drawn once, when it is first looked at."""

    def __init__(self, result: xr.DataTree) -> None:
        self.result = result
        self.figures: dict[str, Figure] = {}

    def __getitem__(self, name: str) -> Figure:
        if name not in self.figures:
            self.figures[name] = NAMES[name](self.result)
        return self.figures[name]

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)


@pytest.fixture(scope="module")
def drawn(shared_result: xr.DataTree) -> Drawn:
    return Drawn(shared_result)


def texts(figure: Figure) -> str:
    return "\n".join(t.get_text() for t in figure.texts)


def legend(ax: Axes) -> list[str]:
    return [t.get_text() for t in ax.get_legend().get_texts()]


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_names_its_set_and_its_units_and_reaches_nowhere_beyond_its_edges(
    name: str, drawn: Drawn
) -> None:
    figure = drawn[name]
    assert "central" in texts(figure)
    assert "diagnostics failed" not in texts(figure)
    assert all(ax.get_xlabel() or ax.get_ylabel() for ax in figure.axes)
    figure.draw_without_rendering()
    width, height = figure.canvas.get_width_height()
    boxes = [t.get_window_extent() for t in figure.texts]
    assert len(boxes) >= 2
    assert all(b.x0 >= 0 and b.x1 <= width and b.y0 >= 0 and b.y1 <= height for b in boxes)
    assert plt.get_fignums() == []


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_of_a_failed_result_without_claims_is_drawn_and_says_in_red_what_failed(
    name: str, failed: xr.DataTree
) -> None:
    data = failed["constant_data"].to_dataset()
    for prefix in ("", "confirmed_"):
        data[f"{prefix}used"] = xr.zeros_like(data[f"{prefix}used"])
    failed["constant_data"] = xr.DataTree(data)
    figure = NAMES[name](failed)
    assert figure.axes
    [note] = [t for t in figure.texts if "diagnostics failed" in t.get_text()]
    assert note.get_text() == "diagnostics failed: R-hat 1.08 of losses"
    assert to_hex(note.get_color()).upper() == style.NOTE_RED


def test_a_result_that_does_not_say_that_diagnostics_passed_counts_as_failed(
    result: xr.DataTree,
) -> None:
    result.attrs = {}
    assert style.failure_of(result) == "not recorded"


def test_every_picture_of_a_result_becomes_a_png_but_for_those_whose_groups_are_missing(
    result: xr.DataTree, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("estimator.show.figures.files.DPI", 20)
    paths = pictures.save_plots(result, tmp_path / "new" / "plots")
    assert [p.stem for p in paths] == list(NAMES)
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in paths)
    del result["prior"], result["posterior_predictive"], result["scenarios"]
    stems = {p.stem for p in pictures.save_plots(result, tmp_path / "few")}
    assert stems == set(NAMES) - {"prior_posterior", "predictive_claims"}


def test_the_forest_of_results_has_a_panel_an_answer_and_a_row_a_set(
    shared_result: xr.DataTree, failed: xr.DataTree
) -> None:
    failed["posterior"] = xr.DataTree(failed["posterior"].to_dataset().isel(draw=slice(0, 30)))
    figure = pictures.plot_forest({"one": shared_result, "two": failed})
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == [
        *("losses, 2026-01", "losses, total", "killed, total"),
        *("killed share, 2026-01", "replacement gap, 2026-01", "net change, 2026-01"),
    ]
    first = figure.axes[0]
    assert [t.get_text() for t in first.get_yticklabels()] == ["one", "✗ two"]
    assert first.yaxis_inverted()
    assert "diagnostics failed: two: R-hat 1.08 of losses" in texts(figure)
    medians = [x for line in first.lines for x in line.get_xdata() if line.get_marker() == "o"]
    trees = (shared_result, failed)
    expected = [float(t["posterior"]["losses"].isel(month=-1).median()) for t in trees]
    assert medians == pytest.approx(expected)


def test_a_forest_of_sets_with_other_last_months_says_only_last_month(
    shared_result: xr.DataTree, result: xr.DataTree
) -> None:
    for group in ("posterior", "constant_data"):
        months = result[group].to_dataset().sel(month=slice(None, "2025-12"))
        result[group] = xr.DataTree(months)
    figure = pictures.plot_forest({"long": shared_result, "short": result})
    assert figure.axes[0].get_title() == "losses, last month"


def test_a_forest_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one set"):
        pictures.plot_forest({})


def test_losses_have_a_monthly_and_a_cumulative_panel_in_thousands(drawn: Drawn) -> None:
    above, below = drawn["monthly_losses"].axes
    assert above.get_ylabel() == "thousand persons per month"
    assert below.get_ylabel() == "thousand persons"
    assert above.get_ylim()[0] == below.get_ylim()[0] == 0
    assert below.yaxis.get_major_formatter()(1_250_000.0, 0) == "1,250"
    points = [tuple(p) for line in below.lines for p in line.get_xydata() if len(line.get_xydata())]
    [x] = [x for x, y in points if y == 1_250_000.0]  # a claim, at the end of its period
    assert 47.5 < x < below.get_xlim()[1]
    names = legend(above)
    assert len(names) == len(set(names))
    assert {"confirmed floor, one month", "general staff ukraine", "csis"} <= set(names)
    assert "not used" not in names + legend(below)


def test_the_floor_of_a_month_is_a_bold_step_at_its_height_over_its_month(drawn: Drawn) -> None:
    above = drawn["monthly_losses"].axes[0]
    steps = {
        tuple(segment[:, 0].round(2)): (segment[0, 1], c.get_linewidth()[0])
        for c in above.collections
        if c.get_zorder() == 5
        for segment in c.get_segments()
    }
    assert steps[46.5, 47.5][0] == pytest.approx(30_618.0)
    assert steps[43.5, 46.5][0] == pytest.approx(30_000.0)
    assert steps[46.5, 47.5][1] > steps[43.5, 46.5][1]


def test_killed_claims_are_labelled_as_implied_shares(drawn: Drawn) -> None:
    figure = drawn["killed_share"]
    assert {"army sources: share", "csis: implied"} <= set(legend(figure.axes[0]))
    assert "claimed killed / posterior median losses" in texts(figure)


def test_the_gap_has_its_zero_line(drawn: Drawn) -> None:
    above, below = drawn["recruits_losses"].axes
    assert {"losses, median", "recruits, median"} <= set(legend(above))
    assert any(np.allclose(line.get_ydata(), 0) and len(line.get_ydata()) for line in below.lines)


def test_only_the_status_quo_has_a_band_after_the_last_month(drawn: Drawn) -> None:
    net, size = drawn["force"].axes
    bands = [c.get_paths()[0].vertices[:, 0].min() for c in net.collections]
    assert sorted(bands) == [0, 0, 47, 47]
    assert sum(name.startswith("scenario: ") for name in legend(size)) == 9
    assert [t.get_text() for t in size.get_xticklabels()][-1] == "2026-07"


def test_priors_and_posteriors_have_a_panel_a_free_assumption_and_list_the_fixed(
    drawn: Drawn,
) -> None:
    figure = drawn["prior_posterior"]
    units = {ax.get_title(): ax.get_xlabel() for ax in figure.axes}
    assert len(figure.axes) == 12
    assert units["losses.level"] == "persons/month"
    assert "force.other_exits = 0 persons/month" in texts(figure)
    assert all(ax.get_xlim()[0] >= 0 for ax in figure.axes)


def test_a_set_in_which_all_is_fixed_has_no_densities(result: xr.DataTree) -> None:
    fixed = result["constant_data"]["assumption_fixed"]
    result["constant_data"]["assumption_fixed"] = xr.ones_like(fixed)
    figure = NAMES["prior_posterior"](result)
    assert figure.axes == []
    assert "of 0 assumptions" in texts(figure)


def test_ranks_cover_the_last_month_and_have_a_line_a_chain(drawn: Drawn) -> None:
    axes = drawn["trace_rank"].axes
    assert axes[0].get_title() == "losses, 2026-01"
    assert "unconfirmed.ratio" in [ax.get_title() for ax in axes]
    assert legend(axes[3]) == ["chain 0", "chain 1"]


def test_ranks_of_a_single_chain_have_an_envelope_in_place_of_a_test(result: xr.DataTree) -> None:
    result["posterior"] = xr.DataTree(result["posterior"].to_dataset().isel(chain=[0]))
    figure = plot_trace_rank(result)
    assert "p: test" not in texts(figure)
    assert "Shaded: where 99 %" in texts(figure)


def test_predictions_collapse_the_dense_series_and_list_all_other_claims(drawn: Drawn) -> None:
    figure = drawn["predictive_claims"]
    axes = {ax.get_label(): ax for ax in figure.axes}
    assert list(axes) == ["series", "ratios", "differences", "shares"]
    assert legend(axes["series"]) == ["general staff ukraine: losses, 47 months"]
    labels = [t.get_text().split()[0] for n in axes for t in axes[n].get_yticklabels()]
    listed = [n for n in labels if n[0] in "PSX"]
    assert len(listed) == len(set(listed)) == 27 + 3
    assert axes["ratios"].get_xscale() == "log"
    figure.draw_without_rendering()
    names = axes["ratios"].get_yticklabels()
    boxes = sorted((t.get_window_extent() for t in names), key=lambda b: b.y0)
    assert len(boxes) > 20
    assert all(upper.y0 >= lower.y1 - 1 for lower, upper in itertools.pairwise(boxes))
