"""Find where a probability crosses a level as an assumption moves: the whole search."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pandas as pd

from estimator.assumptions import AssumptionSet
from estimator.assumptions.compose import plain_and_typed
from estimator.errors import ConfigError, DiagnosticsError, problems_text
from estimator.evidence import load_evidence
from estimator.show.break_even import CONTOUR_COLUMNS, BreakEven
from estimator.studies.breakeven import sentences
from estimator.studies.breakeven.contour import (
    contour_grid,
    contour_table,
    directions,
    level_lines,
    spread_along,
)
from estimator.studies.breakeven.crossing import multiple
from estimator.studies.breakeven.curve import Reweighting
from estimator.studies.breakeven.event import Event
from estimator.studies.breakeven.key_fits import KeyFits, Say
from estimator.studies.breakeven.options import BreakEvenOptions
from estimator.studies.breakeven.ranges import check_key, key_range, prior_of
from estimator.studies.breakeven.reach import reach
from estimator.studies.breakeven.refine import RealFit, Refinement
from estimator.studies.breakeven.search import Search
from estimator.studies.breakeven.tables import (
    crossing_of,
    curve_of,
    curve_table,
    known_values,
)
from estimator.sweep.options import SweepOptions

_LEVELS = (0.001, 0.999)
_AGREES = 2.0  # standard errors within which a fit on a contour agrees with the curve
_CHECKS = 5  # real fits on a contour, at most


def break_even(
    keys: str | Sequence[str],
    event: str,
    level: float,
    overrides: Sequence[str] = (),
    ranges: Sequence[tuple[float, float]] = (),
    options: BreakEvenOptions | None = None,
    config_dir: str | None = None,
    say: Say | None = None,
) -> BreakEven:
    """Find the values of an assumption at which a probability crosses a level.

    Parameters
    ----------
    keys
        A scalar assumption, e.g. ``returns.rate``, or two.
    event
        E.g. ``net_change[2026-01] < 0`` (see `estimator.studies.breakeven.event.Event`).
    level
        Probability that is crossed.
    overrides
        What makes the assumption set, as on the command line.
    ranges
        Low and high end of each key; empty for the widest range of any option.
    options
        Of the search; None takes the group `breakeven` of the configuration.
    config_dir
        A folder of a user's options.
    say
        Told what is being done.

    Returns
    -------
    BreakEven
        With `failures`, if the answer rests on fits that missed a bound of their diagnostics.

    Raises
    ------
    ConfigError
        If a key, the event, the level or a range is impossible; with every problem found.
    EvidenceError
        If the claims cannot be used.

    Examples
    --------
    >>> found = break_even("returns.rate", "net_change[2026-01] < 0", 0.5)  # doctest: +SKIP
    >>> print(found.sentence)  # doctest: +SKIP
    """
    begin = time.perf_counter()
    names = [keys] if isinstance(keys, str) else list(keys)
    asked = _checked(names, event, level, ranges)
    plain, assumptions = plain_and_typed(overrides, config_dir)
    options = options or BreakEvenOptions.from_config(plain["breakeven"])
    sampling = SweepOptions.from_config(plain["sweep"])
    evidence = load_evidence(assumptions)
    asked.check(assumptions, evidence.dataset["month"].values.tolist(), _ahead(assumptions))
    given = [*ranges, *[None] * len(names)]
    axes = [
        key_range(key, assumptions, pair, config_dir)
        for key, pair in zip(names, given, strict=False)
    ]
    fitter = KeyFits(assumptions, evidence, asked, axes, sampling, say or (lambda _: None))
    question = Search(assumptions, evidence, asked, level, axes, options, fitter, begin)
    return _one_key(question) if len(axes) == 1 else _two_keys(question)


def _checked(
    names: Sequence[str], event: str, level: float, ranges: Sequence[tuple[float, float]]
) -> Event:
    """Check what needs no configuration, and return the event."""
    problems = []
    parsed = None
    if not 1 <= len(names) <= 2 or len(set(names)) < len(names):
        problems.append(f"give one key, or two different ones. Got {', '.join(names) or 'none'}")
    for key in names:
        try:
            check_key(key)
        except ConfigError as error:
            problems.append(str(error))
    try:
        parsed = Event.parse(event)
    except ConfigError as error:
        problems.append(str(error))
    if not _LEVELS[0] <= level <= _LEVELS[1]:
        problems.append(f"level must lie between {_LEVELS[0]} and {_LEVELS[1]}. Got {level:g}")
    if ranges and len(ranges) != len(names):
        problems.append(f"give no range, or one for each key. Got {len(ranges)} for {len(names)}")
    if problems or parsed is None:
        raise ConfigError(
            problems[0] if len(problems) == 1 else problems_text("Cannot be asked:", problems)
        )
    return parsed


def _ahead(assumptions: AssumptionSet) -> list[str]:
    last = pd.Period(assumptions.window.end, freq="M")
    return [str(last + step) for step in range(1, assumptions.window.horizon_months + 1)]


def _one_key(asked: Search) -> BreakEven:
    (axis,), options = asked.axes, asked.options
    points = axis.grid(options.points)[:, None]
    reached = reach(asked.fitter, asked.axes, points, asked.level, options)
    scan: list[RealFit] = []
    if reached is None:
        scan = [asked.hold(np.array([x]), "scan") for x in axis.grid(options.scan)]
    reweighting, curve = reached or (None, curve_of(scan))
    search = Refinement(curve, asked.level, asked.hold, options)
    crossings = tuple(crossing_of(axis, one) for one in search.run(scan))
    places = axis.grid(options.check) if options.check else np.empty(0)
    checks = [asked.hold(np.array([x]), "check") for x in places]
    refits = asked.refits([*search.held, *checks], reweighting)
    known = curve_table(curve, asked.axes)
    as_it_is = _as_it_is(asked, reweighting)
    about = (asked.assumptions.label, asked.event.words, asked.level, asked.facts[0])
    sentence = (
        sentences.crossing_sentence(*about, crossings, as_it_is)
        if crossings
        else sentences.no_crossing_sentence(
            *about, known_values(known, refits), multiple(options.interval)
        )
    )
    rests = curve.used.any() or any(one.ok for one in search.held)
    return asked.result(
        crossings=crossings,
        curve=known if reweighting is not None else known.iloc[:0],
        refits=refits,
        contour=pd.DataFrame(columns=list(CONTOUR_COLUMNS)),
        as_it_is=as_it_is,
        sentence=sentence,
        notes=asked.notes(curve, crossings, checks),
        failures=() if rests else tuple(one.failures for one in search.held),
    )


def _two_keys(asked: Search) -> BreakEven:
    options = asked.options
    points = contour_grid(asked.axes, options.contour_points)
    reached = reach(asked.fitter, asked.axes, points, asked.level, options)
    if reached is None:
        raise DiagnosticsError(
            f"The fit over the ranges of {' and '.join(a.key for a in asked.axes)} missed a bound "
            f"of its diagnostics: {asked.fitter.wide_failures[0]}. Narrower ranges, or one key at "
            "a time, may do."
        )
    reweighting, curve = reached
    table = contour_table(curve, asked.axes, asked.level, options.interval)
    lines = level_lines(table)
    places = spread_along(lines, asked.axes, min(options.refits, _CHECKS))
    used = curve.probability[curve.used]
    if not len(used):
        raise DiagnosticsError("No pair of values was reached. Narrower ranges may do.")
    refits = asked.refits([asked.hold(place, "refit") for place in places], reweighting)
    as_it_is = _as_it_is(asked, reweighting)
    sentence = sentences.contour_sentence(
        asked.assumptions.label,
        asked.event.words,
        asked.level,
        asked.facts,
        lines,
        (float(used.min()), float(used.max())),
        directions(curve, asked.level),
        _agreement(refits),
        as_it_is,
    )
    return asked.result(
        crossings=(),
        curve=curve_table(curve, asked.axes),
        refits=refits,
        contour=table,
        as_it_is=as_it_is,
        sentence=sentence,
        notes=asked.notes(curve, (), ()),
        failures=(),
    )


def _agreement(refits: pd.DataFrame) -> tuple[int, int]:
    """How many real fits agree with the curve at their place, and of how many."""
    usable = refits[(refits["failures"] == "") & refits["curve"].notna()]
    allowed = _AGREES * np.hypot(usable["error"], usable["curve_error"])
    return int(((usable["probability"] - usable["curve"]).abs() <= allowed).sum()), len(usable)


def _as_it_is(asked: Search, reweighting: Reweighting | None) -> tuple[float, float]:
    """Probability under what the set itself assumes of the keys, and its error; NaN if unknown."""
    unknown = (np.nan, np.nan)
    priors = [prior_of(asked.assumptions, axis.key) for axis in asked.axes]
    if reweighting is None or any(prior.is_fixed for prior in priors):
        return unknown
    probability, error, ess, k_hat = reweighting.to(asked.fitter.base())
    holds = k_hat <= asked.options.max_k_hat and ess >= asked.options.min_ess
    return (probability, error) if holds else unknown
