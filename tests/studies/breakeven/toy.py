"""A question whose answer is known: one key with a normal posterior, an outcome that follows it."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
from scipy import stats

from estimator.assumptions import ASSUMPTIONS
from estimator.assumptions.compose import plain_config
from estimator.fitting.reweighting import Hyperparameters, NaturalDraws
from estimator.model.figures import FIGURES
from estimator.show.break_even import (
    CONTOUR_COLUMNS,
    CURVE_COLUMNS,
    REFIT_COLUMNS,
    Axis,
    BreakEven,
    Crossing,
)
from estimator.studies.breakeven.curve import Curve, WideFit
from estimator.studies.breakeven.options import BreakEvenOptions

KEY = list(ASSUMPTIONS).index("returns.rate")
OTHER = list(ASSUMPTIONS).index("force.other_exits")
DATUM, NOISE = 1.0, 0.9  # one datum y = x + noise pulls the key
START, SLOPE, SPREAD = 0.4, 1.3, 1.0  # outcome = START + SLOPE x + SPREAD e; the event: below 0
OTHER_SLOPE = -0.8  # of a second key that no datum speaks of


@functools.cache
def _shipped() -> dict[str, object]:
    return dict(plain_config()["breakeven"])


def options(**changes: object) -> BreakEvenOptions:
    return BreakEvenOptions.from_config({**_shipped(), **changes})


def truth(x: np.ndarray | float, other: np.ndarray | float = 0.0) -> np.ndarray:
    """Probability of the event with the keys held."""
    return np.asarray(stats.norm.cdf(-(START + SLOPE * x + OTHER_SLOPE * other) / SPREAD))


def wide_fit(
    location: float = 0.0, scale: float = 1.5, seed: int = 0, n: int = 20_000, *, two: bool = False
) -> WideFit:
    """Independent draws of the posterior under a normal prior of the key (and of another)."""
    rng = np.random.default_rng(seed)
    precision = scale**-2 + NOISE**-2
    x = rng.normal((location / scale**2 + DATUM / NOISE**2) / precision, precision**-0.5, n)
    other = rng.normal(0.0, scale, n) if two else np.zeros(n)
    outcome = START + SLOPE * x + OTHER_SLOPE * other + SPREAD * rng.standard_normal(n)
    n_parameters = len(ASSUMPTIONS) + 2
    linear = np.zeros((n_parameters, n))
    linear[KEY], linear[OTHER] = x, other
    locations, scales = np.zeros(n_parameters), np.zeros(n_parameters)
    locations[KEY], scales[KEY] = location, scale
    if two:
        scales[OTHER] = scale
    empty = np.zeros((len(FIGURES), 0))
    hyper = Hyperparameters(locations, scales, {}, empty, np.zeros(0))
    return WideFit(NaturalDraws(linear, np.zeros((n, 0))), hyper, outcome < 0.0, 1.0)


def curve(x: np.ndarray, probability: np.ndarray, error: float | np.ndarray = 0.01) -> Curve:
    """A curve that is known everywhere."""
    errors = np.broadcast_to(np.asarray(error, float), probability.shape)
    size = np.full(len(x), 1000.0)
    return Curve(x[:, None], probability, errors, size, np.zeros(len(x)), np.ones(len(x), bool))


def result(**changes: object) -> BreakEven:
    """A break-even of one key with a crossing and a failed fit."""
    x = np.linspace(0.1, 0.9, 9)
    points = pd.DataFrame(
        {"value": x, "value_2": np.nan, "probability": 1 - x, "error": 0.01, "ess": 900.0,
         "k_hat": 0.1, "used": [True] * 8 + [False]},
        columns=list(CURVE_COLUMNS),
    )  # fmt: skip
    refits = pd.DataFrame(
        [
            ("refit", 0.45, np.nan, 0.56, 0.01, 2000.0, 0.55, 0.01, "", 3.0),
            ("check", 0.55, np.nan, 0.44, 0.01, 2000.0, 0.45, 0.01, "", 3.0),
            ("refit", 0.60, np.nan, 0.10, 0.01, 50.0, 0.40, 0.01, "R-hat 1.2 > 1.01", 3.0),
        ],
        columns=list(REFIT_COLUMNS),
    )
    fields: dict[str, object] = {
        "axes": (
            Axis("returns.rate", "share", "share of the wounded who come back to duty", 0.1, 0.9,
                 "returns=wide", "0.3 to 0.65 share", 0.3, 0.65),
        ),
        "event": "net_change[2026-01] < 0",
        "words": "net change in 2026-01 < 0",
        "level": 0.5,
        "interval": 0.95,
        "crossings": (Crossing(0.51, 0.48, 0.53, False, 1, True),),
        "curve": points,
        "refits": refits,
        "contour": pd.DataFrame(columns=list(CONTOUR_COLUMNS)),
        "as_it_is": 0.4,
        "as_it_is_error": 0.01,
        "sentence": "Under `toy`, it falls under 0.50 once returns.rate passes 0.51.",
        "notes": ("One note.",),
        "failures": (),
        "assumption_set": "toy",
        "assumption_set_id": "0123456789abcdef",
        "data_hash": "abc",
        "versions": {"estimator": "0"},
        "seed": 1,
        "seconds": 2.0,
    }  # fmt: skip
    return BreakEven(**{**fields, **changes})


def result_of_two_keys() -> BreakEven:
    """A break-even of two keys, of whose grid a corner is not reached."""
    one = result()
    a, b = np.meshgrid(np.linspace(0.1, 0.9, 5), np.geomspace(1000.0, 16_000.0, 5), indexing="ij")
    points = pd.DataFrame(
        {"value": a.ravel(), "value_2": b.ravel(),
         "probability": np.clip(1.2 - a - np.log10(1e4 / b) / 3, 0.02, 0.98).ravel(),
         "error": 0.02, "ess": 500.0, "k_hat": 0.1, "used": [False] + [True] * 24},
        columns=list(CURVE_COLUMNS),
    )  # fmt: skip
    lines = pd.DataFrame(
        [("level", 0, 0.3, 2000.0), ("level", 0, 0.7, 9000.0), ("lower", 0, 0.28, 2000.0),
         ("lower", 0, 0.68, 9000.0), ("upper", 0, 0.32, 2000.0), ("upper", 0, 0.72, 9000.0)],
        columns=list(CONTOUR_COLUMNS),
    )  # fmt: skip
    refits = one.refits.iloc[[0, 2]].assign(value=[0.3, 0.7], value_2=[2000.0, 9000.0])
    refits = refits.reset_index(drop=True)
    second = Axis("force.other_exits", "persons/month", "exits beside losses", 1000.0, 16_000.0,
                  "force=central", "1,000 to 15,000 persons/month", 1000.0, 15_000.0)  # fmt: skip
    return result(
        axes=(*one.axes, second), crossings=(), curve=points, contour=lines, refits=refits
    )
