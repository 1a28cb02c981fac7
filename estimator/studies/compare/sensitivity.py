"""Within a set: how far each posterior moved from its prior, and whether prior or claims moved it.

Power-scaling (Kallioinen and others 2024, Stat. Comput. 34:57) raises one prior, or the likelihood,
to a power near 1 and tells how far a posterior then moves, from the draws at hand (ArviZ's psense).
A prior is raised on the scale on which it is normal, so that its middle stays where it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import logit

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.assumptions.priors import LINKS, Prior
from estimator.assumptions.reporting import reporting_unit
from estimator.errors import OutputError
from estimator.model.figures import reporting_size
from estimator.model.hyperparameters import sources_of
from estimator.quantities.answers import Answer, answer_draws
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
_GRID = (np.arange(4000) + 0.5) / 4000
_LEAST_CONTRACTION = 0.01  # below it is noise
_SMALLEST = 1e-12  # an assumption at 0 or 1 has no log or log odds


@dataclass(frozen=True)
class _Parameter:
    """One number with a prior, and its posterior draws.

    Attributes
    ----------
    draws
        In the unit of the prior. (chain, draw).
    link
        identity, exp or sigmoid: the scale on which prior and posterior are compared. A family of
        `LINKS` is normal on it.
    sign
        -1 where the prior is of an undercount, which is minus the bias.
    """

    name: str
    unit: str
    prior: Prior
    draws: np.ndarray
    link: str
    sign: float = 1.0

    @property
    def linear(self) -> np.ndarray:
        """Draws on the link scale, rising with the draws. (chain, draw)."""
        return self.sign * _linear(self.sign * self.draws, self.link)

    @property
    def log_prior(self) -> np.ndarray:
        """Log density of the prior, up to a constant. (chain, draw)."""
        if self.prior.family in LINKS:
            location, scale = self.prior_moments()
            return np.asarray(-0.5 * ((self.linear - location) / scale) ** 2)
        return np.asarray(self.prior.distribution().logpdf(self.sign * self.draws))

    def prior_quantile(self, probability: float) -> float:
        """Quantile of the prior, in the direction of the draws."""
        if self.sign < 0:
            return -self.prior.quantile(1.0 - probability)
        return self.prior.quantile(probability)

    def prior_moments(self) -> tuple[float, float]:
        """Mean and standard deviation of the prior on the link scale."""
        if self.prior.family in LINKS:
            location, scale = self.prior.location_scale()
            return self.sign * location, scale
        linear = _linear(np.asarray(self.prior.distribution().ppf(_GRID)), self.link)
        return float(linear.mean()), float(linear.std())


def _linear(values: np.ndarray, link: str) -> np.ndarray:
    match link:
        case "exp":
            return np.asarray(np.log(np.maximum(values, _SMALLEST)))
        case "sigmoid":
            return np.asarray(logit(np.clip(values, _SMALLEST, 1.0 - _SMALLEST)))
    return values


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
    parameters = list(_parameters(tree))
    free = {p.name: p.draws for p in parameters if not p.prior.is_fixed}
    likelihood = _log_likelihood(tree)
    claims = _sensitivity(likelihood.values, _at_draws_of(likelihood, tree, free))
    rows, moved = [], []
    for parameter in parameters:
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


def _parameters(tree: xr.DataTree) -> Iterator[_Parameter]:
    assumptions = AssumptionSet.from_config(
        json.loads(tree.attrs["configuration"]), label=str(tree.attrs["assumption_set"])
    )
    posterior = tree["posterior"].to_dataset()
    values = posterior["assumption_value"].transpose("assumption", "chain", "draw")
    for key, prior in assumptions.priors():
        spec = ASSUMPTIONS[key]
        link = "sigmoid" if spec.support == "share" else "exp"
        yield _Parameter(key, spec.unit, prior, values.sel(assumption=key).values, link)
    constant = tree["constant_data"].to_dataset()
    speakers = sources_of(constant)
    counted = set(constant["source"].values[constant["used"].values.astype(bool)].tolist())
    for source in posterior["source"].values.tolist():
        if source not in counted:
            continue
        origin, quantity = source.rsplit(":", 1)
        reporting = assumptions.reporting.of(origin, quantity)
        unit = reporting_unit(quantity)
        bias, drift = (
            posterior[name].sel(source=source).transpose("chain", "draw").values
            * reporting_size(quantity)
            for name in ("reporting_bias", "reporting_drift")
        )
        name = f"reporting_bias[{source}]"
        if assumptions.reporting.shared(origin, quantity, speakers.get(source, "")) is not None:
            pass  # drawn around the mean of its group: see below
        elif reporting.bias is not None:
            yield _Parameter(name, unit, reporting.bias, bias, "identity")
        elif reporting.undercount is not None:
            yield _Parameter(name, unit, reporting.undercount, bias, "exp", -1.0)
        if not reporting.drift.is_fixed:
            name = f"reporting_drift[{source}]"
            yield _Parameter(name, f"{unit}/year", reporting.drift, drift, "identity")
    yield from _shared(posterior, assumptions)


def _shared(posterior: xr.Dataset, assumptions: AssumptionSet) -> Iterator[_Parameter]:
    """Means and spreads that the biases of one kind of speaker share."""
    hierarchy = {str(name): table for name, table in assumptions.reporting.hierarchy.items()}
    for group in posterior["bias_group"].values.tolist() if "bias_group" in posterior else ():
        speaker, quantity = group.split(":", 1)
        shared = hierarchy[speaker][quantity]
        unit = reporting_unit(quantity)
        for term, prior, link in (
            ("mean", shared.mean, "identity"),
            ("spread", shared.spread, "exp"),
        ):
            name = f"shared_bias_{term}"
            draws = posterior[name].sel(bias_group=group).transpose("chain", "draw").values
            yield _Parameter(
                f"{name}[{group}]", unit, prior, draws * reporting_size(quantity), link
            )


def _log_likelihood(tree: xr.DataTree) -> xr.DataArray:
    """Log likelihood of all claims together, at the draws of which it is kept. (chain, draw)."""
    if "log_likelihood" not in tree.children:
        raise OutputError(f"{tree.attrs['assumption_set']}: holds no log likelihood")
    group = tree["log_likelihood"].to_dataset()
    parts = [
        variable.sum([dim for dim in variable.dims if dim not in ("chain", "draw")], dtype=float)
        for variable in group.values()
    ]
    total = np.sum([part.transpose("chain", "draw").values for part in parts], axis=0)
    coords = {dim: group[dim].values for dim in ("chain", "draw")}
    return xr.DataArray(total, coords, ("chain", "draw"))


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
    parameter: _Parameter, own: float | None, claims: float | None, options: CompareOptions
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
