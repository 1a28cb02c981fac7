"""Each claim against what a set says of it without having seen it: tail probability and verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from estimator.evidence.wording import figure_text
from estimator.fitting.smoothing import weighted_quantiles
from estimator.quantities.answers import Answer
from estimator.studies.audit.bases import AuditedSet, Basis
from estimator.studies.audit.leave_out import LeaveOneOut, LeftOut
from estimator.studies.audit.options import AuditOptions

KEPT_IN = "not left out"
"""Said in `failures` of a floor that was not left out, but held against itself as well."""
CONSISTENT, STRAINED, IN_CONFLICT, REPEAT = "consistent", "strained", "in conflict", "repeat"
COLUMNS = (
    "assumption_set",
    "claim",
    "figure",
    "quantity",
    "origin",
    "period_start",
    "period_end",
    "unit",
    "status",
    "citation",
    "counted",
    "reason",
    "same_as",
    "predicted_q05",
    "predicted_q50",
    "predicted_q95",
    "tail_probability",
    "verdict",
    "method",
    "k_hat",
    "ess",
    "failures",
    "influence",
    "influence_on",
)
_REPEATS = "repeats "


def judge_claims(leaving: LeaveOneOut) -> pd.DataFrame:
    """Judge every claim that lies inside the window, counted or not.

    A claim that counts is held against the set without it; one that does not, against the set as it
    is. A claim that repeats another's figure says nothing new and is called a repeat.

    Parameters
    ----------
    leaving
        Of a whole result.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`, one row a claim, the smallest tail probability first. Predicted figures in the
        claim's unit. `influence` is the largest shift of an answer's median without the claim, in
        posterior standard deviations; `failures` says why a prediction cannot be trusted.
    """
    basis, of_claims = leaving.claims()
    of_floors = leaving.confirmed()
    judge = _Judge(leaving.audited, leaving.options, basis, leaving.answers)
    rows = [*judge.claims(of_claims), *judge.confirmed(of_floors)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame["same_as"] = _same_count(frame)
    return frame.sort_values("tail_probability", kind="stable", ignore_index=True)


def _same_count(frame: pd.DataFrame) -> list[str]:
    """Ids of the other claims of one origin on one quantity of one period: one count. (row,)."""
    key = ["origin", "quantity", "period_start", "period_end"]
    members = frame.groupby(key)["claim"].transform(lambda ids: "|".join(ids))
    return [
        ", ".join(name for name in str(group).split("|") if name != own)
        for group, own in zip(members, frame["claim"], strict=True)
    ]


@dataclass
class _Judge:
    """Turns draws without a claim into a row of the table."""

    audited: AuditedSet
    options: AuditOptions
    basis: Basis
    answers: Sequence[Answer]

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng([self.audited.assumptions.seed, 2])
        n_draws = self.basis.n_draws
        self._as_is = LeftOut(
            self.basis, np.full(n_draws, 1.0 / n_draws), "prediction", np.nan, float(n_draws), ""
        )
        self._medians = np.median(self.basis.answers, axis=1)
        self._spreads = self.basis.answers.std(axis=1)

    def claims(self, left_out: dict[int, LeftOut]) -> Iterator[tuple[Any, ...]]:
        for claim in range(self.audited.data.sizes["claim"]):
            one = left_out.get(claim, self._as_is)
            found, tail = one.basis.predicted(claim, one.weights, self._rng)
            yield self._row("", claim, one, found, tail, counted=claim in left_out)

    def confirmed(self, left_out: dict[int, LeftOut]) -> Iterator[tuple[Any, ...]]:
        """Judge the floors; of a sum what it says beyond its months that are confirmed too."""
        data = self.audited.data
        for claim in range(data.sizes["confirmed_claim"]):
            counted = bool(data["confirmed_used"].values[claim])
            one = left_out.get(claim, self._as_is)
            if counted and claim not in left_out:
                one = LeftOut(one.basis, one.weights, "prediction", np.nan, one.ess, KEPT_IN)
            found, tail = one.basis.predicted_confirmed(claim, one.weights, self._rng)
            parts = self._edge(claim) - float(data["confirmed_floor"].values[claim])
            yield self._row("confirmed_", claim, one, found + parts, tail, counted=counted)

    def _edge(self, claim: int) -> float:
        """Figure of a confirmed claim, or the lower edge of its wording, before parts are taken."""
        low, value, hedge = (
            self.audited.data[f"confirmed_{name}"].values[claim]
            for name in ("low", "value", "hedge")
        )
        nearly = 1.0 - self.audited.assumptions.hedging.nearly
        return float({"range": low, "nearly": value * nearly}.get(str(hedge), value))

    def _row(
        self,
        prefix: str,
        claim: int,
        one: LeftOut,
        found: np.ndarray,
        tail: float,
        *,
        counted: bool,
    ) -> tuple[Any, ...]:
        data = self.audited.data

        def cell(name: str) -> Any:
            return data[f"{prefix}{name}"].values[claim]

        low, value, high = (float(cell(name)) for name in ("low", "value", "high"))
        figure = figure_text(str(cell("hedge")), low, value, high, str(cell("unit")))
        reason = "" if counted else str(cell("reason")) or "a confirmed sum that says less"
        influence, answer = self._influence(one) if counted else (0.0, "")
        return (
            self.audited.label,
            str(data[f"{prefix}claim"].values[claim]),
            figure,
            *(str(cell(n)) for n in ("quantity", "origin", "period_start", "period_end", "unit")),
            str(cell("status")),
            str(cell("citation")),
            counted,
            reason,
            "",
            *found,
            tail,
            self.verdict(tail, reason),
            one.method,
            one.k_hat,
            one.ess,
            one.failures,
            influence,
            answer,
        )

    def verdict(self, tail: float, reason: str) -> str:
        """Say in a word what a tail probability means."""
        if reason.startswith(_REPEATS) or reason.startswith("a confirmed sum"):
            return REPEAT
        if tail < self.options.in_conflict:
            return IN_CONFLICT
        return STRAINED if tail < self.options.strained else CONSISTENT

    def _influence(self, one: LeftOut) -> tuple[float, str]:
        """Largest shift of an answer without the claim, in posterior deviations, and of which."""
        if one.basis is self.basis and one.method == "prediction":
            return float("nan"), ""
        medians = [weighted_quantiles(v, one.weights, [0.5])[0] for v in one.basis.answers]
        shifts = (np.array(medians) - self._medians) / np.maximum(self._spreads, 1e-12)
        largest = int(np.argmax(np.abs(shifts)))
        return float(shifts[largest]), str(self.answers[largest])
