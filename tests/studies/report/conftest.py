"""A report on two synthetic sets, with a small table of each kind."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from estimator.assumptions.compose import assumption_set, plain_config
from estimator.quantities.answers import Answer, answer_draws, with_last_month
from estimator.show.break_even import CONTOUR_COLUMNS, Axis, BreakEven, Crossing
from estimator.studies.audit.audit import Audit
from estimator.studies.compare.drivers.levels import Levels
from estimator.studies.compare.specification import Specification
from estimator.studies.report import Pages, ReportData, ReportOptions, render
from tests.show.figures.conftest import MONTHS, make_result

LAST = MONTHS[-1]
LABELS = ("central", "registry")
FAILURE = "R-hat 1.080 > 1.01 (losses[2026-01])"
ANSWERS = [Answer.parse(f"{name}[{LAST}]") for name in ("losses", "net_change")]
QUANTILES = ("q05", "q25", "q50", "q75", "q95")
# id, quantity, start, end, low, value, high, unit, hedge, status, origin, citation, used, reason
CLAIMS: list[tuple[Any, ...]] = [
    ("P04", "losses", "2026-01-01", "2026-01-31", None, 30618, None, "persons", "exact",
     "confirmed", "video_verified_ukraine", "An official, in a paper", True, ""),
    ("S11", "replacement_gap", "2026-01-01", "2026-01-31", None, -9000, None, "persons", "about",
     "claimed", "bloomberg_sources", "An agency", True, ""),
    ("P99", "killed", "2022-02-24", "2023-05-27", 40000, 47000, 55000, "persons", "about",
     "estimated", "somebody_else", "A demographer", False, "origin not in killed_share.origins"),
    ("S28", "statement", None, None, None, None, None, "", "", "context", "article",
     "The article", False, "not a figure for the likelihood (status or quantity)"),
    *(
        (f"G{n:02d}", "losses", f"{month}-01", f"{month}-28", None, 20000 + n, None, "persons",
         "exact", "claimed", "general_staff_ukraine", f"Running total, {month}", True, "")
        for n, month in enumerate(MONTHS[1:15], start=1)
    ),
]  # fmt: skip
COLUMNS = ("id", "quantity", "period_start", "period_end", "low", "value", "high", "unit", "hedge",
           "status", "origin", "citation", "used", "reason")  # fmt: skip


def key(**changes: Any) -> Axis:
    facts = {"key": "returns.rate", "unit": "share", "low": 0.1, "high": 0.7, "source": "",
             "description": "share of the wounded who come back to duty", "assumed": "",
             "assumed_low": 0.3, "assumed_high": 0.65}  # fmt: skip
    return Axis(**facts | changes)


def break_even(**changes: Any) -> BreakEven:
    value = np.linspace(0.1, 0.7, 9)
    chance = np.clip(1.1 - 1.4 * value, 0.0, 1.0)
    facts = {
        "axes": (key(),),
        "event": f"net_change[{LAST}] < 0",
        "words": f"net change in {LAST} < 0",
        "level": 0.5,
        "interval": 0.9,
        "crossings": (Crossing(0.42, 0.40, 0.44, rising=False, fits=1, narrow=True),),
        "curve": pd.DataFrame({"value": value, "value_2": np.nan, "probability": chance,
                               "error": 0.02, "used": True}),
        "refits": pd.DataFrame({"kind": ["crossing"], "value": [0.4], "value_2": [np.nan],
                                "probability": [0.53], "error": [0.02], "failures": [""]}),
        "contour": pd.DataFrame(columns=list(CONTOUR_COLUMNS)),
        "as_it_is": 0.6,
        "as_it_is_error": 0.01,
        "sentence": "P(net change < 0) falls under 0.50 once returns.rate passes 0.42.",
        "notes": (),
        "failures": (),
        "assumption_set": "central",
        "assumption_set_id": "id-of-central",
        "data_hash": "hash-of-the-claims",
        "versions": {},
        "seed": 1,
        "seconds": 1.0,
    }  # fmt: skip
    return BreakEven(**facts | changes)


def one_key() -> BreakEven:
    return break_even()


def two_keys() -> BreakEven:
    contour = pd.DataFrame(
        {
            "edge": ["level"] * 3 + ["lower"] * 3,
            "line": 0,
            "value": [0.1, 0.3, 0.5] * 2,
            "value_2": [4000.0, 3000.0, 2000.0, 3900.0, 2900.0, 1900.0],
        }
    )
    other = key(key="force.other_exits", unit="persons/month", low=0.0, high=5000.0,
                description="exits beside losses", assumed_low=0.0, assumed_high=0.0)  # fmt: skip
    refits = break_even().refits.assign(value=0.3, value_2=3000.0)
    return break_even(axes=(key(), other), crossings=(), contour=contour, refits=refits)


def make_tree(label: str, seed: int, *, failed: bool = False) -> xr.DataTree:
    tree = make_result(seed, label=label)
    diagnostics = {"max_rhat": 1.08 if failed else 1.002, "min_ess_bulk": 1500.0,
                   "min_ess_tail": 1800.0, "divergences": 0, "failures": []}  # fmt: skip
    tree.attrs |= {
        "assumption_set_id": f"id-of-{label}",
        "configuration": configuration(label),
        "data_hash": "hash-of-the-claims",
        "structure": "structure-hash",
        "versions": json.dumps({"estimator": "0.1.0", "pymc": "6.4.0"}),
        "seed": 20260215,
        "diagnostics": json.dumps(diagnostics),
    }
    if failed:
        tree.attrs |= {"diagnostics_ok": "false", "diagnostics_failures": FAILURE}
    return tree


@functools.cache
def configuration(label: str) -> str:
    return json.dumps(assumption_set([f"assumptions={label}"]).model_dump(mode="json"))


@functools.cache
def options() -> ReportOptions:
    return ReportOptions.from_config(plain_config([])["report"])


def claims_table() -> pd.DataFrame:
    table = pd.DataFrame(CLAIMS, columns=list(COLUMNS))
    return table.assign(source="a_source", published="2026-02-15", locator="page 3", note="a note")


@functools.cache
def asked() -> list[Answer]:
    return [Answer.parse(with_last_month(text, LAST)) for text in options().answers]


def comparison(trees: dict[str, xr.DataTree]) -> pd.DataFrame:
    rows = []
    for label, tree in trees.items():
        draws = answer_draws(tree["posterior"].to_dataset(), asked()).reshape(len(asked()), -1)
        for answer, own in zip(asked(), draws, strict=True):
            numbers = dict(
                zip(QUANTILES, np.quantile(own, [0.05, 0.25, 0.5, 0.75, 0.95]), strict=True)
            )
            rows.append(
                {"assumption_set": label, "answer": str(answer), "unit": answer.unit, **numbers,
                 "reference": LABELS[0], "difference": 1234.0, "difference_mcse": 56.0,
                 "p_above": 0.25, "below_zero": float((own < 0).mean()),
                 "failures": tree.attrs["diagnostics_failures"]}
            )  # fmt: skip
    return pd.DataFrame(rows)


def tables(trees: dict[str, xr.DataTree]) -> dict[str, Any]:
    """Tables as the contract between the commands has them."""
    losses, net = (str(answer) for answer in ANSWERS)
    nan = float("nan")
    driver = {"answer": losses, "unit": "persons/month", "level_low": "0.02 to 0.18",
              "level_high": "0.05 to 0.50", "reference": 33000.0, "first_order": nan,
              "total": nan, "total_low": nan, "total_high": nan, "note": ""}  # fmt: skip
    return {
        "comparison": comparison(trees),
        "pooled": pd.DataFrame(
            [
                {"answer": losses, "unit": "persons/month", "q05": 27100.0, "q25": 31000.0,
                 "q50": 32700.0, "q75": 34000.0, "q95": 38200.0, "weights": "equal", "sets": 2,
                 "refused": ""},
                {"answer": net, "unit": "persons/month", **dict.fromkeys(QUANTILES, nan),
                 "weights": "equal", "sets": 2, "refused": "other exits mean two things"},
            ]
        ),
        "drivers": pd.DataFrame(
            [
                driver | {"assumption": "unconfirmed.ratio", "method": "one_at_a_time",
                          "value_low": 31900.0, "value_high": 36400.0, "effect": 4500.0, "rank": 1},
                driver | {"assumption": "reporting.origins.general_staff_ukraine.losses.bias",
                          "method": "one_at_a_time", "value_low": 33400.0, "value_high": 32800.0,
                          "effect": 600.0, "rank": 2},
                driver | {"assumption": "returns.rate", "method": "sobol", "value_low": nan,
                          "value_high": nan, "effect": nan, "rank": 1, "first_order": 0.31,
                          "total": 0.44, "total_low": 0.4, "total_high": 0.5},
            ]
        ),
        "prior_or_data": pd.DataFrame(
            [
                {"assumption_set": label, "parameter": parameter, "unit": "share",
                 "prior_q05": 0.3, "prior_q50": 0.47, "prior_q95": 0.65, "posterior_q05": 0.35,
                 "posterior_q50": 0.49, "posterior_q95": 0.6, "contraction": 0.31,
                 "verdict": verdict}
                for label in trees
                for parameter, verdict in (
                    ("returns.rate", "both"),
                    ("confirmed.false_confirmation", "fixed"),
                    ("reporting_bias[general_staff_ukraine:losses]", "data"),
                )
            ]
        ),
        "audit": audit(list(trees)),
        "breakeven": [one_key(), two_keys()],
        "specifications": [specification()],
    }  # fmt: skip


def specification(text: str = "") -> Specification:
    """A sweep of two keys whose last set has no answer; every text ends with the one given."""
    labels = tuple(f"central #{n}" for n in range(1, 5))
    middle = np.array([-3000.0, 1000.0, 4000.0, np.nan])
    steps = dict(zip(QUANTILES, 1500.0 * np.arange(-2, 3), strict=True))
    rows = {name: middle + step for name, step in steps.items()}
    names = [f"returns.rate 0.{n}, killed_share all{text}" for n in range(1, 5)]
    table = pd.DataFrame(
        {"assumption_set": names, "label": labels, "answer": str(ANSWERS[1]),
         "unit": "persons/month", **rows, "failures": ["", "", "", f"gave up{text}"]}
    )  # fmt: skip
    levels = Levels(
        labels,
        (f"returns.rate{text}", f"killed_share{text}"),
        np.array([[0, 0], [0, 1], [1, 0], [1, 1]]),
        (("0.2", f"0.4{text}"), ("all", f"western{text}")),
        np.array([True, False]),
    )
    return Specification(table, levels, f"What moves the answer most is on top.{text}", "")


def audit(labels: list[str]) -> Audit:
    losses = str(ANSWERS[0])
    nan = float("nan")
    claim = {"quantity": "losses", "origin": "video_verified_ukraine", "unit": "persons",
             "period_start": "2026-01-01", "period_end": "2026-01-31", "counted": True,
             "reason": "", "failures": "", "predicted_q05": 29100.0, "predicted_q50": 31700.0,
             "predicted_q95": 35300.0, "influence": 0.4, "influence_on": losses}  # fmt: skip
    return Audit(
        claims=pd.DataFrame(
            [
                claim | {"assumption_set": label, "claim": name, "figure": figure,
                         "tail_probability": tail, "verdict": verdict, "failures": failures}
                for label in labels
                for name, figure, tail, verdict, failures in (
                    ("P04", "30,618 persons", 0.6, "consistent", "not left out"),
                    ("S11", "about -9,000 persons", 0.003, "in conflict", ""),
                    ("S03", "about 35,000 persons", nan, "repeat", ""),
                    ("S09", "more than 65 %", 0.001, "in conflict", "ESS 6 < 200"),
                )
            ]
        ),
        statements=pd.DataFrame(
            [
                {"assumption_set": label, "statement": statement, "claims": claims,
                 "says": says, "about": f"replacement_gap: below 0 in {period}",
                 "probability": chance, "mcse": 0.004, "value_q05": -11000.0,
                 "value_q50": -7100.0, "value_q95": -3300.0,
                 "unit": "persons/month", "note": note}
                for label, chances in zip(labels, ((0.97, 0.002), (0.64, 0.001)), strict=False)
                for statement, claims, says, period, chance, note in (
                    ("gap_of_january", "S11", "9,000 more were lost", "2025-12", 0.5, ""),
                    ("gap_of_january", "S11", "9,000 more were lost", "both", chances[0], ""),
                    ("killed_share_now", "S09", "over 65 % are killed", "2026-01", chances[1], ""),
                    ("lost_in_all", "S01", "a million were lost", "", nan,
                     "cannot be answered: no month '2026-02'"),
                    ("not_asked", "S28", "loses faster than recruits", "2026-01", 0.3, ""),
                )
            ]
        ),
        conflicts=pd.DataFrame(
            [{"conflict": 1, "claims": "S11, P04", "says": "They cannot both be right.",
              "resolution": "S11 alone would have to be above -600."}]
        ),
        balance=pd.DataFrame(
            [
                {"assumption_set": label, "period_start": "2023-01-01",
                 "period_end": "2024-01-01", "published_change": 50000.0, "flows_q05": 40000.0,
                 "flows_q50": 90000.0, "flows_q95": 150000.0, "gap_q05": -1000.0,
                 "gap_q50": 3300.0, "gap_q95": 8000.0, "note": ""}
                for label in labels
            ]
        ),
        groups=pd.DataFrame(
            [
                {"assumption_set": label, "evidence_group": group, "claims": ids, "counted": 1,
                 "answer": str(answer), "unit": "persons/month", "with_q05": -10800.0,
                 "with_q50": -6800.0, "with_q95": -2800.0, "without_q05": -8800.0,
                 "without_q50": -900.0, "without_q95": 9100.0,
                 "with_below_zero": nan if answer.quantity == "losses" else 0.99,
                 "without_below_zero": nan if answer.quantity == "losses" else after,
                 "turned": answer.quantity != "losses" and after < 0.95,
                 "shift": shift, "method": "refit", "k_hat": 0.9, "ess": 900.0,
                 "failures": failures}
                for label in labels
                for answer in ANSWERS
                for group, ids, after, shift, failures in (
                    ("january_gap", "S11", 0.57, 2.5, ""),
                    ("stocks_rusi", "P18 P19", 0.98, 0.1, ""),
                    ("kluge_payments", "P08", 0.3, 4.0, "ESS 6 < 200"),
                )
            ]
        ),
        resolutions=pd.DataFrame(),
        facts=pd.DataFrame(),
    )  # fmt: skip


@functools.cache
def trees(*failed: str) -> dict[str, xr.DataTree]:
    return {
        label: make_tree(label, seed, failed=label in failed)
        for seed, label in enumerate(LABELS, start=7)
    }


def bare_tables(trees: dict[str, xr.DataTree]) -> dict[str, Any]:
    """Tables without rows but for the comparison, as of a run whose results tell no more."""
    found = tables(trees)
    names = ("pooled", "prior_or_data", "drivers")
    whole = found["audit"]
    names_of_audit = ("groups", "statements", "conflicts", "balance")
    rows = {name: getattr(whole, name)[:0] for name in names_of_audit}
    return found | {
        **{name: found[name][:0] for name in names},
        "audit": dataclasses.replace(whole, claims=whole.claims[:0], **rows),
        "breakeven": [],
        "specifications": [],
    }


def report_data(*, bare: bool = False, failed: tuple[str, ...] = ()) -> ReportData:
    found = trees(*failed)
    return ReportData(
        output="outputs/a run",
        command="estimator run -m 'assumptions=central,registry'",
        options=options(),
        trees=found,
        claims_table=claims_table(),
        asked=asked(),
        certain=0.95,
        **(bare_tables(found) if bare else tables(found)),
    )


@functools.cache
def rendered(name: str) -> Pages:
    """The pages of a report: full, bare, with a failed set, or written by somebody hostile."""
    from tests.studies.report.hostile import hostile_data

    data: dict[str, Callable[[], ReportData]] = {
        "full": report_data,
        "bare": functools.partial(report_data, bare=True),
        "failed": functools.partial(report_data, failed=("registry",)),
        "hostile": hostile_data,
    }
    return render(data[name]())


Change = Callable[..., ReportData]


@pytest.fixture
def changed() -> Change:
    """Replace fields of the full report."""
    return functools.partial(dataclasses.replace, report_data())
