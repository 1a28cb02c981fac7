"""The whole search on draws from the prior, which need no compilation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from estimator.errors import ConfigError, DiagnosticsError
from estimator.show.break_even import BreakEven
from estimator.studies.breakeven import key_fits
from estimator.studies.breakeven.find import break_even
from estimator.studies.breakeven.parts import publish_break_evens, read_break_evens
from tests.studies.breakeven import toy

pytestmark = pytest.mark.slow

PRIOR = ("sampler=prior_only", "sampler.prior_draws=500")
EVENT = "net_change[2026-01] < 0"
FEW = toy.options(
    points=15, contour_points=7, kernel_width=0.05, contour_kernel_width=0.12, min_ess=30,
    bridges=1, refits=3, scan=4, tolerance=0.2,
)  # fmt: skip
MANY_RECRUITS = ("recruitment.level.low=15000", "recruitment.level.high=20000")


@pytest.fixture(scope="module")
def returns() -> BreakEven:
    """Who returns matters most where as many are recruited as are lost."""
    options = FEW.model_copy(update={"check": 4})
    overrides = (*PRIOR, "sampler.prior_draws=1000", *MANY_RECRUITS, "label=many recruits")
    return break_even("returns.rate", EVENT, 0.5, overrides, options=options)


def test_reweighted_draws_and_real_fits_agree(returns: BreakEven) -> None:
    fitted = returns.refits
    assert len(fitted) >= 7
    z = (fitted["probability"] - fitted["curve"]) / np.hypot(fitted["error"], fitted["curve_error"])
    assert z.notna().all()
    assert z.abs().max() < 3.5
    assert np.sqrt((z**2).mean()) < 1.6


def test_the_crossing_lies_where_a_grid_of_real_fits_puts_it(returns: BreakEven) -> None:
    (crossing,) = returns.crossings
    grid = returns.refits[returns.refits["kind"] == "check"].sort_values("value")
    assert len(grid) == 4
    below = grid.loc[grid["probability"] < 0.5, "value"].min()
    above = grid.loc[grid["probability"] > 0.5, "value"].max()
    assert above < crossing.value < below
    assert not crossing.rising
    assert crossing.fits >= 3
    (note,) = [note for note in returns.notes if "4 real fits" in note]
    assert "cross the level at" in note


def test_the_answer_carries_where_it_comes_from(returns: BreakEven) -> None:
    assert returns.assumption_set == "many recruits"
    assert len(returns.assumption_set_id) == 16
    assert returns.data_hash
    assert "pymc" in returns.versions
    assert returns.seed == 20260215
    assert returns.failures == ()
    assert returns.axes[0].assumed == "0.3 to 0.65 share"
    assert 0 < returns.as_it_is < 1


def test_the_sentence_says_key_level_interval_and_what_is_assumed(returns: BreakEven) -> None:
    for part in (
        "P(net change in 2026-01 < 0) falls under 0.50 once returns.rate passes 0.",
        "share of the wounded who come back to duty",
        "the set itself assumes 0.3 to 0.65 share",
        "with that the probability is 0.",
    ):
        assert part in returns.sentence


def test_a_level_that_is_never_crossed_is_an_answer_with_both_ends() -> None:
    found = break_even("returns.delay", "losses[2026-01] > 1e9", 0.5, PRIOR, [(1.0, 9.0)], FEW)
    assert found.crossings == ()
    assert "stays under 0.50 for returns.delay from 1 to 9 months: at most 0.0" in found.sentence
    assert found.refits["kind"].tolist()[:2] == ["end", "end"]


def test_an_answer_without_real_fits_can_be_written(tmp_path: Path) -> None:
    options = FEW.model_copy(update={"refits": 0})
    # The curve falls from 0.66 to 0.45 and is flat at both ends: it crosses a level in its middle.
    overrides = (*PRIOR, "sampler.prior_draws=2000", *MANY_RECRUITS)
    found = break_even("returns.rate", EVENT, 0.57, overrides, [(0.1, 0.85)], options)
    (crossing,) = found.crossings
    assert crossing.fits == 0
    assert any("read off the reweighted curve alone" in note for note in found.notes)
    publish_break_evens([found], tmp_path)
    assert read_break_evens(tmp_path)[0].crossings == found.crossings


def test_a_key_that_the_set_holds_fixed_is_moved_all_the_same() -> None:
    found = break_even("confirmed.false_confirmation", EVENT, 0.5, PRIOR, options=FEW)
    assert (found.low, found.high) == (0.02, 0.25)
    assert found.axes[0].assumed == "0 share (held fixed)"
    assert found.axes[0].assumed_low == found.axes[0].assumed_high == 0.0
    assert np.isnan(found.as_it_is)
    assert found.curve["used"].sum() >= 10


def test_an_event_of_a_scenario_is_searched_as_well() -> None:
    found = break_even(
        "force.start",
        "scenario.status_quo.force_size[2026-08] < 600000",
        0.5,
        PRIOR,
        options=FEW,
    )
    assert found.curve["used"].any()
    assert "under scenario status_quo < 600,000" in found.sentence
    # A larger force at the start is a larger force at the end.
    used = found.curve[found.curve["used"]]
    assert used["probability"].iloc[0] > used["probability"].iloc[-1]


def test_two_keys_give_a_line_and_fits_on_it() -> None:
    found = break_even(
        ["returns.rate", "force.other_exits"],
        EVENT,
        0.7,
        PRIOR,
        options=FEW,
    )
    assert len(found.curve) == 49
    assert set(found.contour["edge"]) == {"level", "lower", "upper"}
    assert len(found.refits) == 3
    far = (found.refits["probability"] - 0.7).abs() / found.refits["error"]
    assert far.median() < 5.0
    assert "falls with returns.rate and rises with force.other_exits" in found.sentence
    assert "0.70 on a line in returns.rate and force.other_exits from (" in found.sentence


def test_all_problems_of_a_question_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        break_even(["returns.rat", "x"], "nonsense", 1.5, ranges=[(0.1, 0.2)])
    text = str(error.value)
    for part in (
        "did you mean 'returns.rate'",
        "x: no scalar assumption",
        "event 'nonsense'",
        "level must lie between",
        "one for each key",
    ):
        assert part in text


@pytest.mark.parametrize("keys", [[], ["returns.rate"] * 2, ["a", "b", "c"]])
def test_one_key_or_two_different_ones_are_asked_for(keys: list[str]) -> None:
    with pytest.raises(ConfigError, match="one key, or two different ones"):
        break_even(keys, EVENT, 0.5)


def test_an_event_outside_the_window_is_refused_before_any_fit() -> None:
    with pytest.raises(ConfigError, match="allowed: total, or 2022-02 to 2026-02"):
        break_even("returns.rate", "net_change[2030-01] < 0", 0.5)


def failing(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Let fits of one kind miss a bound."""
    original = key_fits._failures

    def missed(found: key_fits.Fit) -> str:
        return "R-hat 1.30 > 1.01" if found.fit_id.startswith(kind) else original(found)

    monkeypatch.setattr(key_fits, "_failures", missed)


def test_real_fits_stand_in_for_a_curve_whose_fit_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, "wide")
    found = break_even("returns.rate", EVENT, 0.5, (*PRIOR, *MANY_RECRUITS), [(0.1, 0.85)], FEW)
    assert len(found.curve) == 0
    assert (found.refits["kind"] == "scan").sum() == 4
    (crossing,) = found.crossings
    assert crossing.fits >= 2
    assert any("real fits stand in for the curve" in note for note in found.notes)
    assert found.failures == ()


def test_an_answer_that_rests_on_failed_fits_alone_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, "")
    found = break_even("returns.rate", EVENT, 0.5, PRIOR, [(0.1, 0.85)], FEW)
    assert found.crossings == ()
    assert "could not be worked out" in found.sentence
    assert "R-hat 1.30 > 1.01" in found.failures


def test_two_keys_whose_fit_failed_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, "wide")
    ranges = [(0.1, 0.85), (1.0, 9.0)]
    with pytest.raises(DiagnosticsError, match="Narrower ranges"):
        break_even(["returns.rate", "returns.delay"], EVENT, 0.5, PRIOR, ranges)
