from __future__ import annotations

import pandas as pd
import pytest

from estimator.assumptions.priors import Prior
from estimator.show.break_even import Axis, Crossing
from estimator.studies.breakeven import sentences

RATE = Axis("returns.rate", "share", "share of the wounded who come back to duty", 0.1, 0.85,
            "returns=wide", "0.3 to 0.65 share", 0.3, 0.65)  # fmt: skip
WIDE = 1.96


def known(*probabilities: float, error: float = 0.01) -> pd.DataFrame:
    values = [0.1, 0.4, 0.85]
    return pd.DataFrame(
        {"value": values, "probability": probabilities, "error": error, "fitted": True}
    )


def test_two_crossings_are_told_in_one_sentence() -> None:
    crossings = (
        Crossing(0.2, 0.19, 0.21, True, 3, True),
        Crossing(0.6, 0.58, 0.62, False, 3, True),
    )
    nothing = (float("nan"), float("nan"))
    text = sentences.crossing_sentence("toy", "x < 0", 0.5, RATE, crossings, nothing)
    assert text == (
        "Under `toy`, P(x < 0) rises over 0.50 once returns.rate passes 0.20 [0.19, 0.21] share, "
        "and falls under 0.50 once it passes 0.60 [0.58, 0.62] share. returns.rate is the share of "
        "the wounded who come back to duty; the set itself assumes 0.3 to 0.65 share."
    )


@pytest.mark.parametrize(
    ("probabilities", "parts"),
    [
        ((0.01, 0.2, 0.1), ("stays under 0.50", "at most 0.20 ± 0.01, at 0.4;")),
        ((0.9, 0.7, 0.8), ("stays over 0.50", "at least 0.70 ± 0.01, at 0.4;")),
        ((0.1, 0.2, 0.49), ("at most 0.49 ± 0.01, at 0.85, where it cannot be told from",)),
    ],
)
def test_no_crossing_is_told_with_the_nearest_value_and_both_ends(
    probabilities: tuple[float, ...], parts: tuple[str, ...]
) -> None:
    text = sentences.no_crossing_sentence("toy", "x < 0", 0.5, RATE, known(*probabilities), WIDE)
    for part in (*parts, f"{probabilities[0]:.2f} ± 0.01 at 0.1", "± 0.01 at 0.85."):
        assert part in text


def test_a_real_fit_is_quoted_before_the_curve() -> None:
    table = known(0.10, 0.22, 0.21).assign(fitted=[True, False, True])
    text = sentences.no_crossing_sentence("toy", "x < 0", 0.5, RATE, table, WIDE)
    assert "at most 0.21 ± 0.01, at 0.85" in text
    text = sentences.no_crossing_sentence(
        "toy", "x < 0", 0.5, RATE, table.assign(fitted=False), WIDE
    )
    assert "at most 0.22 ± 0.01, at 0.4" in text


@pytest.mark.parametrize(
    ("prior", "text"),
    [
        (Prior(family="Fixed", value=0.0), "0 share (held fixed)"),
        (Prior(family="LogitNormal", low=0.3, high=0.65), "0.3 to 0.65 share"),
        (Prior(family="LogitNormal", mu=0.0, sigma=1.0), "0.1618 to 0.8382 share"),
    ],
)
def test_what_is_assumed_is_the_range_of_the_prior(prior: Prior, text: str) -> None:
    assert sentences.assumed_text(*sentences.assumed_ends(prior), "share") == text


def test_a_level_has_the_digits_that_it_was_given_with() -> None:
    assert sentences.level_text(0.5) == "0.50"
    assert sentences.level_text(0.025) == "0.025"
