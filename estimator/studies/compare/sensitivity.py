"""Within a set: how far each posterior moved from its prior, and whether prior or claims moved it.

Power-scaling (Kallioinen and others 2024, Stat. Comput. 34:57) raises one prior, or the likelihood,
to a power near 1 and tells how far a posterior then moves, from the draws at hand (ArviZ's psense).
A prior is raised on the scale on which it is normal, so that its middle stays where it is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from estimator.errors import OutputError
from estimator.quantities.answers import Answer, answer_draws
from estimator.quantities.parameters import Parameter, parameters
from estimator.studies.compare.options import CompareOptions

COLUMNS = (
    "assumption_set",
    "parameter",
    "unit",
    "prior_q05",
    "prior_q50",
    "prior_q95",
    "posterior_q05",
    "posterior_q50",
    "posterior_q95",
    "contraction",
    "shift",
    "prior_sensitivity",
    "likelihood_sensitivity",
    "verdict",
)
ANSWER_COLUMNS = ("assumption_set", "answer", "unit", "parameter", "sensitivity")
GROUPS = ("posterior", "log_likelihood", "constant_data")
"""Groups of a result that are used."""
_QUANTILES = {"q05": 0.05, "q50": 0.5, "q95": 0.95}
_LEAST_CONTRACTION = 0.01  # below it is noise


def prior_or_data(
    tree: xr.DataTree, answers: Sequence[Answer] = (), options: CompareOptions | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Say whether prior or claims decided each assumption and bias of a set, and each answer.

    Parameters
    ----------
    tree
        Result of a set; groups `GROUPS` are used.
    answers
        Of which the posterior is watched; a probability is left out.
    options
        Thresholds; None: the shipped ones.

    Returns
    -------
    decided : pandas.DataFrame
        Columns `COLUMNS`; a row for each scalar assumption, each bias of a source that counts, and
        each drift that is not fixed. `contraction` is 1 less the ratio of the variances, `shift`
        the distance of the means in standard deviations of the prior, both on the scale on which
        the prior is (about) normal. Verdicts:

        - data, prior: the posterior hangs on the one and not on the other
        - both: on both, or on neither more than on the other
        - prior-data conflict: on both, and the claims lie far from the prior
        - fixed: held at one value

        It hangs on the prior if it is sensitive to it; on the claims if it moved and either is
        sensitive to them or narrower than the prior by half.
    sensitivity : pandas.DataFrame
        Columns `ANSWER_COLUMNS`, the largest first within an answer: how far the answer's posterior
        moves if the parameter's prior is raised to a power near 1.

    Raises
    ------
    OutputError
        If the set has no log likelihood.

    Notes
    -----
    Where prior and likelihood are normal, the claims' own estimate lies
    ``shift / sqrt(contraction)`` standard deviations (of prior and claims together) from the
    prior's middle.
    """
    options = CompareOptions.default() if options is None else options
    label = str(tree.attrs["assumption_set"])
    draws = _answers(tree, answers)
    all_of_them = list(parameters(tree))
    free = {p.name: p.draws for p in all_of_them if not p.prior.is_fixed}
    likelihood = _log_likelihood(tree)
    claims = _sensitivity(likelihood.values, _at_draws_of(likelihood, tree, free))
    rows, moved = [], []
    for parameter in all_of_them:
        own: dict[str, float] = {}
        if parameter.name in free:
            named = {str(answer): values for answer, values in draws.items()}
            own = _sensitivity(parameter.log_prior, {parameter.name: parameter.draws} | named)
            moved += [
                (label, str(answer), answer.unit, parameter.name, own[str(answer)])
                for answer in draws
            ]
        row = _row(parameter, own.get(parameter.name), claims.get(parameter.name), options)
        rows.append({"assumption_set": label, **row})
    table = pd.DataFrame(moved, columns=list(ANSWER_COLUMNS))
    order = {str(answer): n for n, answer in enumerate(draws)}
    by_answer = table["answer"].map(order).to_numpy(dtype=float)
    place = np.lexsort([-table["sensitivity"].to_numpy(dtype=float), by_answer])
    return pd.DataFrame(rows, columns=list(COLUMNS)), table.iloc[place].reset_index(drop=True)


