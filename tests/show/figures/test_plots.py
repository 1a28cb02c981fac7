import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from estimator.show import figures as plots
from estimator.show.figures import _style as style

ONE_RESULT = [
    plots.plot_monthly_losses,
    plots.plot_killed_share,
    plots.plot_recruits_losses,
    plots.plot_force,
    plots.plot_prior_posterior,
    plots.plot_trace_rank,
    plots.plot_predictive_claims,
]


def texts(figure: Figure) -> str:
    return "\n".join(t.get_text() for t in figure.texts)


def legend(ax) -> list[str]:
    return [t.get_text() for t in ax.get_legend().get_texts()]


@pytest.mark.parametrize("plot", ONE_RESULT)
def test_every_plot_names_its_set_and_shows_no_failure_when_there_is_none(plot, shared_result):
    figure = plot(shared_result)
    assert "central" in texts(figure)
    assert "diagnostics failed" not in texts(figure)
    assert all(ax.get_xlabel() or ax.get_ylabel() for ax in figure.axes)


@pytest.mark.parametrize("plot", ONE_RESULT)
def test_every_plot_says_in_red_that_diagnostics_failed(plot, failed):
    notes = [t for t in plot(failed).texts if "diagnostics failed" in t.get_text()]
    assert [n.get_text() for n in notes] == ["diagnostics failed: R-hat 1.08 of losses"]
    assert to_hex(notes[0].get_color()).upper() == style.NOTE_RED


def test_a_result_that_does_not_say_that_diagnostics_passed_counts_as_failed(result):
    result.attrs = {}
    assert "diagnostics failed: not recorded" in texts(plots.plot_killed_share(result))


@pytest.mark.parametrize("plot", ONE_RESULT)
def test_no_title_or_note_reaches_beyond_the_figure(plot, failed):
    figure = plot(failed)
    figure.draw_without_rendering()
    width, height = figure.canvas.get_width_height()
    boxes = [t.get_window_extent() for t in figure.texts]
    assert len(boxes) >= 3
    assert all(b.x0 >= 0 and b.x1 <= width and b.y0 >= 0 and b.y1 <= height for b in boxes)


def test_save_plots_writes_png_files_and_leaves_nothing_open(shared_result, tmp_path):
    paths = plots.save_plots(shared_result, tmp_path / "new" / "plots")
    assert {p.stem for p in paths} == {p.__name__.removeprefix("plot_") for p in ONE_RESULT}
    assert all(p.read_bytes().startswith(b"\x89PNG") and p.stat().st_size > 10_000 for p in paths)
    assert plt.get_fignums() == []


def test_save_plots_leaves_out_plots_of_groups_that_are_missing(result, tmp_path, monkeypatch):
    monkeypatch.setattr("estimator.show.figures._files.DPI", 20)
    del result["prior"], result["posterior_predictive"], result["scenarios"]
    stems = {p.stem for p in plots.save_plots(result, tmp_path)}
    assert "force" in stems
    assert not stems & {"prior_posterior", "predictive_claims"}


@pytest.mark.parametrize("plot", ONE_RESULT)
def test_every_plot_draws_a_result_without_any_claim(plot, result):
    data = result["constant_data"].to_dataset()
    for prefix in ("", "confirmed_"):
        data[f"{prefix}used"] = xr.zeros_like(data[f"{prefix}used"])
    result["constant_data"] = xr.DataTree(data)
    assert plot(result).axes


def test_forest_has_a_panel_an_answer_and_a_row_a_set(shared_result, failed):
    figure = plots.plot_forest({"one": shared_result, "two": failed, "three": shared_result})
    assert len(figure.axes) == 6
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["one", "two", "three"]
    y = figure.axes[0].get_yticks()
    assert y[0] > y[1] > y[2]
    assert "diagnostics failed: two: R-hat 1.08 of losses" in texts(figure)
    assert plt.get_fignums() == []


def test_forest_draws_sets_with_other_numbers_of_draws(shared_result, result):
    result["posterior"] = xr.DataTree(result["posterior"].to_dataset().isel(draw=slice(0, 30)))
    figure = plots.plot_forest({"long": shared_result, "short": result})
    medians = [c.get_offsets()[0, 0] for c in figure.axes[0].collections]
    expected = [
        float(np.median(t["posterior"]["losses"].isel(month=-1))) / 1000
        for t in (shared_result, result)
    ]
    assert medians == pytest.approx(expected)


def test_forest_refuses_an_empty_mapping():
    with pytest.raises(ValueError, match="at least one result"):
        plots.plot_forest({})


def test_forest_draws_a_single_set(shared_result):
    assert len(plots.plot_forest({"only": shared_result}).axes) == 6


def test_losses_have_a_monthly_and_a_cumulative_panel_with_units(shared_result):
    above, below = plots.plot_monthly_losses(shared_result).axes
    assert above.get_ylabel() == "thousand persons per month"
    assert below.get_ylabel() == "thousand persons"
    assert above.get_ylim()[0] == below.get_ylim()[0] == 0
    assert below.yaxis.get_major_formatter()(1250.0, 0) == "1,250"


