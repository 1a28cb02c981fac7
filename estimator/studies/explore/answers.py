"""What a world says at a position: the probability of an event, and ranges of quantities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from estimator.errors import ConfigError
from estimator.fitting.smoothing import Weights, weighted_quantiles
from estimator.quantities.answers import with_last_month
from estimator.studies.breakeven.event import Event
from estimator.studies.explore.options import ExploreOptions
from estimator.studies.explore.world import Lamp, Position, World

RANGE = (0.05, 0.5, 0.95)
"""Quantiles of every range."""


@dataclass(frozen=True)
class Answer:
    """What a world says at one position.

    Attributes
    ----------
    weights, ess, lamp
        Weights of the draws, how many independent draws they are worth, and how far to trust them.
    probability, error
        Of the event, and its Monte-Carlo standard error.
    ranges
        `RANGE` of quantities in the period of the event, by name.
    """

    weights: Weights
    ess: float
    lamp: Lamp
    probability: float
    error: float
    ranges: dict[str, tuple[float, float, float]]


def event_of(text: str, world: World) -> Event:
    """Read an event, with the last whole month of a world put in.

    Raises
    ------
    ConfigError
        If it is none, or the world does not have it.
    """
    event = Event.parse(with_last_month(text, world.last_month))
    if event.scenario is not None:
        raise ConfigError(f"event {text!r}: what is projected needs a run: estimator run")
    months = [str(month) for month in world.data["month"].values]
    event.check(world.assumptions, months, [])
    return event


def answer_at(world: World, position: Position, event: Event, options: ExploreOptions) -> Answer:
    """Weight the draws of a world to a position.

    Raises
    ------
    ConfigError
        If the position is none of this world.
    """
    world.check(position)
    weights = world.weights(position)
    share = np.exp(weights.log_weights)
    values = world.draws(event.quantity, event.period)
    happens = values < event.threshold if event.below else values > event.threshold
    probability = float(share @ happens)
    variance = float((share**2) @ (happens - probability) ** 2) / world.relative_ess
    ranges = {}
    for name in dict.fromkeys([event.quantity, *options.quantities]):
        draws = world.draws(name, event.period)
        if not np.isnan(draws).any():
            low, middle, high = weighted_quantiles(draws, share, RANGE)
            ranges[name] = (float(low), float(middle), float(high))
    lamp = world.lamp(weights, options)
    return Answer(weights, world.ess(weights), lamp, probability, variance**0.5, ranges)
