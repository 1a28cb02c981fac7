from __future__ import annotations

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.assumptions.compose import check_once, plain_config
from estimator.assumptions.overrides import override_problems
from estimator.errors import ConfigError

_TEXTS = st.text("ab1 ,=:()[]{}'\"\\\\éЖ$-_", min_size=1, max_size=12)


@given(_TEXTS)
def test_the_quoting_that_is_told_can_be_read(value: str) -> None:
    for problem in override_problems([f"label={value}"]):
        told = re.search(r"; write (.*)$", problem)
        if told:
            (quoted,) = shlex.split(told[1])
            assert override_problems([quoted]) == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("label=Lage (früh)", "Lage (früh)"),
        ("label=a=b", "a=b"),
        ("evidence.files=[my (1).csv, 'b.csv']", ["my (1).csv", "b.csv"]),
    ],
)
def test_the_quoting_that_is_told_means_what_was_typed(typed: str, meant: object) -> None:
    (problem,) = override_problems([typed])
    (quoted,) = shlex.split(problem.partition("; write ")[2])
    key = typed.partition("=")[0]
    found = plain_config([quoted])
    for part in key.split("."):
        found = found[part]
    assert found == meant


def test_what_is_assumed_twice_is_an_error_and_where_results_go_is_not() -> None:
    with pytest.raises(ConfigError) as caught:
        check_once(["assumptions=central", "seed=1", "assumptions=open", "seed=2"])
    assert "assumptions: given 2 times (assumptions=central, assumptions=open)" in str(caught.value)
    assert "seed: given 2 times" in str(caught.value)
    check_once(["name=a", "name=b", "plots=false", "plots=true", "returns=few", "returns.rate=0.1"])
