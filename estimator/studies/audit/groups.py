"""What a set says without each evidence group: how far its answers move, and which it turns."""

from __future__ import annotations

import numpy as np
import pandas as pd

from estimator.evidence.pieces import KINDS, group_members
from estimator.fitting.smoothing import weighted_quantiles
from estimator.quantities.answers import Answer
from estimator.quantity import SIGNED
from estimator.studies.audit.bases import RANGE, Basis
from estimator.studies.audit.leave_out import LeaveOneOut

QUANTILES = ("q05", "q50", "q95")
NOT_LEFT_OUT = "not left out: weights cannot take away floors and vintages"
COLUMNS = (
    *("assumption_set", "evidence_group", "claims", "counted", "answer", "unit"),
    *(f"with_{name}" for name in QUANTILES),
    *(f"without_{name}" for name in QUANTILES),
    "with_below_zero",
    "without_below_zero",
    "turned",
    "shift",
    *("method", "k_hat", "ess", "failures"),
)


def judge_groups(leaving: LeaveOneOut) -> pd.DataFrame:
    """Tell the answers of a set with all its evidence, and without each group of it.

    Parameters
    ----------
    leaving
        Of the set; its options name the answers.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`: for each group of which a claim counts one row an answer, in the order of the
        largest shift. `claims` are the members that count, `counted` their number. Ranges in the
        unit of the answer; `with_below_zero` and `without_below_zero` are the probabilities that it
        is below 0 (NaN for what cannot be); `turned`, whether the first is all but certain and the
        second is not (`audit.certain`). `shift` is that of the median, in posterior standard
        deviations. `failures` says why the numbers without the group cannot be trusted, or why
        there are none.
    """
    audited = leaving.audited
    answers = leaving.options.group_answers(leaving.last_month)
    basis, left_out = leaving.groups(answers)
    equal = np.full(basis.n_draws, 1.0 / basis.n_draws)
    rows = []
    for name, members in group_members(audited.data).items():
        ids = [
            str(one)
            for dim, mask in zip(KINDS.values(), members, strict=True)
            for one in audited.data[dim].values[mask]
        ]
        one = left_out.get(name)
        for number, answer in enumerate(answers):
            before = _told(basis, number, answer, equal)
            after = None if one is None else _told(one.basis, number, answer, one.weights)
            spread = max(float(basis.answers[number].std()), 1e-12)
            rows.append(
                (
                    *(audited.label, name, " ".join(ids), len(ids), str(answer), answer.unit),
                    *before[:3],
                    *(after[:3] if after else (np.nan,) * 3),
                    before[3],
                    after[3] if after else np.nan,
                    after is not None and _turns(before[3], after[3], leaving.options.certain),
                    (after[1] - before[1]) / spread if after else np.nan,
                    *(
                        (one.method, one.k_hat, one.ess, one.failures)
                        if one is not None
                        else ("", np.nan, np.nan, NOT_LEFT_OUT)
                    ),
                )
            )
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    largest = frame["shift"].abs().groupby(frame["evidence_group"]).transform("max")
    order = largest.sort_values(ascending=False, kind="stable", na_position="last").index
    return frame.loc[order].reset_index(drop=True)


def _turns(before: float, after: float, certain: float) -> bool:
    is_sure = before > certain or before < 1.0 - certain
    return bool(is_sure and 1.0 - certain <= after <= certain)


def _told(
    basis: Basis, number: int, answer: Answer, weights: np.ndarray
) -> tuple[float, float, float, float]:
    """Range of an answer and the probability that it is below 0."""
    draws = basis.answers[number]
    low, middle, high = weighted_quantiles(draws, weights, RANGE)
    below = float(weights @ (draws < 0)) if answer.quantity in SIGNED else float("nan")
    return float(low), float(middle), float(high), below
