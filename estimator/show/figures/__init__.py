"""Pictures: every function takes results or tidy tables and returns a figure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

from estimator.show.figures.files import save_figure, save_figures
from estimator.show.figures.force import plot_force
from estimator.show.figures.forest import plot_forest
from estimator.show.figures.killed_share import plot_killed_share
from estimator.show.figures.monthly_losses import plot_monthly_losses
from estimator.show.figures.predictive_claims import plot_predictive_claims
from estimator.show.figures.prior_posterior import plot_prior_posterior
from estimator.show.figures.recruits_losses import plot_recruits_losses
from estimator.show.figures.trace_rank import plot_trace_rank

__all__ = ["OF_A_RESULT", "plot_forest", "save_figure", "save_figures", "save_plots"]

OF_A_RESULT: dict[Callable[[xr.DataTree], Figure], tuple[str, ...]] = {
    plot_monthly_losses: (),
    plot_killed_share: (),
    plot_recruits_losses: (),
    plot_force: (),
    plot_prior_posterior: ("prior",),
    plot_trace_rank: (),
    plot_predictive_claims: ("posterior_predictive",),
}
"""Pictures of one result, and the groups without which a picture is left out.

A picture's file is named after its function.
"""


def save_plots(result: xr.DataTree, folder: Path) -> list[Path]:
    """Write every picture of one result as a PNG.

    Parameters
    ----------
    result
        A result in ArviZ's convention. Pictures of groups that it lacks are left out.
    folder
        Made if it is not there; files of the same names are overwritten.

    Returns
    -------
    list of pathlib.Path
        The files written.
    """
    figures = (
        (plot.__name__.removeprefix("plot_"), plot(result))
        for plot, groups in OF_A_RESULT.items()
        if all(group in result.children for group in groups)
    )
    return save_figures(figures, folder, formats=("png",))
