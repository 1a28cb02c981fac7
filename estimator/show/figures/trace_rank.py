"""Whether the chains agree: ranks of a handful of quantities."""

from __future__ import annotations

from typing import Any, cast

import arviz as az
import matplotlib.pyplot as plt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from estimator.show.figures import _axes as axes
from estimator.show.figures import _look as style
from estimator.show.figures._months import Months

COLUMNS = 4
ASSUMPTIONS = (
    "unconfirmed.ratio",
    "losses.step",
    "killed_share.level",
    "returns.rate",
    "recruitment.level",
)
# plot_rank marks what deviates at this level; 0.9 would raise a false alarm in every tenth panel.
TEST_PROB = 0.99
DRAWS = 200  # of each chain, evenly spaced: the test takes them to be independent
_TEST = f"p: test of equal ranks, suspicious below {1 - TEST_PROB:.2f}; marked points drive it."
_ENVELOPE = f"Shaded: where {100 * TEST_PROB:.0f} % of uniform ranks lie."


def plot_trace_rank(result: xr.DataTree) -> Figure:
    """Plot the rank deviations (Δ-ECDF) of each chain for what the answers rest on.

    Chains that sample the same distribution have uniform ranks, so that their lines stay near 0.
    ArviZ tests it and marks suspicious points; no ranges are drawn.

    Parameters
    ----------
    result
        Uses `losses`, `killed_share`, `net_change` and the free ones of `ASSUMPTIONS` in
        `posterior`, and `sample_stats.diverging` if it is there.

    Returns
    -------
    matplotlib.figure.Figure
        One axes a quantity.
    """
    quantities = _quantities(result)
    names = list(quantities.data_vars)
    chains = quantities.sizes["chain"]
    rows = -(-len(names) // COLUMNS)
    collection = az.plot_rank(
        xr.DataTree.from_dict({"posterior": quantities}),
        method="mtc_c" if chains > 1 else "envelope",  # the test compares chains
        envelope_prob=TEST_PROB,
        backend="matplotlib",
        visuals={"title": False, "xlabel": False, "remove_axis": False},
        color=[style.color_of(i) for i in range(chains)],
        col_wrap=COLUMNS,
        figure_kwargs={
            "figsize": (style.PAPER.width, 2.1 * rows + 1.0),
            "figsize_units": "inches",
        },
    )
    figure, panels = _taken_out(collection, [str(name) for name in names])
    for i, (name, ax) in enumerate(zip(names, panels, strict=True)):
        axes.tidy(ax)
        ax.set_title(str(name), fontsize=style.TEXT_SIZE)
        ax.axhline(0, color=style.GREY, linewidth=0.6)
        ax.set_xlabel("rank (share of draws)", fontsize=style.SMALL_SIZE)
        ax.tick_params(labelsize=style.SMALL_SIZE, labelbottom=True)
        ax.set_ylabel("Δ ECDF" if i % COLUMNS == 0 else "", fontsize=style.SMALL_SIZE)
        for text in ax.texts:
            text.set_fontsize(style.SMALL_SIZE)
    handles = [
        Line2D([], [], color=style.color_of(i), label=f"chain {c}")
        for i, c in enumerate(quantities["chain"].values)
    ]
    axes.legend(panels[min(COLUMNS, len(panels)) - 1], handles=handles)
    return style.frame_result(
        figure,
        result,
        f"Ranks of {len(names)} quantities in {chains} chains: lines near zero mean that the "
        f"chains agree{_divergences(result)}",
        notes=[_TEST] if chains > 1 else [_ENVELOPE],
        ranges="no ranges in this plot",
    )


def _taken_out(collection: Any, names: list[str]) -> tuple[Figure, list[Axes]]:
    """Take ArviZ's figure out of pyplot, which would keep it open; its axes in the order of names.

    ArviZ adds axes that have nothing to show; they go.
    """
    figure = cast(Figure, collection.viz["figure"].item())
    plt.close(figure)
    plots = collection.viz["plot"].to_dataset()
    panels = [plots[name].item() for name in names]
    for ax in figure.axes:
        if ax not in panels:
            ax.remove()
    return figure, panels


def _quantities(result: xr.DataTree) -> xr.Dataset:
    """Collect scalar quantities of the posterior under the titles that they get."""
    posterior = style.group(result, "posterior")
    posterior = posterior.isel(draw=slice(None, None, -(-posterior.sizes["draw"] // DRAWS)))
    last = Months.of(result).last
    chosen = {
        f"losses, {last}": posterior["losses"].sel(month=last),
        "losses, all months": posterior["losses"].sum("month"),
        f"killed share, {last}": posterior["killed_share"].sel(month=last),
        f"net change, {last}": posterior["net_change"].sel(month=last),
    }
    values = posterior["assumption_value"]
    fixed = style.group(result, "constant_data")["assumption_fixed"].values.astype(bool)
    free = set(values["assumption"].values[~fixed].astype(str))
    chosen |= {n: values.sel(assumption=n) for n in ASSUMPTIONS if n in free}
    return xr.Dataset({name: array.reset_coords(drop=True) for name, array in chosen.items()})


def _divergences(result: xr.DataTree) -> str:
    if "sample_stats" not in result.children:
        return ""
    count = int(style.group(result, "sample_stats")["diverging"].sum())
    return f"; {count} divergences"
