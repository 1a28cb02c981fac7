"""Orthonormal functions of one and of two assumptions, and whether sets tell them apart."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import legendre

from estimator.studies.compare.drivers.levels import Levels

_FEW_LEVELS = 8  # so many or fewer are told apart level by level, more are places along an axis
_ALONE = 10  # highest degree of a polynomial of one assumption
_PAIR = 8  # of a product of two, lowered until there are at most _TERMS
_TERMS = 1500
_CONDITION = 10.0  # of the main effects: above, assumptions move together

Term = tuple[tuple[int, int], ...]
"""Functions of a product, each as assumption and number."""


def is_determined(levels: Levels) -> bool:
    """Whether sets tell the main effects of their assumptions apart."""
    columns = []
    for assumption in range(len(levels.names)):
        functions, degrees = _functions(levels, assumption)
        columns.append(functions[:, degrees == 1])
    design = np.column_stack(columns)
    if not design.shape[1] or len(design) < 2 * (design.shape[1] + 1):
        return False
    design = design - design.mean(axis=0)
    scale = np.sqrt((design**2).mean(axis=0))
    return bool((scale > 0).all() and np.linalg.cond(design / scale) <= _CONDITION)


@dataclass(frozen=True)
class Basis:
    """Terms for some sets, which all answers share.

    Attributes
    ----------
    levels
        Of the sets.
    terms
        Functions of one and of two assumptions.
    functions
        What each term is in each set. (set, term).
    covariance
        Of the terms over the sets. (term, term).
    """

    levels: Levels
    terms: tuple[Term, ...]
    functions: np.ndarray
    covariance: np.ndarray

    @classmethod
    def of(cls, levels: Levels) -> Basis:
        """Make the terms for some sets."""
        terms, functions = _terms(levels)
        centred = functions - functions.mean(axis=0)
        return cls(levels, tuple(terms), functions, centred.T @ centred / len(levels))


def _terms(levels: Levels) -> tuple[list[Term], np.ndarray]:
    """Terms, and what each is in each set. (set, term)."""
    bases, degrees = zip(
        *(_functions(levels, assumption) for assumption in range(len(levels.names))), strict=True
    )
    alone: list[Term] = [((a, f),) for a, own in enumerate(degrees) for f in range(len(own))]
    pairs: list[tuple[int, Term]] = [
        (int(degrees[a][f] + degrees[b][g]), ((a, f), (b, g)))
        for a, b in itertools.combinations(range(len(bases)), 2)
        for f, g in itertools.product(range(len(degrees[a])), range(len(degrees[b])))
    ]
    room = max(_TERMS - len(alone), 0)
    highest = next((h for h in range(_PAIR, 1, -1) if sum(d <= h for d, _ in pairs) <= room), 0)
    terms = [*alone, *(term for degree, term in pairs if degree <= highest)]
    columns = [np.prod([bases[a][:, f] for a, f in term], axis=0) for term in terms]
    return terms, np.column_stack(columns)


def _functions(levels: Levels, assumption: int) -> tuple[np.ndarray, np.ndarray]:
    """Functions of one assumption, (set, function), and their degrees.

    Of few levels or options the functions tell each level apart; options have no order, and so
    their functions all have degree 1.
    """
    present, codes = np.unique(levels.codes[:, assumption], return_inverse=True)
    count = len(present)
    ordered = bool(levels.ordered[assumption])
    if ordered and count > _FEW_LEVELS:
        degrees = np.arange(1, _ALONE + 1)
        values = legendre.legvander(2.0 * _places(codes) - 1.0, _ALONE)[:, 1:]
        return values * np.sqrt(2.0 * degrees + 1.0), degrees
    # Polynomials of the level's number; where that means nothing, any basis of the levels.
    powers = np.vander(np.linspace(-1.0, 1.0, count), increasing=True)
    contrasts = np.linalg.qr(powers)[0][:, 1:] * np.sqrt(count)
    degrees = np.arange(1, count) if ordered else np.ones(count - 1, int)
    return contrasts[codes], degrees


def _places(codes: np.ndarray) -> np.ndarray:
    """Places of the unit interval from ranks: designs spread their points evenly over an axis."""
    counts = np.bincount(codes)
    middles = np.cumsum(counts) - 0.5 * counts
    return np.asarray(middles[codes] / len(codes))
