"""What scenario discovery says: a sentence, a table of boxes, and a picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from estimator.show.grid import Grid, column
from estimator.show.number import count, rounded
from estimator.show.part import Part
from estimator.store.sets import Sets
from estimator.studies.breakeven.event import Event
from estimator.studies.compare.drivers.levels import Levels, NoSweep, varied_keys
from estimator.studies.compare.labels import is_told
from estimator.studies.discover.boxes import Box, boxes, chances
from estimator.studies.discover.options import DiscoverOptions

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def discovery(sets: Sets, event: Event, options: DiscoverOptions) -> Part:
    """Find the boxes in which an event is probable, and say so.

    Raises
    ------
    NoSweep
        If the sets are not of one sweep, or differ in whole bundles of options.
    ConfigError, OutputError
        If the event cannot be asked.
    """
    levels = Levels.of(varied_keys(sets.facts))
    if not is_told(levels):
        raise NoSweep("these sets differ in whole bundles of options; a sweep varies single keys")
    chance = chances(sets, event)[pd.Index(sets.labels).get_indexer(pd.Index(levels.labels))]
    known = np.flatnonzero(np.isfinite(chance))
    levels, chance = levels.take(known), chance[known]
    holds = chance >= options.level
    found = boxes(levels, holds, options) if 0 < holds.sum() < len(holds) else []
    rows = [
        (
            "; ".join(box.conditions(levels)),
            str(box.sets),
            rounded(box.density, "share"),
            rounded(box.coverage, "share"),
        )
        for box in found
    ]
    grid = Grid.of(
        f"Where P({event.words}) is at least {options.level:g}",
        (column("where", "name"), "sets", "density", "coverage"),
        rows,
        [
            "Density: the share of the sets of a box that have the event. Coverage: the share of "
            "all sets with the event that lie in it. The sets are those of the sweep: how probable "
            "they are, nobody says."
        ],
    )
    table = pd.DataFrame(levels.codes, columns=list(levels.names))
    for n, name in enumerate(levels.names):
        table[name] = [levels.texts[n][code] for code in levels.codes[:, n]]
    table.insert(0, "probability", chance)
    table.insert(0, "assumption_set", list(levels.labels))

    def figures() -> Iterator[tuple[str, Figure]]:
        from estimator.show.figures.boxes import plot_boxes  # matplotlib takes a second

        masks = [box.allowed for box in found]
        yield "boxes", plot_boxes(levels, chance, options.level, masks, event.words)

    return Part(
        sentences=_sentences(event, levels, holds, found, options),
        grids=[grid] if rows else [],
        tables={"probabilities": table, "boxes": _table(found, levels)},
        figures=figures,
    )


def _table(found: list[Box], levels: Levels) -> pd.DataFrame:
    return pd.DataFrame(
        [
            ("; ".join(box.conditions(levels)), box.sets, box.holding, box.density, box.coverage)
            for box in found
        ],
        columns=["where", "sets", "with_event", "density", "coverage"],
    )


def _sentences(
    event: Event, levels: Levels, holds: np.ndarray, found: list[Box], options: DiscoverOptions
) -> list[str]:
    total, having = len(levels), int(holds.sum())
    level = f"P({event.words}) is at least {options.level:g}"
    if having in (0, total):
        return [f"{level} in {'every' if having else 'none'} of {count(total, 'set')}."]
    opening = f"{level} in {having:,} of {total:,} sets"
    if not found:
        return [
            f"{opening}, in no region of at most {count(options.conditions, 'condition')} in which "
            f"{rounded(options.density, 'share')} of the sets have it."
        ]
    first = found[0]
    return [
        f"{opening}. Where {' and '.join(first.conditions(levels))}, it is so in "
        f"{rounded(first.density, 'share')} of the sets; that is "
        f"{rounded(first.coverage, 'share')} of all sets in which it is so."
    ]
