"""Draws of one fit as the audit needs them, and weighted statistics of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import ndtr

from estimator.assumptions import AssumptionSet
from estimator.errors import OutputError
from estimator.evidence import Evidence
from estimator.fitting.smoothing import weighted_quantiles
from estimator.model.claim_density import log_densities
from estimator.model.figures import FIGURES, OPEN_END, USED, confirmed_states, in_units
from estimator.model.forward import by_key, confirmed_figure, confirmed_totals
from estimator.quantities.answers import Answer, answer_draws
from estimator.store.claim_draws import with_locations

RANGE = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class AuditedSet:
    """One whole result, as the audit takes it.

    Attributes
    ----------
    label
        Of the set.
    tree
        The result.
    assumptions, evidence
        Rebuilt from the result itself.
    """

    label: str
    tree: xr.DataTree
    assumptions: AssumptionSet
    evidence: Evidence

    @classmethod
    def of(cls, label: str, tree: xr.DataTree) -> AuditedSet:
        """Rebuild configuration and evidence from what the result carries.

        Raises
        ------
        OutputError
            If an older version wrote it.
        """
        assumptions = AssumptionSet.from_config(
            json.loads(tree.attrs["configuration"]), label=label
        )
        data = tree["constant_data"].to_dataset()
        if "evidence_group" not in data:
            raise OutputError(
                f"{label}: its claims have no evidence groups; estimate the run again: it is of an "
                "older version"
            )
        return cls(
            label, tree, assumptions, Evidence(pd.DataFrame(), data, str(tree.attrs["data_hash"]))
        )

    @property
    def data(self) -> xr.Dataset:
        """Claims and confirmed claims, all that lie inside the window."""
        return self.evidence.dataset

    @property
    def used(self) -> np.ndarray:
        """Which claims count. (claim,), bool."""
        return np.asarray(self.data["used"].values, dtype=bool)

    @property
    def floors_used(self) -> np.ndarray:
        """Which confirmed claims count. (confirmed_claim,), bool."""
        return np.asarray(self.data["confirmed_used"].values, dtype=bool)

    def figures(self, row: str) -> np.ndarray:
        """One row of the claims' figures on their scales (see `FIGURES`). (claim,)."""
        return np.asarray(self.data["figures"].values[FIGURES.index(row)])

    @cached_property
    def posterior(self) -> xr.Dataset:
        """Draws of the set with all its claims."""
        return self.tree["posterior"].to_dataset()

    @cached_property
    def located(self) -> xr.Dataset:
        """The draws of which `claim_location` is kept, with it: of many claims not all draws."""
        return with_locations(self.tree)


