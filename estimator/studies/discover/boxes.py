"""Boxes of assumptions in which an event is probable: the leaves of a classification tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from estimator.errors import ConfigError, OutputError
from estimator.quantities.answers import Answer
from estimator.show.number import listed
from estimator.store.sets import Sets
from estimator.studies.breakeven.event import Event
from estimator.studies.compare.drivers.levels import Levels
from estimator.studies.discover.options import DiscoverOptions


@dataclass(frozen=True)
class Box:
    """A region of the assumptions.

    Attributes
    ----------
    allowed
        For each key that it bounds, which levels lie inside. Each (level,), bool.
    sets, holding
        How many sets lie inside, and how many of these have the event.
    coverage
        Share of all sets with the event that lie inside.
    """

    allowed: dict[str, np.ndarray]
    sets: int
    holding: int
    coverage: float

    @property
    def density(self) -> float:
        """Share of the sets inside that have the event."""
        return self.holding / self.sets

    def conditions(self, levels: Levels) -> list[str]:
        """Bounds in words: ``returns.rate is at most 0.25``."""
        texts = []
        for key, inside in self.allowed.items():
            at = levels.names.index(key)
            own = [f"({text})" if " to " in text else text for text in levels.texts[at]]
            rows = np.flatnonzero(inside)
            if not levels.ordered[at] or len(rows) == 1:
                texts.append(f"{key} is {listed([own[n] for n in rows]).replace(' and ', ' or ')}")
            elif rows[0] == 0:
                texts.append(f"{key} is at most {own[rows[-1]]}")
            elif rows[-1] == len(own) - 1:
                texts.append(f"{key} is at least {own[rows[0]]}")
            else:
                texts.append(f"{key} is from {own[rows[0]]} to {own[rows[-1]]}")
        return texts


def chances(sets: Sets, event: Event) -> np.ndarray:
    """Probability of an event in each set; NaN where a set has no draws. (set,).

    Raises
    ------
    ConfigError
        If the event is one of a scenario: sweeps keep no scenarios.
    OutputError
        If no set knows the quantity or the period.
    """
    if event.scenario is not None:
        raise ConfigError(f"event {event}: sweeps keep no scenarios; name a month of the window")
    answer = Answer.parse(f"{event.quantity}[{event.period}]")
    sets.check([answer])
    if event.below and event.threshold == 0.0:
        return sets.value(Answer(event.quantity, event.period, below_zero=True))
    found = np.full(len(sets), np.nan)
    place = {label: n for n, label in enumerate(sets.labels)}
    for chunk in sets.chunks([answer]):
        values = chunk.values[0]
        has = values < event.threshold if event.below else values > event.threshold
        for label, chance in zip(chunk.labels, chunk.weights @ has.astype(float), strict=True):
            found[place[label]] = chance
    if np.isnan(found).all():
        raise OutputError("these sets kept no draws (sweep.keep_draws): ask for an event < 0")
    return found


def boxes(levels: Levels, holds: np.ndarray, options: DiscoverOptions) -> list[Box]:
    """Boxes that are dense enough, those that cover most first.

    Parameters
    ----------
    levels
        What each assumption was in each set.
    holds
        Whether a set has the event. (set,).
    options
        How dense, how small, and of how many conditions.

    Notes
    -----
    CART (Breiman and others, 1984), as scikit-learn has it. Numbers are split by their order, each
    option by itself.
    """
    from sklearn.tree import DecisionTreeClassifier

    columns: list[np.ndarray] = []
    features: list[tuple[int, int | None]] = []
    for n, texts in enumerate(levels.texts):
        if levels.ordered[n]:
            columns.append(levels.codes[:, n].astype(float))
            features.append((n, None))
        else:
            for level in range(len(texts)):
                columns.append((levels.codes[:, n] == level).astype(float))
                features.append((n, level))
    table = np.column_stack(columns)
    tree = DecisionTreeClassifier(
        max_depth=options.conditions,
        min_samples_leaf=max(options.fewest_sets, round(options.least_sets * len(levels))),
        random_state=0,  # only decides between splits that are equally good
    ).fit(table, holds)
    leaf_of = tree.apply(table)
    found = []
    for leaf, allowed in _leaves(tree.tree_, features, levels):
        inside = leaf_of == leaf
        count = int(holds[inside].sum())
        bounded = {key: mask for key, mask in allowed.items() if not mask.all()}
        box = Box(bounded, int(inside.sum()), count, count / max(int(holds.sum()), 1))
        if bounded and box.density >= options.density:
            found.append(box)
    return sorted(found, key=lambda box: -box.coverage)


def _leaves(
    tree: Any, features: list[tuple[int, int | None]], levels: Levels
) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """Walk a tree of scikit-learn: each leaf with the levels that it allows of each key."""
    left, right = tree.children_left, tree.children_right
    every = {
        name: np.ones(len(texts), bool)
        for name, texts in zip(levels.names, levels.texts, strict=True)
    }
    open_nodes = [(0, every)]
    while open_nodes:
        node, allowed = open_nodes.pop()
        if left[node] == right[node]:
            yield node, allowed
            continue
        at, level = features[tree.feature[node]]
        name, codes = levels.names[at], np.arange(len(levels.texts[at]))
        bound = tree.threshold[node]
        below = codes <= bound if level is None else codes != level
        open_nodes.append((left[node], {**allowed, name: allowed[name] & below}))
        open_nodes.append((right[node], {**allowed, name: allowed[name] & ~below}))
