from __future__ import annotations

import pytest

from estimator.model.forward import SERIES
from estimator.quantity import CLAIMED, MODELLED, QUANTITIES, combine, with_killed


def test_the_net_change_is_what_comes_in_less_what_leaves() -> None:
    equation = "recruits + foreign recruits + returned - losses - other exits"
    assert QUANTITIES["net_change"].equation == equation


@pytest.mark.parametrize("name", MODELLED)
def test_a_claim_that_counts_has_a_unit_and_adds_up_series_of_the_model(name: str) -> None:
    quantity = QUANTITIES[name]
    assert name in CLAIMED
    assert quantity.parts
    assert {*quantity.parts, *quantity.rest} <= {*SERIES}


def test_a_share_is_a_share_of_its_parts_and_the_rest() -> None:
    series = with_killed({"losses": 40.0, "killed_share": 0.25})
    share = QUANTITIES["killed_share"]
    assert combine(share.parts, series) == 10.0
    assert combine(share.rest, series) == 30.0
    assert combine(share.whole, series) == 40.0
