from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from estimator.assumptions.compose import assumption_set
from estimator.errors import EvidenceError
from estimator.evidence import load_evidence, read_claims
from estimator.model.claim_density import log_densities
from estimator.model.inputs import ModelInputs
from estimator.studies.backtest.cases import naive_cases
from estimator.studies.backtest.origin_fits import forecast_inputs
from estimator.studies.backtest.origins import (
    FORECAST,
    VINTAGE,
    evidence_as_of,
    monthly_rows,
    origins_of,
    unknown_then,
)
from tests.studies.backtest import made


def test_the_shipped_table_gives_thirty_one_origins() -> None:
    found = origins_of(made.the_set(), made.everything(), made.options())
    assert [found[0].month, found[-1].month, len(found)] == ["2023-06", "2025-12", 31]


def test_an_origin_s_day_is_that_on_which_its_month_was_published() -> None:
    for one in origins_of(made.the_set(), made.everything(), made.options()):
        assert one.as_of == (pd.Period(one.month, freq="M") + 1).start_time.date()


def test_every_target_was_published_after_the_day_and_no_month_twice() -> None:
    for one in origins_of(made.the_set(), made.everything(), made.options()):
        assert all(target.published > one.as_of for target in one.targets)
        months = [t.month for t in one.targets if t.kind == FORECAST]
        assert months == list(range(one.position + 1, one.position + 1 + len(months)))
        assert [t.horizon for t in one.targets if t.kind == FORECAST] == [
            month - one.position for month in months
        ]
        assert 1 <= len(months) <= 6


def test_vintages_are_later_claims_on_periods_that_had_ended() -> None:
    at = {m: made.origin(m) for m in ("2024-12", "2025-01", "2025-02")}
    named = {m: {t.claim for t in one.targets if t.kind == VINTAGE} for m, one in at.items()}
    assert named["2024-12"] == {"P31", "P32"}
    assert all(t.horizon == 0 for t in at["2024-12"].targets if t.kind == VINTAGE)


def test_a_bound_is_no_figure_that_a_vintage_could_be_scored_by() -> None:
    claims = read_claims().copy()
    claims.loc[claims["id"] == "P32", "hedge"] = "at_least"
    evidence = load_evidence(made.the_set(), claims)
    (one,) = origins_of(made.the_set(), evidence, made.options(first="2024-12", last="2024-12"))
    assert {t.claim for t in one.targets if t.kind == VINTAGE} == {"P31", "P47"}


def test_a_month_that_was_known_before_it_was_revised_is_not_forecast() -> None:
    claims = read_claims()
    day = made.origin("2024-12").as_of
    early = claims[claims["id"] == "GS-2025-02"].assign(id="first", published=pd.Timestamp(day))
    changed = pd.concat([claims, early], ignore_index=True)
    evidence = load_evidence(made.the_set(), changed)
    (one,) = origins_of(made.the_set(), evidence, made.options(first="2024-12", last="2024-12"))
    _, then = evidence_as_of(made.the_set(), changed, one.as_of)
    left = {t.claim for t in unknown_then(one, then).targets}
    assert {t.claim for t in one.targets} - left == {"GS-2025-02"}
    whole = made.origin("2024-12")
    assert unknown_then(whole, made.known("2024-12")[1]) == whole


def test_a_naive_forecast_of_a_rate_a_day_is_that_of_the_persons_of_its_days() -> None:
    claims = read_claims()
    days = (claims["period_end"] - claims["period_start"]).dt.days + 1
    rates = claims.copy()
    own = claims["id"].str.startswith("GS-")
    rates.loc[own, "unit"] = "persons/day"
    rates.loc[own, "value"] = claims["value"][own] / days[own]
    origin, medians = made.origin("2024-12"), []
    for table in (claims, rates):
        then, evidence = evidence_as_of(made.the_set(), table, origin.as_of)
        inputs = forecast_inputs(evidence, then, [made.GENERAL_STAFF], 1.0)
        found = naive_cases(evidence, origin, inputs, made.options())
        medians.append(found.set_index(["dynamics", "claim"])["q50"])
    length = days.set_axis(claims["id"]).loc[medians[0].index.get_level_values("claim")].to_numpy()
    np.testing.assert_allclose(medians[0], medians[1] * length, rtol=1e-9)