class Basis:
    """Draws of one fit: where each claim's report would lie, confirmed figures, answers.

    Parameters
    ----------
    audited
        The set.
    draws
        `AuditedSet.located`, or draws that a fit kept (`estimator.sweep.set_fit.CORE` and
        claim_location).
    answers
        On which influence is told.
    """

    def __init__(self, audited: AuditedSet, draws: xr.Dataset, answers: Sequence[Answer]) -> None:
        self.audited = audited
        self._draws = draws
        self.n_draws = draws.sizes["chain"] * draws.sizes["draw"]
        self.answers = answer_draws(draws, answers).reshape(len(answers), self.n_draws)

    def _flat(self, name: str) -> np.ndarray:
        """(draw, ...)."""
        variable = self._draws[name]
        rest = [dim for dim in variable.dims if dim not in ("chain", "draw")]
        values = variable.transpose("chain", "draw", *rest).values.astype(float)
        return values.reshape(self.n_draws, *values.shape[2:])

    @cached_property
    def location(self) -> np.ndarray:
        """Where the report of each claim lies without noise. (draw, claim)."""
        return np.ascontiguousarray(self._flat("claim_location"))

    def watched_claim(self, claim: int) -> xr.Dataset:
        """Draws that a verdict on a claim and its influence rest on."""
        location = self._draws["claim_location"].isel(claim=claim, drop=True)
        return self.watched_answers().assign(location=location.reset_coords(drop=True))

    def watched_floor(self, claim: int) -> xr.Dataset:
        """Do the same for a confirmed claim."""
        whole, log_ratio, spread = self._floor
        shape = (self._draws.sizes["chain"], self._draws.sizes["draw"])
        parts = {"whole": whole[:, claim], "log_ratio": log_ratio[:, 0], "spread": spread[:, 0]}
        dims = ("chain", "draw")
        return self.watched_answers().assign(
            {n: (dims, v.reshape(shape)) for n, v in parts.items()}
        )

    def watched_answers(self) -> xr.Dataset:
        """Draws of the answers alone."""
        shape = (self._draws.sizes["chain"], self._draws.sizes["draw"])
        rows = {f"answer {n}": row.reshape(shape) for n, row in enumerate(self.answers)}
        return xr.Dataset({name: (("chain", "draw"), row) for name, row in rows.items()})

    @cached_property
    def log_density(self) -> np.ndarray:
        """Log density of each claim's figure, 0 where it does not count. (draw, claim)."""
        data = self.audited.data
        figures = np.ascontiguousarray(data["figures"].values)
        densities = log_densities(data["figure"].values, figures, self.location)
        return np.asarray(figures[USED] * densities)

    @cached_property
    def _floor(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """True figure of each confirmed period less what is false, log typical ratio, spread.

        The first is S / (1 - false_confirmation). (draw, confirmed_claim), (draw, 1), (draw, 1).
        """
        data = self.audited.data
        values = self._draws["assumption_value"]
        values = values.transpose("chain", "draw", "assumption")
        flat = values.stack(draws=("chain", "draw"), create_index=False)
        total = confirmed_totals(
            self._flat("losses"),
            self._flat("killed_share"),
            by_key(flat),
            data["confirmed_weight"].values,
            confirmed_states(data, self.audited.assumptions),
        )
        keys = ("confirmed.false_confirmation", "unconfirmed.ratio", "unconfirmed.spread")
        false, ratio, spread = (
            values.sel(assumption=key).transpose("chain", "draw").values.reshape(-1, 1)
            for key in keys
        )
        return total / (1.0 - false), np.log(ratio), spread

    def predicted(
        self, claim: int, weights: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, float]:
        """Say what the origin of a claim would report, and how far out its figure is.

        Parameters
        ----------
        claim
            Position among the claims.
        weights
            Of the draws; sum to 1. (draw,).
        rng
            For the noise of the report.

        Returns
        -------
        range, tail_probability
            5 %, 50 % and 95 % in the claim's unit. The probability is two-sided; of a claim that
            is open on one side that of its own side.
        """
        noise = self.audited.figures("noise")[claim]
        report = self.location[:, claim] + noise * rng.standard_normal(self.n_draws)
        found = weighted_quantiles(report, weights, RANGE)
        scale = str(self.audited.data["claim_scale"].values[claim])
        return in_units(found[:, None], [scale])[:, 0], self.tail_probability(claim, weights)

    def tail_probability(self, claim: int, weights: np.ndarray) -> float:
        """How far out a claim's figure is (see `predicted`)."""
        audited = self.audited
        if audited.figures("is_point")[claim] > 0:
            ends = (float(audited.data["figure"].values[claim]),) * 2
        else:
            ends = (audited.figures("lower")[claim], audited.figures("upper")[claim])
        noise = audited.figures("noise")[claim]
        return tail_probability(self.location[:, claim], noise, *ends, weights)

    def predicted_confirmed(
        self, claim: int, weights: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, float]:
        """Do the same for a confirmed claim; persons."""
        whole, log_ratio, spread = self._floor
        figure = float(self.audited.data["confirmed_floor"].values[claim])
        noise = rng.standard_normal(self.n_draws)
        report = confirmed_figure(whole[:, claim], 1.0, log_ratio[:, 0], spread[:, 0], noise)
        width = self.audited.data["confirmed_rounding"].values[claim]
        rounded_off = rng.uniform(-1.0, 1.0, (self.n_draws, len(width))) @ width
        report = report - rounded_off
        # The report is at most `figure` where the ratio is at least this.
        least = np.maximum(whole[:, claim] / (figure + rounded_off) - 1.0, 1e-300)
        z = (np.log(least) - log_ratio[:, 0]) / spread[:, 0]
        at_most = float(weights @ ndtr(-z))
        tail = min(1.0, 2.0 * min(at_most, 1.0 - at_most))
        return weighted_quantiles(report, weights, RANGE), tail


def tail_probability(
    location: np.ndarray, noise: float, lower: float, upper: float, weights: np.ndarray
) -> float:
    """How probable it is that a report lies at least as far out as the claim says.

    Twice the smaller one of P(report <= upper) and P(report >= lower), at most 1; where one end is
    open, the probability of the other alone. For a point both ends are its figure; its tail
    probability is uniform if the claim is like the others, that of an interval is larger.

    Parameters
    ----------
    location
        Of the report without noise. (draw,).
    noise
        Its standard deviation.
    lower, upper
        Ends of what the claim says, on its scale.
    weights
        Sum to 1. (draw,).
    """
    open_below, open_above = lower <= -OPEN_END, upper >= OPEN_END
    at_most = 1.0 if open_above else float(weights @ ndtr((upper - location) / noise))
    at_least = 1.0 if open_below else float(weights @ ndtr((location - lower) / noise))
    sides = 1.0 if open_below or open_above else 2.0
    return min(1.0, sides * min(at_most, at_least))
