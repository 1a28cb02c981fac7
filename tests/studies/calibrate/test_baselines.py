from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import xarray as xr

from estimator.assumptions.groups import HedgingOptions
from estimator.model.inputs import ModelInputs
from estimator.studies.calibrate.baselines import Figures, face_value, prediction, trend
from estimator.studies.calibrate.coverage import MODEL, Scores, baseline_scores

MONTHS = [f"2025-{month:02d}" for month in range(1, 9)]
LOSSES = 20.0 * 1.05 ** np.arange(8)  # thousands, a straight line in logs
HEDGING = HedgingOptions(
    about=0.02,
    confirmed_about=0.02,
    nearly=0.05,
    more_than=0.05,
    range_level=0.8,
    share_band=0.1,
    minimum=0.005,
)


def world(losses: np.ndarray, share: float | None = 0.25, recruits: float = 30.0) -> Figures:
    """A reporter's months, and claims on the killed share and recruits of all months."""
    n = len(losses)
    whole = [("killed_share", np.log(share / (1 - share)), "logit")] if share is not None else []
    whole.append(("recruits", np.log(n * recruits), "log"))
    data = xr.Dataset(
        {
            "weight": (("claim", "month"), np.concatenate([np.eye(n), np.ones((len(whole), n))])),
            "quantity": ("claim", ["losses"] * n + [name for name, _, _ in whole]),
            "origin": ("claim", ["staff"] * n + ["other"] * len(whole)),
        },
        coords={"month": MONTHS[:n]},
    )
    inputs = SimpleNamespace(
        data={"claim_value": np.concatenate([np.log(losses), [v for _, v, _ in whole]])},
        structure=SimpleNamespace(
            claim_scale=("log",) * n + tuple(scale for _, _, scale in whole),
            constants={"exposure": np.ones(n)},
        ),
        figure=lambda name: np.ones(n + len(whole)),
    )
    return Figures(data, cast(ModelInputs, cast(Any, inputs)), "staff", HEDGING)


def test_face_value_says_what_the_reporter_says() -> None:
    draws = face_value(world(LOSSES), np.random.default_rng(1), 2000)
    for month, figure in zip(MONTHS, LOSSES, strict=True):
        own = draws[f"losses[{month}]"]
        assert np.median(own) == pytest.approx(1000 * figure, rel=0.001)
        assert own.std() == pytest.approx(5 * figure, rel=0.1)
    assert np.median(draws["losses[total]"]) == pytest.approx(1000 * LOSSES.sum(), rel=0.001)
    assert np.median(draws["killed[total]"]) == pytest.approx(250 * LOSSES.sum(), rel=0.01)
    gap = 1000 * (30.0 - LOSSES[0])
    assert np.median(draws["replacement_gap[2025-01]"]) == pytest.approx(gap, rel=0.01)


def test_a_trend_goes_through_a_straight_line_and_widens_outside() -> None:
    middle, error = prediction(np.arange(8), np.log(LOSSES), 10)
    assert middle == pytest.approx(np.log(20.0 * 1.05 ** np.arange(10)))
    assert error == pytest.approx(np.zeros(10), abs=1e-9)
    noisy = np.log(LOSSES) + np.array([0.1, -0.1] * 4)
    _, error = prediction(np.arange(8), noisy, 20)
    assert error[-1] > error[3] > 0.1


def test_the_trends_range_holds_the_figures_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    inside = []
    for _ in range(200):
        draws = trend(world(LOSSES * np.exp(0.1 * rng.standard_normal(8))), rng, 400)
        low, high = np.quantile(draws["losses[2025-04]"], [0.05, 0.95])
        inside.append(low <= 1000 * LOSSES[3] * np.exp(0.1 * rng.standard_normal()) <= high)
    assert 0.84 <= np.mean(inside) <= 0.97


def test_nothing_is_said_where_no_claim_speaks() -> None:
    draws = face_value(world(LOSSES, share=None), np.random.default_rng(1), 10)
    assert "losses[2025-01]" in draws
    assert not [name for name in draws if name.startswith(("killed", "net_change"))]
    assert trend(world(LOSSES[:3]), np.random.default_rng(1), 10) == {}


def test_no_share_is_read_off_killed_in_months_that_have_no_losses() -> None:
    one = world(LOSSES, share=None)
    weight = np.ones(8)
    for months, share in ((8, 0.25), (7, np.nan)):
        losses = np.where(np.arange(8) < months, LOSSES, np.nan)
        found = Figures(
            xr.Dataset(
                {
                    "weight": (("claim", "month"), weight[None]),
                    "quantity": ("claim", ["killed"]),
                    "origin": ("claim", ["other"]),
                },
                coords={"month": MONTHS},
            ),
            cast(
                ModelInputs,
                cast(
                    Any,
                    SimpleNamespace(
                        data={"claim_value": np.log([0.25 * LOSSES.sum()])},
                        structure=SimpleNamespace(
                            claim_scale=("log",), constants=one.inputs.structure.constants
                        ),
                        figure=lambda name: np.ones(1),
                    ),
                ),
            ),
            "staff",
            HEDGING,
        )
        found.__dict__["monthly"] = losses
        assert found.killed_share == pytest.approx(np.full(8, share), nan_ok=True)


def test_what_a_baseline_does_not_say_is_not_scored() -> None:
    names = ["losses[2025-01]", "net_change[2025-01]"]
    truth = np.array([[20_000.0, 1.0]])
    found = baseline_scores("face value", [world(LOSSES)], [[1, 2]], names, truth, (0.5, 0.9))
    assert isinstance(found, Scores)
    assert np.isfinite(found.crps[0, 0])
    assert np.isnan(found.low[0, 1]).all()
    assert found.low[0, 0, 1] < 20_000 < found.high[0, 0, 1]
    assert MODEL == "model"