def test_a_window_of_one_month_is_refused_with_the_reason() -> None:
    short = assumption_set(["window.start=2025-12-01", "window.end=2025-12-31"])
    with pytest.raises(EvidenceError, match="after which another one was published"):
        origins_of(short, load_evidence(short), made.options())


def test_a_set_without_the_source_is_refused_with_the_reason() -> None:
    for name in ("article", "western"):
        with pytest.raises(EvidenceError, match="no monthly figure of general_staff_ukraine"):
            origins_of(made.the_set(name), made.everything(name), made.options())


def test_months_after_which_nothing_came_are_refused_with_the_reason() -> None:
    with pytest.raises(EvidenceError, match="after which another one was published"):
        origins_of(made.the_set(), made.everything(), made.options(first="2026-01", last="2026-01"))


def test_only_whole_months_are_monthly_figures() -> None:
    rows = monthly_rows(made.everything(), made.GENERAL_STAFF)
    months = made.everything().dataset["month"].values
    assert months[0] == "2022-02"  # five days of war
    assert sorted(rows) == list(range(1, 48))


def test_a_set_s_own_as_of_is_never_passed() -> None:
    own = made.the_set()
    own = own.model_copy(
        update={"evidence": own.evidence.model_copy(update={"as_of": dt.date(2024, 1, 1)})}
    )
    then, evidence = evidence_as_of(own, None, dt.date(2025, 6, 1))
    assert then.evidence.as_of == dt.date(2024, 1, 1)
    known = evidence.claims[evidence.claims["used"]]
    assert (known["published"] <= "2024-01-01").all()


def seen(inputs: ModelInputs) -> dict[str, np.ndarray]:
    """All that the density takes, what does not count blotted out."""
    data = dict(inputs.data)
    used = inputs.figure("used") > 0
    data["claim_value"] = np.where(used, data["claim_value"], 0.0)
    data["claim_figures"] = np.where(used, data["claim_figures"], 0.0)
    data["confirmed_value"] = data["confirmed_value"] * data["confirmed_used"]
    data["confirmed_states"] = data["confirmed_states"] * data["confirmed_used"]
    data["confirmed_rounding"] = data["confirmed_rounding"] * data["confirmed_used"][:, None]
    return data


@pytest.mark.parametrize("month", ["2023-06", "2024-05", "2025-10", "2025-12"])
def test_no_claim_published_later_changes_what_a_forecast_knows(month: str) -> None:
    origin = made.origin(month)
    claims = read_claims()
    late = claims["published"] > pd.Timestamp(origin.as_of)
    assert late.sum() > 10
    figures = late & claims["status"].isin(["claimed", "estimated", "confirmed"])
    changed = claims.copy()
    for name in ("low", "value", "high"):
        changed.loc[figures, name] = claims.loc[figures, name] * 0.7
    changed.attrs = claims.attrs
    found = {}
    for name, table in (("as it was", claims), ("changed", changed)):
        then, evidence = evidence_as_of(made.the_set(), table, origin.as_of)
        inputs = forecast_inputs(evidence, then, [made.GENERAL_STAFF], 1.0)
        naive = naive_cases(evidence, origin, inputs, made.options())
        found[name] = (inputs, naive)
    (inputs, naive), (other, other_naive) = found.values()
    assert inputs.structure.identity == other.structure.identity
    for name, array in seen(inputs).items():
        np.testing.assert_array_equal(array, seen(other)[name], err_msg=name)
    location = np.random.default_rng(1).normal(3.0, 1.0, (3, inputs.figure("used").size))
    densities = [
        log_densities(one.data["claim_value"], one.data["claim_figures"], location)
        for one in (inputs, other)
    ]
    np.testing.assert_array_equal(*densities)
    assert len(naive)
    quantiles = [name for name in naive if name.startswith("q")]
    pd.testing.assert_frame_equal(naive[quantiles], other_naive[quantiles])
    assert not naive["observed"].equals(other_naive["observed"])
