from __future__ import annotations

import pytest

from estimator.assumptions.compose import assumption_set, label_of, plain_config
from estimator.errors import ConfigError
from estimator.studies.compare.options import CompareOptions


def test_the_shipped_options_are_those_that_hydra_composes():
    composed = plain_config()["compare"]
    assert CompareOptions.from_config(composed) == CompareOptions.default()


def test_the_last_month_is_put_into_the_answers():
    answers = CompareOptions.default().answers_of("2025-06")
    assert [str(answer) for answer in answers[:2]] == ["losses[2025-06]", "irrecoverable[2025-06]"]
    assert str(answers[6]) == "P(net_change[2025-06] < 0)"
    assert len(answers) == 10


def test_all_answers_that_are_none_are_told():
    options = CompareOptions.default().model_dump() | {"answers": ["losses", "lossess[total]"]}
    with pytest.raises(ConfigError) as error:
        CompareOptions.from_config(options).answers_of("2026-01")
    assert str(error.value).count("\n  - ") == 2


def test_all_problems_of_options_are_told_with_their_keys():
    options = CompareOptions.default().model_dump() | {"shown": 0, "sensitivitty": 1.0}
    with pytest.raises(ConfigError) as error:
        CompareOptions.from_config(options)
    assert "compare.shown: " in str(error.value)
    assert "compare.sensitivitty: unknown key; did you mean 'sensitivity'?" in str(error.value)


def test_how_sets_are_compared_is_no_assumption():
    plain, changed = assumption_set(), assumption_set(["compare.shown=5"])
    assert changed.identity("data") == plain.identity("data")
    assert changed.label == plain.label
    assert label_of(["compare.shown=5", "returns=none"]) == "central,returns=none"
