from __future__ import annotations

import pytest

from estimator.cli import main
from estimator.errors import ConfigError
from estimator.studies.backtest.cli import expanded

pytestmark = pytest.mark.slow


def test_one_assumptions_word_may_name_several_sets() -> None:
    words = ["assumptions=central,open", "seed=1"]
    assert expanded(words) == [
        ["assumptions=central", "seed=1"],
        ["assumptions=open", "seed=1"],
    ]
    everything = expanded(["assumptions=glob(*)"])
    assert len(everything) == 10
    assert expanded(["assumptions=glob('no_*')"]) == [
        ["assumptions=no_january_gap"],
        ["assumptions=no_stocks"],
    ]
    assert expanded(["seed=1"]) == [["seed=1"]]


def test_a_glob_that_matches_no_set_is_an_error() -> None:
    with pytest.raises(ConfigError, match="no such set"):
        expanded(["assumptions=glob(x*)"])


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("backtest.shown=mode", "backtest.shown: unknown; did you mean 'model'"),
        ("backtest.first=2023", "backtest.first: must be a month as YYYY-MM"),
        ("backtest.sources=[us:killed_share]", "origin:quantity"),
        ("backtest.last=2020-01", "backtest.last: must not be before first"),
        ("assumptions=article", "no monthly figure of general_staff_ukraine:losses"),
        ("sampler=prior_only", "sampler.method: a back-test needs nutpie"),
    ],
)
def test_what_cannot_be_done_is_said_and_exits_with_2(
    word: str,
    message: str,
    tmp_path,
    capsys,  # type: ignore[no-untyped-def]
) -> None:
    status = main(["backtest", word, "--output", str(tmp_path / "out"), "--no-plots"])
    assert status == 2
    assert message in capsys.readouterr().err.replace("\n", " ")
