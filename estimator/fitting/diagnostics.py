"""Whether draws can be trusted: R-hat, effective sample sizes and divergences against bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from estimator.assumptions.fit_options import Bounds
from estimator.assumptions.groups import SamplerOptions
from estimator.fitting.convergence import Convergence, convergence


@dataclass(frozen=True)
class Diagnostics:
    """Whether the draws of one set can be trusted.

    Attributes
    ----------
    max_rhat, min_ess_bulk, min_ess_tail
        The worst over all quantities that are reported.
    worst
        Name of the quantity with the worst of each.
    divergences
        Number of divergent transitions after warm-up.
    failures
        One sentence for each bound that was missed; empty if all hold.
    """

    max_rhat: float
    min_ess_bulk: float
    min_ess_tail: float
    worst: dict[str, str]
    divergences: int
    failures: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether every bound holds."""
        return not self.failures


def diagnose(quantities: xr.Dataset, stats: xr.Dataset, options: SamplerOptions) -> Diagnostics:
    """Check R-hat, bulk and tail ESS of the reported quantities, and divergences.

    Parameters
    ----------
    quantities
        Draws of what is reported (chain, draw, ...); constant entries are skipped.
    stats
        Sample statistics with `diverging` (chain, draw).
    options
        The bounds.

    Notes
    -----
    Vehtari and others (2021), "Rank-normalization, folding, and localization: an improved R-hat",
    Bayesian Analysis 16(2).
    """
    divergences = int(stats["diverging"].sum())
    if options.method == "prior":
        return Diagnostics(1.0, np.inf, np.inf, {}, 0, ())
    names, draws = varying_entries(quantities)
    return verdict(convergence(draws), names, divergences, options)


def verdict(
    measured: Convergence, names: Sequence[str], divergences: int, bounds: Bounds
) -> Diagnostics:
    """Hold measures of convergence against the bounds.

    Parameters
    ----------
    measured
        R-hat and effective sample sizes of every quantity that is reported and not constant.
    names
        Names of these quantities.
    divergences
        Number of divergent transitions.
    bounds
        The bounds.
    """
    worst = {
        "max_rhat": names[int(np.argmax(measured.rhat))],
        "min_ess_bulk": names[int(np.argmin(measured.ess_bulk))],
        "min_ess_tail": names[int(np.argmin(measured.ess_tail))],
    }
    rhat = float(measured.rhat.max())
    sizes = {"bulk": float(measured.ess_bulk.min()), "tail": float(measured.ess_tail.min())}
    failures = []
    if not rhat <= bounds.max_rhat:
        failures.append(f"R-hat {rhat:.3f} > {bounds.max_rhat} ({worst['max_rhat']})")
    for name, size in sizes.items():
        if not size >= bounds.min_ess:
            where = worst[f"min_ess_{name}"]
            failures.append(f"{name} ESS {size:.0f} < {bounds.min_ess:.0f} ({where})")
    if divergences > bounds.max_divergences:
        failures.append(f"{divergences} divergences > {bounds.max_divergences}")
    return Diagnostics(rhat, sizes["bulk"], sizes["tail"], worst, divergences, tuple(failures))


def shortfall(diagnostics: Diagnostics, bounds: Bounds) -> float:
    """How many times its bound the worst diagnostic reaches: at most 1 if all hold.

    R-hat counts from 1 on, effective sample sizes by their inverse, divergences with one more.
    """
    size = min(diagnostics.min_ess_bulk, diagnostics.min_ess_tail)
    ratios = (
        (diagnostics.max_rhat - 1.0) / (bounds.max_rhat - 1.0),
        bounds.min_ess / size if size > 0 else np.inf,
        (1 + diagnostics.divergences) / (1 + bounds.max_divergences),
    )
    return float(np.nan_to_num(ratios, nan=np.inf).max())


def varying_entries(quantities: xr.Dataset) -> tuple[list[str], np.ndarray]:
    """Names and draws (entry, chain, draw) of all entries that are not constant."""
    columns, labels = [], []
    for name, variable in quantities.items():
        others = [dim for dim in variable.dims if dim not in ("chain", "draw")]
        stacked = variable.transpose(*others, "chain", "draw")
        flat = stacked.values.reshape(-1, *stacked.shape[len(others) :])
        names = [""]
        for dim in others:
            names = [f"{a},{b}" if a else str(b) for a in names for b in variable[dim].values]
        moving = np.ptp(flat, axis=(1, 2)) > 0
        columns.append(flat[moving])
        labels += [f"{name}[{label}]" for label, keep in zip(names, moving, strict=True) if keep]
    return labels, np.concatenate(columns)
