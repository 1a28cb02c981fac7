"""The forward map against numbers worked out by hand, for arrays and for variables alike.

Calibration simulates and fits with one map, so it cannot see a misreading that both share. Here the
map is held against a pencil: the comments give each step.
"""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from pytensor.tensor import TensorVariable

from estimator.assumptions.compose import assumption_set
from estimator.evidence import load_evidence
from estimator.model.figures import in_units
from estimator.model.forward import (
    claim_locations,
    claim_sums,
    confirmed_figure,
    confirmed_totals,
    locations,
)
from estimator.model.inputs import ModelInputs, model_inputs
from tests.evidence import tables

INTERPRETED = Mode(linker="py", optimizer="fast_compile")
JANUARY = {"period_start": "2025-01-01", "period_end": "2025-01-31"}
FEBRUARY = {"period_start": "2025-02-01", "period_end": "2025-02-28"}
TWO_MONTHS = {"period_start": "2025-01-01", "period_end": "2025-02-28"}
QUARTER = {"period_start": "2025-01-01", "period_end": "2025-03-31"}

CLAIMS = {
    "month": {**FEBRUARY},
    "half month": {"period_start": "2025-03-16", "period_end": "2025-03-31"},
    "a day": {**TWO_MONTHS, "unit": "persons/day"},
    "a mean month": {**FEBRUARY, "unit": "persons/month"},
    "named": {**FEBRUARY, "origin": "counts_badly_wounded"},
    "irrecoverable": {**FEBRUARY, "quantity": "irrecoverable"},
    "killed": {**QUARTER, "quantity": "killed"},
    "wounded": {**FEBRUARY, "quantity": "wounded"},
    "share": {**TWO_MONTHS, "quantity": "killed_share", "unit": "share", "value": "0.4"},
    "recruits": {**QUARTER, "quantity": "recruits"},
    "foreign": {**FEBRUARY, "quantity": "foreign_recruits"},
    "gap": {**QUARTER, "quantity": "replacement_gap", "value": "-9000"},
    "net": {**FEBRUARY, "quantity": "net_change", "value": "-5000"},
    "stock": {
        "quantity": "force_size",
        "period_start": "2025-03-01",
        "period_end": "2025-03-01",
        "value": "600000",
    },
}

