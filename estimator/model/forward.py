"""The forward map: what claims would read, were the state of a world known.

Monthly series become the sums that claims are about, and these the locations of their reports: what
an origin would report but for noise, on the scale of the claim's quantity. One map serves the
model, whose states are PyTensor variables, and all that works on draws, whose states are NumPy
arrays: `xp` is the module of either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from estimator.model.force import returned
from estimator.quantity import OTHER_EXITS, QUANTITIES, combine, with_killed

if TYPE_CHECKING:
    from estimator.model.inputs import Structure

SERIES = (
    "losses",
    "killed",
    "light",
    "counted",
    "recruits",
    "foreign_recruits",
    "returned",
    OTHER_EXITS,
)
"""Monthly series that claims add up, in the order of the state.

`counted` are the losses as those count them who are not named in `definitions.origins`.
"""


def claim_locations(
    structure: Structure,
    apply: Callable[[str, Any], Any],
    series: Mapping[str, Any],
    value: Mapping[str, Any],
    shift: Any,
    of_populations: Any = None,
) -> np.ndarray:
    """Work out where the report of each claim would lie without noise, on its quantity's scale.

    Parameters
    ----------
    structure, apply, series, value, of_populations
        As for `claim_sums`.
    shift
        Bias, drift and wandering of each claim's source at the claim's time. (..., claim).

    Returns
    -------
    (..., claim)
    """
    total, rest = claim_sums(structure, apply, series, value, np, of_populations)
    size = structure.constants["claim_size"]
    return np.asarray(locations(structure.claim_scale, total, rest, shift, size))


def claim_sums(
    structure: Structure,
    apply: Callable[[str, Any], Any],
    series: Mapping[str, Any],
    value: Mapping[str, Any],
    xp: Any = np,
    of_populations: Any = None,
) -> tuple[Any, Any]:
    """Add up what each claim is about.

    Parameters
    ----------
    structure
        Of the model.
    apply
        Its linear maps, as a function of their name and a vector: `Layout.apply` of variables,
        `Layout.multiply` of arrays.
    series
        Losses, killed share, recruits, foreign recruits and other exits; thousands, shares.
        (..., month).
    value
        Scalar assumptions by key, thousands. (...).
    xp
        numpy or pytensor.tensor.
    of_populations
        Killed of the populations of registries, one after the other, thousands; None if there are
        none. (..., population × month).

    Returns
    -------
    total, rest
        As for `locations`, thousands. (..., claim) each.
    """
    series = with_killed(series)
    wounded = combine(QUANTITIES["wounded"].parts, series)
    severe, light = _of_months(value["definitions.severe"]), _of_months(value["definitions.light"])
    rate = _of_months(value["returns.rate"])
    series["light"] = rate * wounded
    series["counted"] = series["losses"] * counted_share(
        series["killed_share"], rate, severe, light
    )
    if structure.has_flows_of_force:
        series["returned"] = returned(
            apply("history", wounded),
            structure.constants["exposure"],
            value["returns.rate"],
            value["returns.delay"],
            xp,
        )
    else:
        series["returned"] = xp.zeros_like(series["losses"])
    start = xp.stack([value["force.start"]], axis=-1)
    state = [*(series[name] for name in SERIES), start]
    if of_populations is not None:
        state.append(of_populations)
    state = xp.concatenate(state, axis=-1)
    return _halves(apply("claims", state), len(structure.claim_scale), xp)


def _of_months(scalar: Any) -> Any:
    """Give a scalar of each draw a last axis for the months; a scalar variable needs none."""
    return scalar[..., None] if isinstance(scalar, np.ndarray) and scalar.ndim else scalar


def counted_share(killed_share: Any, rate: Any, severe: Any, light: Any) -> Any:
    """Share of the losses that a figure counts, if all killed are in it.

    Parameters
    ----------
    killed_share
        Killed / losses.
    rate
        Share of the wounded who come back to duty: the light wounded.
    severe, light
        Share of the severely and of the lightly wounded that the figure counts.
    """
    return killed_share + (1.0 - killed_share) * (severe + rate * (light - severe))


def _halves(both: Any, length: int, xp: Any) -> tuple[Any, Any]:
    if xp is np:
        return both[..., :length], both[..., length:]
    total, rest = xp.split(both, splits_size=[length, length])
    return total, rest


def locations(
    scale: tuple[str, ...], total: Any, rest: Any, shift: Any, size: np.ndarray, xp: Any = np
) -> Any:
    """Put the sums that claims are about on the scales of their quantities, with their shifts.

    Parameters
    ----------
    scale
        Scale of each claim: log, logit, difference or stock.
    total
        The claim's sum, thousands. (..., claim).
    rest
        For shares the sum of those outside the share, else 0. (..., claim).
    shift
        As for `claim_locations`. A difference gets it for each month, a stock as a log ratio.
    size
        Months that a difference adds up, else 1. (claim,).
    xp
        numpy or pytensor.tensor.

    Returns
    -------
    (..., claim)
    """
    names = np.array(scale)
    is_share, is_stock = names == "logit", names == "stock"
    is_ratio = is_share | (names == "log")
    ratio = total / xp.where(is_share, rest, 1.0) if is_share.any() else total
    location = xp.log(xp.where(is_ratio, ratio, 1.0)) + shift
    if is_ratio.all():
        return location
    linear = total + shift * size
    if is_stock.any():
        linear = xp.where(is_stock, total * xp.exp(xp.where(is_stock, shift, 0.0)), linear)
    return xp.where(is_ratio, location, linear)


def by_key(values: xr.DataArray) -> dict[str, np.ndarray]:
    """Draws of the scalar assumptions by key, without their dim. (...) each."""
    return {
        str(key): values.sel(assumption=key).values for key in values["assumption"].values.tolist()
    }


def confirmed_weights(states: Any, value: Mapping[str, Any]) -> tuple[Any, Any]:
    """Say which share of the severely and of the lightly wounded each confirmed figure counts.

    Parameters
    ----------
    states
        As `estimator.model.figures.confirmed_states` gives it. (counted_state, confirmed_claim).
    value
        Scalar assumptions by key. (...).

    Returns
    -------
    severe, light
        (..., confirmed_claim) each.
    """
    severe, light, by_definition = (states[row] for row in range(3))
    return (
        severe + by_definition * _of_months(value["definitions.confirmed_severe"]),
        light + by_definition * _of_months(value["definitions.confirmed_light"]),
    )


def confirmed_totals(
    losses: np.ndarray,
    killed_share: np.ndarray,
    value: Mapping[str, np.ndarray],
    weight: np.ndarray,
    states: np.ndarray,
) -> np.ndarray:
    """Add up what each confirmed figure counts, true but perhaps unconfirmed.

    Parameters
    ----------
    losses, killed_share
        (..., month).
    value
        Scalar assumptions by key. (...).
    weight
        Of the months in each confirmed period. (confirmed_claim, month).
    states
        As for `confirmed_weights`.

    Returns
    -------
    (..., confirmed_claim), in the unit of `losses`
    """
    severe, light = confirmed_weights(states, value)
    killed = (losses * killed_share) @ weight.T
    wounded = (losses * (1.0 - killed_share)) @ weight.T
    rate = _of_months(value["returns.rate"])
    return np.asarray(killed + wounded * (severe + rate * (light - severe)))


def confirmed_figure(
    total: Any, true_share: Any, log_ratio: Any, spread: Any, noise: Any, xp: Any = np
) -> Any:
    """Work out what is confirmed of a true total.

    Parameters
    ----------
    total
        As `confirmed_totals` gives it.
    true_share
        1 less the share of the confirmed that is wrong.
    log_ratio, spread
        Log of the typical ratio of unconfirmed to confirmed, and how it spreads between periods.
    noise
        Standard normal.
    xp
        numpy or pytensor.tensor.
    """
    return total / (true_share * (1.0 + xp.exp(log_ratio + spread * noise)))