def _answers(tree: xr.DataTree, answers: Sequence[Answer]) -> dict[Answer, np.ndarray]:
    """Draws of the answers that a set has and that are no probabilities. (chain, draw) each."""
    asked = [answer for answer in answers if not answer.below_zero]
    if not asked:
        return {}
    draws = answer_draws(tree["posterior"].to_dataset(), asked)
    return {
        answer: values
        for answer, values in zip(asked, draws, strict=True)
        if np.isfinite(values).all() and np.ptp(values) > 0
    }


def _log_likelihood(tree: xr.DataTree) -> xr.DataArray:
    """Log likelihood of all claims together, at the draws of which it is kept. (chain, draw)."""
    if "log_likelihood" not in tree.children:
        raise OutputError(f"{tree.attrs['assumption_set']}: holds no log likelihood")
    published = tree["log_likelihood"]["published"]
    return published.sum("figure", dtype=float).transpose("chain", "draw")


def _at_draws_of(
    likelihood: xr.DataArray, tree: xr.DataTree, draws: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Pick the draws that the likelihood was kept of: of thousands of claims not all."""
    every = tree["posterior"].to_dataset()["draw"].values
    if len(every) == likelihood.sizes["draw"]:
        return draws
    kept = np.isin(every, likelihood["draw"].values)
    return {name: values[:, kept] for name, values in draws.items()}


def _sensitivity(log_density: np.ndarray, draws: dict[str, np.ndarray]) -> dict[str, float]:
    """How far the posterior of each of some draws moves if a density is power-scaled.

    All arrays (chain, draw).
    """
    import arviz_stats

    still = dict.fromkeys(draws, 0.0)
    moving = {name: values for name, values in draws.items() if np.ptp(values) > 0}
    if not moving or np.ptp(log_density) == 0:  # a uniform density is to any power the same
        return still
    if not np.isfinite(log_density).all():  # draws of the prior, which some claims rule out
        return still | dict.fromkeys(moving, float("nan"))
    dims = ("chain", "draw")
    names = {f"v{n}": name for n, name in enumerate(moving)}
    data = xr.DataTree.from_dict(
        {
            "/posterior": xr.Dataset({v: (dims, moving[name]) for v, name in names.items()}),
            "/log_prior": xr.Dataset({"density": (dims, log_density)}),
        }
    )
    found = arviz_stats.psense(data, group="prior")
    return still | {name: float(found[v]) for v, name in names.items()}


def _row(
    parameter: Parameter, own: float | None, claims: float | None, options: CompareOptions
) -> dict[str, object]:
    posterior = np.quantile(parameter.draws, list(_QUANTILES.values()))
    row: dict[str, object] = {"parameter": parameter.name, "unit": parameter.unit}
    row |= {f"prior_{n}": parameter.prior_quantile(p) for n, p in _QUANTILES.items()}
    row |= {f"posterior_{n}": float(q) for n, q in zip(_QUANTILES, posterior, strict=True)}
    if own is None or claims is None:
        return row | {"verdict": "fixed"}
    mean, sd = parameter.prior_moments()
    contraction = 1.0 - float(parameter.linear.var()) / sd**2
    shift = (float(parameter.linear.mean()) - mean) / sd
    return row | {
        "contraction": contraction,
        "shift": shift,
        "prior_sensitivity": own,
        "likelihood_sensitivity": claims,
        "verdict": _verdict(own, claims, contraction, shift, options),
    }


def _verdict(
    own: float, claims: float, contraction: float, shift: float, options: CompareOptions
) -> str:
    told = contraction >= options.told_contraction or abs(shift) >= options.told_shift
    by_prior = own >= options.sensitivity
    by_claims = told and (claims >= options.sensitivity or contraction >= options.halved)
    if by_prior and by_claims:
        distance = abs(shift) / np.sqrt(max(contraction, _LEAST_CONTRACTION))
        return "prior-data conflict" if distance > options.conflict else "both"
    if by_prior or not told:
        return "prior"
    return "data" if by_claims else "both"
