"""Which design the sets of a sweep form, seen from their levels alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from estimator.store.sets import Sets
from estimator.studies.compare.drivers.levels import BUNDLE, Levels, NoSweep, varied_keys
from estimator.studies.compare.drivers.terms import is_determined

_TORNADO = "estimator run -m experiment=tornado"


@dataclass(frozen=True)
class OneAtATime:
    """Each set differs from one base set in one assumption.

    Attributes
    ----------
    levels
        Of the sets.
    base
        Row of the set as it is.
    moved
        Which assumption a set moves; -1 for the base. (set,).
    """

    levels: Levels
    base: int
    moved: np.ndarray


@dataclass(frozen=True)
class Factorial:
    """All combinations of the levels, each once.

    Attributes
    ----------
    levels
        Of the sets.
    cells
        Rows of the sets by their levels. (level of the first assumption, of the second, …).
    """

    levels: Levels
    cells: np.ndarray


@dataclass(frozen=True)
class Saltelli:
    """Blocks of a point A, A with each assumption in turn taken from B, and B.

    Attributes
    ----------
    levels
        Of the sets.
    blocks
        Rows of the sets. (block, assumption + 2).
    """

    levels: Levels
    blocks: np.ndarray


@dataclass(frozen=True)
class Scattered:
    """Sets that vary several assumptions together, with enough spread to tell them apart."""

    levels: Levels


Design = OneAtATime | Factorial | Saltelli | Scattered


def recognise(sets: Sets, labels: list[str] | None = None) -> Design:
    """Find out what design the sets of a sweep form.

    Parameters
    ----------
    sets
        The collection; sets of runs without varied keys are left aside.
    labels
        Of the sets to look at; None for all.

    Raises
    ------
    NoSweep
        If no difference between the sets can be put down to one assumption.
    """
    facts = sets.facts
    if labels is not None:
        facts = facts.iloc[sorted(sets.select(labels))]
    keys = varied_keys(facts)
    levels = Levels.of(keys)
    if levels.names == (BUNDLE,):
        raise NoSweep("these sets differ in whole bundles (assumptions=…)")
    found = one_at_a_time(levels) or _factorial(levels) or _saltelli(levels)
    if found is not None:
        return found
    finished = facts.loc[keys.index, "obtained"].isin(("fitted", "reweighted")).to_numpy()
    if not is_determined(levels.take(np.flatnonzero(finished))):
        raise NoSweep(
            f"these {len(levels)} sets move their {len(levels.names)} assumptions together or are "
            "too few"
        )
    return Scattered(levels)


def why_not(sets: Sets, labels: list[str] | None = None) -> str:
    """Say why drivers cannot be told from these sets and what would tell them; empty if they can.

    Parameters
    ----------
    sets, labels
        As for `recognise`.
    """
    try:
        recognise(sets, labels)
    except NoSweep as reason:
        return (
            f"Which assumption drives the answers cannot be told: {reason}. "
            f"One at a time would tell: {_TORNADO}"
        )
    return ""


def one_at_a_time(levels: Levels) -> OneAtATime | None:
    """Read the sets as changes of one assumption each; None if they are not."""
    codes = levels.codes
    usual = np.array([np.bincount(column).argmax() for column in codes.T])
    candidates = [0, *np.flatnonzero((codes == usual).all(axis=1)).tolist()]
    for base in dict.fromkeys(candidates):
        moved = _moved(levels, base)
        if moved is not None:
            return OneAtATime(levels, base, moved)
    return None


def _moved(levels: Levels, base: int) -> np.ndarray | None:
    """Which assumption each set moves; None if one moves none, several, or one twice alike."""
    differs = levels.codes != levels.codes[base]
    for child, parent in _inside(levels.names):
        # An option brings values of its own: that they differ is the option's doing.
        differs[:, child] &= ~differs[:, parent]
    if not (np.delete(differs, base, axis=0).sum(axis=1) == 1).all():
        return None
    moved = np.where(differs.any(axis=1), differs.argmax(axis=1), -1)
    pairs = {(a, levels.codes[row, a]) for row, a in enumerate(moved) if a >= 0}
    return moved if len(pairs) == len(moved) - 1 else None


def _inside(names: tuple[str, ...]) -> list[tuple[int, int]]:
    """Pairs of an assumption and the group (or the bundle) that it lies in."""
    return [
        (child, parent)
        for child, inner in enumerate(names)
        for parent, outer in enumerate(names)
        if inner.startswith(f"{outer}.") or (outer == BUNDLE and inner != BUNDLE)
    ]


def _saltelli(levels: Levels) -> Saltelli | None:
    """Read the sets block by block; a crossing that is A itself was made only once."""
    codes, blocks, row = levels.codes, [], 0
    while row < len(codes):
        block = _block(codes, row)
        if block is None:
            return None
        blocks.append(block)
        row = max(block) + 1
    ends = codes[np.array(blocks)[:, [0, -1]]].reshape(-1, len(levels.names))
    # Some assumption must be new in each point: else a lattice could pass for blocks.
    new = [len(set(column)) == len(column) for column in ends.T.tolist()]
    return Saltelli(levels, np.array(blocks)) if len(blocks) > 1 and any(new) else None


def _block(codes: np.ndarray, first: int) -> list[int] | None:
    a = codes[first]
    crossed = [first] * len(a)
    point, last, row = a.copy(), -1, first + 1
    while row < len(codes):
        (differs,) = np.nonzero(codes[row] != a)
        if len(differs) != 1 or differs[0] <= last:
            break
        last = int(differs[0])
        crossed[last], point[last] = row, codes[row, last]
        row += 1
    number = sum(place != first for place in crossed)
    if number == 1:  # A crossed in the only assumption in which they differ is B
        return [first, *crossed, row - 1]
    if number == 0 or row == len(codes) or not (codes[row] == point).all():
        return None
    return [first, *crossed, row]


def _factorial(levels: Levels) -> Factorial | None:
    shape = tuple(levels.counts)
    if np.prod(np.array(shape, dtype=float)) != len(levels):
        return None
    cells = np.full(shape, -1)
    cells[tuple(levels.codes.T)] = np.arange(len(levels))
    return Factorial(levels, cells) if (cells >= 0).all() else None