def test_floor_of_a_month_is_a_bold_step_at_its_height_over_its_month(shared_result):
    above = plots.plot_monthly_losses(shared_result).axes[0]
    steps = {
        (round(c.get_segments()[0][0][0], 2), round(c.get_segments()[0][1][0], 2)): c
        for c in above.collections
        if c.get_zorder() == 5
    }
    january = steps[46.5, 47.5]
    assert january.get_segments()[0][0][1] == pytest.approx(30.618)
    quarter = steps[43.5, 46.5]
    assert quarter.get_segments()[0][0][1] == pytest.approx(30.0)
    assert january.get_linewidth()[0] > quarter.get_linewidth()[0]


def test_losses_legend_names_floors_and_used_origins_once(shared_result):
    above, below = plots.plot_monthly_losses(shared_result).axes
    names = legend(above)
    assert len(names) == len(set(names))
    assert {"confirmed floor, one month", "general staff ukraine", "csis"} <= set(names)
    assert "not used" not in names + legend(below)


def test_cumulative_claim_stands_at_its_period_end_inside_the_axis(shared_result):
    below = plots.plot_monthly_losses(shared_result).axes[1]
    points = [tuple(p) for line in below.lines for p in line.get_xydata() if len(line.get_xydata())]
    (x,) = [x for x, y in points if y == 1250.0]
    assert 47.5 < x < below.get_xlim()[1]


def test_killed_claims_are_labelled_as_implied_shares(shared_result):
    figure = plots.plot_killed_share(shared_result)
    assert {"army sources: share", "csis: implied"} <= set(legend(figure.axes[0]))
    assert "claimed killed / posterior median losses" in texts(figure)


def test_gap_panel_has_its_zero_line(shared_result):
    above, below = plots.plot_recruits_losses(shared_result).axes
    assert {"losses, median", "recruits, median"} <= set(legend(above))
    assert any(np.allclose(line.get_ydata(), 0) and len(line.get_ydata()) for line in below.lines)


def test_only_the_status_quo_has_a_band_after_the_last_month(shared_result):
    net, size = plots.plot_force(shared_result).axes
    bands = [c.get_paths()[0].vertices[:, 0].min() for c in net.collections]
    assert sorted(bands) == [0, 0, 47, 47]
    assert sum(name.startswith("scenario: ") for name in legend(size)) == 9
    assert [t.get_text() for t in size.get_xticklabels()][-1] == "2026-07"


def test_prior_posterior_has_a_panel_a_free_assumption_and_lists_the_fixed(shared_result):
    figure = plots.plot_prior_posterior(shared_result)
    units = {ax.get_title(): ax.get_xlabel() for ax in figure.axes}
    assert len(figure.axes) == 11
    assert units["losses.level"] == "persons/month"
    assert "force.other_exits = 0 persons/month" in texts(figure)
    assert all(ax.get_xlim()[0] >= 0 for ax in figure.axes)
    assert figure.legends == []


def test_prior_posterior_draws_a_set_in_which_all_is_fixed(result):
    fixed = result["constant_data"]["assumption_fixed"]
    result["constant_data"]["assumption_fixed"] = xr.ones_like(fixed)
    assert "of 0 assumptions" in texts(plots.plot_prior_posterior(result))


def test_ranks_cover_the_last_month_and_have_a_line_a_chain(shared_result):
    axes = plots.plot_trace_rank(shared_result).axes
    assert axes[0].get_title() == "losses, 2026-01"
    assert "unconfirmed.ratio" in [ax.get_title() for ax in axes]
    assert [t.get_text() for t in axes[3].get_legend().get_texts()] == ["chain 0", "chain 1"]


def test_ranks_of_a_single_chain_have_an_envelope_in_place_of_a_test(result):
    result["posterior"] = xr.DataTree(result["posterior"].to_dataset().isel(chain=[0]))
    figure = plots.plot_trace_rank(result)
    assert "p: test" not in texts(figure)
    assert "Shaded: where 99 %" in texts(figure)


def test_predictive_collapses_the_dense_series_and_lists_all_other_claims(shared_result):
    axes = {ax.get_label(): ax for ax in plots.plot_predictive_claims(shared_result).axes}
    assert list(axes) == ["series", "ratios", "differences", "shares"]
    assert legend(axes["series"]) == ["general staff ukraine: losses, 47 months"]
    labels = [t.get_text().split()[0] for n in axes for t in axes[n].get_yticklabels()]
    listed = [n for n in labels if n[0] in "PSX"]
    assert len(listed) == len(set(listed)) == 27 + 3
    assert axes["ratios"].get_xscale() == "log"


def test_predictive_labels_do_not_overlap(shared_result):
    figure = plots.plot_predictive_claims(shared_result)
    figure.draw_without_rendering()
    ratios = figure.axes[1]
    boxes = sorted((t.get_window_extent() for t in ratios.get_yticklabels()), key=lambda b: b.y0)
    assert len(boxes) > 20
    assert all(upper.y0 >= lower.y1 - 1 for lower, upper in itertools.pairwise(boxes))