# January, February, March; thousands. Killed: 15, 7, 0. Wounded: 15, 21, 31.
SERIES = {
    "losses": np.array([30.0, 28.0, 31.0]),
    "killed_share": np.array([0.5, 0.25, 0.0]),
    "recruits": np.array([20.0, 25.0, 30.0]),
    "foreign_recruits": np.array([1.0, 2.0, 3.0]),
    "other_exits": np.array([3.1, 2.8, 3.1]),  # 0.1 a day
}
VALUE = {
    "definitions.severe": 1.0,
    "definitions.light": 1.0,
    "returns.rate": 0.5,
    "returns.delay": 1.0,
    "force.start": 600.0,
}
# The delay of those who return is gamma distributed with shape 2 and a mean of 1 month. Later than
# x months are (1 + 2x) exp(-2x): 2/e = 0.735759 after half a month, 4/e³ = 0.199148 after one and a
# half. So 0.264241 return in the month of their wound and 0.536611 in the next.
# Returned in January: half of 15 × 0.264241 = 1.981808. In February, which has 28 days to January's
# 31: half of 21 × 0.264241 + 28/31 × 15 × 0.536611 = 12.819272, which is 6.409636.
# Net change = recruits + foreign recruits + returned - losses - other exits (0.1 × days):
# January: 20 + 1 + 1.981808 - 30 - 3.1 = -10.118192.
# February: 25 + 2 + 6.409636 - 28 - 2.8 = 2.609636.
WITHOUT_BIAS = {
    "month": math.log(28.0),
    "half month": math.log(16.0),  # 16 of the 31 days of March, in which 31 were lost
    "a day": math.log(58.0 / 59.0),  # 30 + 28 in 31 + 28 days
    "a mean month": math.log(30.4375),  # one a day
    "named": math.log(12.25),  # 7 killed and half of 10.5 severely wounded
    "irrecoverable": math.log(17.5),  # 28 less the half of 21 wounded who come back
    "killed": math.log(22.0),  # 15 + 7 + 0
    "wounded": math.log(21.0),
    "share": math.log(22.0 / 36.0),  # odds: 15 + 7 killed, 15 + 21 wounded
    "recruits": math.log(75.0),
    "foreign": math.log(2.0),
    "gap": -14.0,  # 75 recruits - 89 losses
    "net": 2.609636,
    "stock": 592.491444,  # 600 - 10.118192 + 2.609636, at the beginning of 1 March
}
# A bias of 0.1: log ratio of counts, log odds of shares, thousands a month of differences (three
# months of the gap, one of the net change), log ratio of a stock.
BIAS = 0.1
# Light and severe are one half of the wounded each: 7.5, 10.5 and 15.5. Figures that count 0.8 of
# the severe and 0.25 of the light say 15 + 6 + 1.875 = 22.875, 7 + 8.4 + 2.625 = 18.025, and
# 12.4 + 3.875 = 16.275.
COUNTED_IN_PART = {
    **WITHOUT_BIAS,
    "month": math.log(18.025),
    "half month": math.log(8.4),  # 16 of 31 days
    "a day": math.log(40.9 / 59.0),
    "a mean month": math.log(18.025 / 28.0 * 30.4375),
    "wounded": math.log(11.025),
    "share": math.log(22.0 / 18.9),  # of those who are counted: 40.9 less 22
    "gap": 17.825,  # 75 - 57.175
}
WITH_BIAS = {
    **{name: place + 0.1 for name, place in WITHOUT_BIAS.items()},
    "gap": -13.7,
    "net": 2.709636,
    "stock": 654.804313,  # 592.491444 × exp(0.1) = 592.491444 × 1.105170918
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> ModelInputs:
    rows = [
        tables.row(**{"id": name, "origin": f"origin of {name}", **cells})
        for name, cells in CLAIMS.items()
    ]
    folder: Path = tmp_path_factory.mktemp("claims")
    assumptions = assumption_set(
        [
            "window.start=2025-01-01",
            "window.end=2025-03-31",
            "window.overhang_days=0",
            "window.months_before_window=0",
            "+definitions.origins.counts_badly_wounded={severe: 0.5, light: 0.0}",
        ]
    )
    return model_inputs(load_evidence(assumptions, tables.claims(folder, *rows)), assumptions)


def of_arrays(inputs: ModelInputs, value: dict[str, float], shift: np.ndarray) -> np.ndarray:
    apply = partial(inputs.structure.layout.multiply, inputs.data)
    return np.asarray(claim_locations(inputs.structure, apply, SERIES, value, shift))


def of_variables(inputs: ModelInputs, value: dict[str, float], shift: np.ndarray) -> np.ndarray:
    def variables(numbers: dict[str, Any]) -> dict[str, TensorVariable]:
        return {name: pt.constant(number) for name, number in numbers.items()}

    apply = partial(inputs.structure.layout.apply, variables(inputs.data))
    sums = claim_sums(inputs.structure, apply, variables(SERIES), variables(value), pt)
    size = inputs.structure.constants["claim_size"]
    location = locations(inputs.structure.claim_scale, *sums, pt.constant(shift), size, pt)
    return np.asarray(location.eval(mode=INTERPRETED))


@pytest.mark.parametrize("worked_out", [of_arrays, of_variables])
@pytest.mark.parametrize(
    ("counted", "bias", "expected"),
    [
        ({}, 0.0, WITHOUT_BIAS),
        ({}, BIAS, WITH_BIAS),
        ({"definitions.severe": 0.8, "definitions.light": 0.25}, 0.0, COUNTED_IN_PART),
    ],
)
def test_a_claim_of_each_kind_lies_where_a_pencil_puts_it(
    inputs: ModelInputs,
    worked_out: Any,
    counted: dict[str, float],
    bias: float,
    expected: dict[str, float],
) -> None:
    names = inputs.structure.coords["claim"]
    location = worked_out(inputs, VALUE | counted, np.full(len(names), bias))
    assert dict(zip(names, location, strict=True)) == pytest.approx(expected, abs=1e-5)


def test_bias_and_drift_of_a_source_shift_its_claims_at_their_own_time(
    inputs: ModelInputs,
) -> None:
    names, sources = inputs.structure.coords["claim"], inputs.structure.coords["source"]
    bias, drift = np.zeros(len(sources)), np.zeros(len(sources))
    bias[sources.index("origin of month:losses")] = 0.2
    drift[sources.index("origin of month:losses")] = 1.0
    drift[sources.index("origin of stock:force_size")] = 1.0
    apply = partial(inputs.structure.layout.multiply, inputs.data)
    shift = dict(zip(names, apply("shifts", np.concatenate([bias, drift])), strict=False))
    # From the middle of February (day 45) to that of March (day 74.5) 29.5 days: 0.080767 years.
    # A stock has the drift of the last month that is in it, February.
    moved = {"month": 0.2 - 0.080767, "stock": -0.080767}
    assert shift == pytest.approx({name: moved.get(name, 0.0) for name in names}, abs=1e-6)


def test_locations_come_back_in_the_units_of_claims(inputs: ModelInputs) -> None:
    names = inputs.structure.coords["claim"]
    location = np.array([WITHOUT_BIAS[name] for name in names])
    found = dict(zip(names, in_units(location, inputs.structure.claim_scale), strict=True))
    assert found["month"] == pytest.approx(28_000.0)  # persons
    assert found["share"] == pytest.approx(22.0 / 58.0)  # 22 killed of 58 lost
    assert found["gap"] == pytest.approx(-14_000.0)
    assert found["stock"] == pytest.approx(592_491.444)


@pytest.mark.parametrize("xp", [np, pt])
def test_a_confirmed_figure_is_the_true_part_of_what_was_confirmed(xp: Any) -> None:
    # Of 30 lost every third is unconfirmed if there is half a person unconfirmed for each
    # confirmed: 20. If a tenth of what was confirmed is wrong, 20 true ones were reported as
    # 22.222. One step of the spread doubles the ratio: then 15 and 16.667.
    for noise, expected in ((0.0, 22.222222), (1.0, 16.666667)):
        found = confirmed_figure(30.0, 0.9, xp.log(0.5), xp.log(2.0), noise, xp)
        number = found if xp is np else found.eval(mode=INTERPRETED)
        assert number == pytest.approx(expected)


def test_a_confirmed_total_adds_up_what_its_figure_counts() -> None:
    losses, share = np.array([30.0, 28.0, 31.0]), np.array([0.5, 0.25, 0.0])
    weight = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.5]])
    value = {
        "returns.rate": np.array(0.5),
        "definitions.confirmed_severe": np.array(0.8),
        "definitions.confirmed_light": np.array(0.25),
    }
    whole, killed, irrecoverable, defined = [1, 1, 0], [0, 0, 0], [1, 0, 0], [0, 0, 1]
    for states, expected in (
        ([whole, whole], [30.0, 43.5]),  # 28 + 31 / 2
        ([killed, killed], [15.0, 7.0]),
        ([irrecoverable, killed], [22.5, 7.0]),
        ([defined, defined], [22.875, 26.1625]),  # 18.025 + 16.275 / 2
    ):
        found = confirmed_totals(losses, share, value, weight, np.array(states, dtype=float).T)
        np.testing.assert_allclose(found, expected)
