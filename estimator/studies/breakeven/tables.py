"""Tables and notes of a result, in the units of its keys, from what a search found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from estimator.show.break_even import CURVE_COLUMNS, REFIT_COLUMNS, Crossing
from estimator.show.number import significant
from estimator.studies.breakeven.crossing import find_places
from estimator.studies.breakeven.curve import Curve, Reweighting
from estimator.studies.breakeven.options import BreakEvenOptions
from estimator.studies.breakeven.ranges import KeyRange
from estimator.studies.breakeven.refine import NarrowedCrossing, RealFit


def crossing_of(axis: KeyRange, found: NarrowedCrossing) -> Crossing:
    """Bring a crossing into the unit of its key."""
    place = found.place
    value, low, high = (float(axis.spec.value(x)) for x in (place.x, place.low, place.high))
    return Crossing(
        value, low, high, place.rising, found.fits, found.narrow, place.open_low, place.open_high
    )


def curve_table(curve: Curve, axes: Sequence[KeyRange]) -> pd.DataFrame:
    """Curve in the units of its keys: `CURVE_COLUMNS`."""
    columns = {
        **_values(curve.x, axes),
        "probability": curve.probability,
        "error": curve.error,
        "ess": curve.ess,
        "k_hat": curve.k_hat,
        "used": curve.used,
    }
    return pd.DataFrame(columns, columns=list(CURVE_COLUMNS))


def refit_table(
    held: Sequence[RealFit],
    axes: Sequence[KeyRange],
    reweighting: Reweighting | None,
    kernel: np.ndarray,
    options: BreakEvenOptions,
) -> pd.DataFrame:
    """Real fits beside what the reweighted draws say at the same place: `REFIT_COLUMNS`."""
    x = np.array([one.x for one in held]).reshape(-1, len(axes))
    on_curve = np.full((len(held), 2), np.nan)
    if reweighting is not None and len(held):
        found = reweighting.curve(x, kernel, max_k_hat=options.max_k_hat, min_ess=options.min_ess)
        on_curve[found.used] = np.stack([found.probability, found.error], axis=1)[found.used]
    columns = {
        "kind": [one.kind for one in held],
        **_values(x, axes),
        **{name: [getattr(one, name) for one in held] for name in ("probability", "error", "ess")},
        "curve": on_curve[:, 0],
        "curve_error": on_curve[:, 1],
        "failures": [one.failures for one in held],
        "seconds": [one.seconds for one in held],
    }
    return pd.DataFrame(columns, columns=list(REFIT_COLUMNS))


def _values(x: np.ndarray, axes: Sequence[KeyRange]) -> dict[str, np.ndarray]:
    values = [axis.spec.value(x[:, n]) for n, axis in enumerate(axes)]
    return {"value": values[0], "value_2": values[1] if len(axes) > 1 else np.full(len(x), np.nan)}


def curve_of(held: Sequence[RealFit]) -> Curve:
    """Real fits as a curve; those that failed are not used. In the order of the first key."""
    ordered = sorted(held, key=lambda one: float(one.x[0]))

    def column(name: str) -> np.ndarray:
        return np.array([getattr(one, name) for one in ordered], dtype=float)

    return Curve(
        np.array([one.x for one in ordered]),
        column("probability"),
        column("error"),
        column("ess"),
        np.full(len(ordered), np.nan),
        np.array([one.ok for one in ordered], dtype=bool),
    )


def known_values(curve: pd.DataFrame, refits: pd.DataFrame) -> pd.DataFrame:
    """Join what is known along one key: the curve, and in its place real fits where there are.

    Returns
    -------
    pandas.DataFrame
        Columns value (rising), probability, error, and fitted: whether it is a real fit.
    """
    fits = refits[(refits["failures"] == "") & (refits["kind"] != "check")]
    columns = ["value", "probability", "error", "fitted"]
    reweighted = curve[curve["used"].astype(bool)].assign(fitted=False)
    both = pd.concat([reweighted[columns], fits.assign(fitted=True)[columns]])
    order = both.assign(at=both["value"].round(12)).drop_duplicates("at", keep="last")
    return order.sort_values("value")[columns].reset_index(drop=True)


def notes_of(
    curve: Curve,
    axes: Sequence[KeyRange],
    crossings: Sequence[Crossing],
    checks: Sequence[RealFit],
    wide_failures: Sequence[str],
    level: float,
    options: BreakEvenOptions,
) -> tuple[str, ...]:
    """Say what has to be known beside the answer."""
    notes = []
    if wide_failures and wide_failures[0]:
        notes.append(
            f"The fit over the whole range missed a bound ({wide_failures[0]}): real fits stand in "
            "for the curve."
        )
    failed = [text for text in wide_failures[1:] if text]
    if failed:
        notes.append(f"{len(failed)} helping fits missed a bound and were left out.")
    missing = int((~curve.used).sum())
    if missing:
        notes.append(_missing_text(curve, axes, missing))
    for one in crossings:
        if not one.fits:
            notes.append(f"The crossing at {one} is read off the reweighted curve alone.")
        if not one.narrow:
            notes.append(
                f"The interval of the crossing at {one} is wider than the tolerance; more fits "
                "narrow it (breakeven.refits, breakeven.refit_draws)."
            )
    if checks:
        notes.append(_check_text(axes[0], checks, level, options))
    return tuple(notes)


def _missing_text(curve: Curve, axes: Sequence[KeyRange], missing: int) -> str:
    where = ""
    if len(axes) == 1:
        axis = axes[0]
        values = axis.spec.value(curve.x[~curve.used, 0])
        where = (
            f", from {significant(values.min())} to {significant(values.max())} {axis.spec.unit}"
        )
    return f"{missing} of {len(curve.x)} points of the curve were not reached and left out{where}."


def _check_text(
    axis: KeyRange, checks: Sequence[RealFit], level: float, options: BreakEvenOptions
) -> str:
    """Say what a plain grid of real fits gives, with lines in between on the probit scale."""
    grid = curve_of(checks)
    places = find_places(
        grid.x[:, 0], grid.probability, grid.error, grid.used, level, options.interval
    )
    found = [
        crossing_of(axis, NarrowedCrossing(place, len(checks), narrow=True)) for place in places
    ]
    text = ", ".join(map(str, found))
    return f"{len(checks)} real fits, evenly spread, cross the level at {text or 'no value'}."
