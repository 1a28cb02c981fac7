"""Plots of results: every function takes a result (or several) and returns a figure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

from estimator.show.figures._files import save_figure
from estimator.show.figures.comparison import plot_comparison
from estimator.show.figures.fans import plot_fans
from estimator.show.figures.force import plot_force
from estimator.show.figures.forest import plot_forest
from estimator.show.figures.killed_share import plot_killed_share
from estimator.show.figures.monthly_losses import plot_monthly_losses
from estimator.show.figures.predictive_claims import plot_predictive_claims
from estimator.show.figures.prior_posterior import plot_prior_posterior
from estimator.show.figures.recruits_losses import plot_recruits_losses
from estimator.show.figures.ridge import plot_ridge
from estimator.show.figures.trace_rank import plot_trace_rank

__all__ = [
    "plot_comparison",
    "plot_fans",
    "plot_force",
    "plot_forest",
    "plot_killed_share",
    "plot_monthly_losses",
    "plot_predictive_claims",
    "plot_prior_posterior",
    "plot_recruits_losses",
    "plot_ridge",
    "plot_trace_rank",
    "save_figure",
    "save_plots",
]

# File name, function, and the groups without which the plot is left out.
_PLOTS: tuple[tuple[str, Callable[[xr.DataTree], Figure], tuple[str, ...]], ...] = (
    ("monthly_losses", plot_monthly_losses, ()),
    ("killed_share", plot_killed_share, ()),
    ("recruits_losses", plot_recruits_losses, ()),
    ("force", plot_force, ()),
    ("prior_posterior", plot_prior_posterior, ("prior",)),
    ("trace_rank", plot_trace_rank, ()),
    ("predictive_claims", plot_predictive_claims, ("posterior_predictive",)),
)


def save_plots(result: xr.DataTree, folder: Path) -> list[Path]:
    """Write every plot of one result as a PNG.

    Parameters
    ----------
    result
        A result in ArviZ's convention. Plots of groups that it lacks are left out.
    folder
        Made if it is not there; files of the same names are overwritten.

    Returns
    -------
    list of pathlib.Path
        The files written.
    """
    written = []
    for name, plot, groups in _PLOTS:
        if all(group in result.children for group in groups):
            written += save_figure(plot(result), folder, name, formats=("png",))
    return written
