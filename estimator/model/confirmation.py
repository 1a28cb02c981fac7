"""Confirmed figures as a floor under the losses.

A confirmed figure C of a period says: C (1 - false_confirmation) = S / (1 + unconfirmed_ratio),
where S is the true figure of the period and unconfirmed_ratio > 0. So S is never below the floor
C (1 - false_confirmation), in every draw.

Sampling S directly would give the sampler a wall to run into. `FloorTransform` samples the log of
what lies above the floor instead; the Jacobian of that cancels with the density of the ratio
where one month has one figure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.logprob.transforms import Transform
from pytensor.tensor import TensorVariable

from estimator.model.forward import confirmed_figure

_TINY = 1e-12


@dataclass(frozen=True)
class Pivots:
    """For each floor the months in which the change of variables makes it hold.

    Floors of one month lift that month. One on a sum of which nobody reports a month, and no other
    floor speaks of, lifts all its months by one factor: lifting one of them alone bends the density
    where the others come to the whole sum. The others lift, each, the last of their months in the
    order in which months are fixed: first those with a floor of their own, then the rest in time.

    Attributes
    ----------
    single
        Floors of one month.
    sums
        Floors that lift one month of many, by that month, in the order in which these are fixed.
    whole
        Floors that lift all their months.
    """

    single: tuple[int, ...]
    sums: tuple[tuple[int, tuple[int, ...]], ...]
    whole: tuple[int, ...] = ()

    @property
    def months(self) -> tuple[int, ...]:
        """All pivot months of floors on sums."""
        return tuple(month for month, _ in self.sums)

    @classmethod
    def of(cls, covered: np.ndarray, reported: np.ndarray) -> Pivots:
        """Choose the months that each floor lifts.

        Parameters
        ----------
        covered
            Months of each floor. (floor, month), bool.
        reported
            Months that a figure tells of alone. (month,), bool.
        """
        single = covered.sum(axis=1) == 1
        apart = ~(covered & (reported | (covered.sum(axis=0) > 1))).any(axis=1)
        whole = ~single & apart & covered.any(axis=1)
        own = covered[single].any(axis=0)
        n_months = covered.shape[1]
        rank = np.arange(n_months) + np.where(own, 0, n_months)
        by_month: dict[int, list[int]] = {}
        for floor in np.flatnonzero(~single & ~whole):
            month = int(np.argmax(np.where(covered[floor], rank, -1)))
            by_month.setdefault(month, []).append(int(floor))
        ordered = sorted(by_month, key=lambda month: int(rank[month]))
        return cls(
            single=tuple(int(floor) for floor in np.flatnonzero(single)),
            sums=tuple((month, tuple(by_month[month])) for month in ordered),
            whole=tuple(int(floor) for floor in np.flatnonzero(whole)),
        )


@dataclass(frozen=True)
class Floor:
    """Floors under weighted sums of exp(series).

    Attributes
    ----------
    figure
        Floor of each confirmed claim, 0 where it does not count. (confirmed_claim,), thousands.
    weight
        Weights on exp(series). (confirmed_claim, month).
    offset
        What is added to the log above the floor before it is sampled: less the prior's level; in
        months with a floor of their own less some of the typical ratio; in the others the bias of
        the origin that reports them. Then the reported level is sampled, which claims fix; the true
        one makes a ridge with the bias. (month,).
    coordinates
        Map from what the sampler moves to the log above the floor plus offset, as
        `estimator.model.geometry.losses_map` gives it. (month, month).
    ratio
        Log of the typical unconfirmed ratio less its prior's. Where a floor lifts all its months,
        the log of what lies above it, in all, is sampled less this: nothing else tells it. ().
    pace
        Step of the losses over its typical one. Where most months are not told apart, what is
        sampled of their differences is multiplied by it: what only the prior tells of hangs on the
        step. None where they are. ().
    to_offset_log
        The same map as a function.
    pivots
        Which months each floor lifts.
    """

    figure: TensorVariable
    weight: TensorVariable
    offset: TensorVariable
    coordinates: TensorVariable
    ratio: TensorVariable
    pace: TensorVariable | None
    to_offset_log: Callable[[TensorVariable], TensorVariable]
    pivots: Pivots


class FloorTransform(Transform):
    """Log of what lies above the floor in months that are lifted, of the series in all others.

    With an offset these are sampled through the linear map of the floor. The rest is triangular in
    the order of the pivots, so its log Jacobian is the sum of ``log above floor - series`` over the
    months, where a floor that lifts all its months counts once; that of the map is a constant and
    left out.
    """

    name = "floor"
    ndim_supp = 1

    def __init__(
        self,
        pivots: Pivots,
        to_offset_log: Callable[[TensorVariable], TensorVariable],
        *,
        paced: bool = False,
    ) -> None:
        self.pivots = pivots
        self.to_offset_log = to_offset_log
        self.paced = paced

    def backward(self, value: TensorVariable, *inputs: TensorVariable) -> TensorVariable:
        """From the sampled value to the series."""
        size = pt.exp(self._log_above(value, inputs))
        return pt.log(size + self._lift(size, inputs, above_floor=True))

    def forward(self, value: TensorVariable, *inputs: TensorVariable) -> TensorVariable:
        """From the series to the sampled value; a series below its floor is moved just above."""
        floors = _parameters(inputs)
        size = pt.exp(value)
        above = size - self._lift(size, inputs, above_floor=False)
        log_above = pt.log(pt.maximum(above, 1e-3 * size))
        shifted = log_above + floors.offset
        for row in self.pivots.whole:
            months, total, mean = _of_a_sum(floors.weight[row], log_above, shifted)
            shifted += months * (total - floors.ratio - mean)
        if self.paced:
            shifted = _stretched(shifted, 1.0 / floors.pace)
        return pt.linalg.solve(floors.coordinates, shifted, b_ndim=1)

    def log_jac_det(self, value: TensorVariable, *inputs: TensorVariable) -> TensorVariable:
        """Log absolute determinant of the derivative of `backward`, but for a constant."""
        above = self._log_above(value, inputs)
        series = self.backward(value, *inputs)
        log_det = pt.sum(above - series)
        floors = _parameters(inputs)
        for row in self.pivots.whole:
            # Its months are lifted by one factor, of which the determinant has one, not all.
            months = floors.weight[row] > 0
            lifted = pt.sum(pt.switch(months, series - above, 0.0))
            log_det += lifted * (1.0 - 1.0 / pt.sum(months))
        if self.paced:
            log_det += (value.shape[0] - 1) * pt.log(floors.pace)
        return log_det

    def _log_above(
        self, value: TensorVariable, inputs: tuple[TensorVariable, ...]
    ) -> TensorVariable:
        floors = _parameters(inputs)
        offset_log = self.to_offset_log(value)
        if self.paced:
            offset_log = _stretched(offset_log, floors.pace)
        log_above = offset_log - floors.offset
        for row in self.pivots.whole:
            # The mean of its months is put in place of the log of their sum: determinant 1.
            months, total, mean = _of_a_sum(floors.weight[row], log_above, offset_log)
            log_above -= months * (total - floors.ratio - mean)
        return log_above

    def _lift(
        self, size: TensorVariable, inputs: tuple[TensorVariable, ...], *, above_floor: bool
    ) -> TensorVariable:
        """Return the floor of each month. (month,), 0 where there is none.

        Parameters
        ----------
        size
            What lies above the floor (``above_floor``), or the whole.
        inputs
            All inputs of the random variable.
        """
        figure, weight = _parameters(inputs).figure, _parameters(inputs).weight
        lift = self._own_floors(size, figure, weight)
        for row in self.pivots.whole:
            total = pt.sum(weight[row] * size)
            months = pt.switch(weight[row] > 0, size, 0.0)
            lift += months * figure[row] / pt.maximum(total, _TINY)
        for month, floors in self.pivots.sums:
            rows = np.array(floors, dtype=int)
            known = size + lift if above_floor else size
            here = weight[rows, month]
            elsewhere = pt.sum(weight[rows] * known, axis=1) - here * known[month]
            needed = pt.maximum(pt.max((figure[rows] - elsewhere) / here), lift[month])
            lift = pt.set_subtensor(lift[month], needed)
        return lift

    def _own_floors(
        self, size: TensorVariable, figure: TensorVariable, weight: TensorVariable
    ) -> TensorVariable:
        """Floors of single months: the highest of each month. (month,)."""
        if not self.pivots.single:
            return pt.zeros_like(size)
        rows = np.array(self.pivots.single, dtype=int)
        divisor = weight[rows]
        return pt.max(
            pt.switch(divisor > 0, figure[rows][:, None], 0.0) / pt.maximum(divisor, _TINY), axis=0
        )


class _Parameters(NamedTuple):
    """The parameters of the floors, which are the last of the random variable."""

    figure: TensorVariable
    offset: TensorVariable
    weight: TensorVariable
    coordinates: TensorVariable
    ratio: TensorVariable
    pace: TensorVariable


def _of_a_sum(
    weight: TensorVariable, log_above: TensorVariable, sampled: TensorVariable
) -> tuple[TensorVariable, TensorVariable, TensorVariable]:
    """Return the months of a sum (month,), the log of what is above its floor, and their mean."""
    months = pt.cast(weight > 0, "float64")
    top = pt.max(pt.switch(weight > 0, log_above, -np.inf))
    total = top + pt.log(pt.sum(weight * pt.exp(pt.switch(weight > 0, log_above - top, 0.0))))
    return months, total, pt.sum(months * sampled) / pt.sum(months)


def _stretched(series: TensorVariable, factor: TensorVariable) -> TensorVariable:
    """Multiply the differences of a series from its mean. (month,)."""
    mean = pt.mean(series)
    return mean + factor * (series - mean)


def _parameters(inputs: tuple[TensorVariable, ...]) -> _Parameters:
    """Name the floors' parameters; its other inputs, size and random generator, are no floats."""
    floats = [x for x in inputs if getattr(x.type, "dtype", "").startswith("float")]
    return _Parameters(*floats[-len(_Parameters._fields) :])


def confirmed_figures(
    name: str,
    total: TensorVariable,
    true_share: TensorVariable,
    log_ratio: TensorVariable,
    spread: TensorVariable,
    used: TensorVariable,
    rounding: TensorVariable,
    observed: TensorVariable,
) -> TensorVariable:
    """Observe the confirmed figures (dims ``confirmed_claim``).

    Parameters
    ----------
    total
        True figure S of each claim's period, thousands.
    true_share
        1 - false_confirmation.
    log_ratio, spread
        Log of the typical unconfirmed ratio, and its standard deviation between periods.
    used
        1 where the claim counts, else 0.
    rounding
        What was rounded off each figure, thousands.
    observed
        Confirmed figures, thousands.
    """

    def forward(total, true_share, log_ratio, spread, used, rounding, size):
        noise = pm.Normal.dist(0.0, 1.0, shape=total.shape)
        counted = confirmed_figure(total, true_share, log_ratio, spread, noise, pt)
        return counted - rounding + 0.0 * used

    def logp(value, total, true_share, log_ratio, spread, used, rounding):
        counted = value + rounding
        unconfirmed = total / (counted * true_share) - 1.0
        safe = pt.maximum(unconfirmed, _TINY)
        z = (pt.log(safe) - log_ratio) / spread
        # density of the figure: log-normal density of the ratio times |d ratio / d figure|
        density = (
            -0.5 * z**2
            - pt.log(spread)
            - 0.5 * np.log(2.0 * np.pi)
            - pt.log(safe)
            + pt.log(total / (true_share * counted**2))
        )
        # -1e-9 and not 0: where a pivot stands exactly on its floor, rounding may fall below it
        density = pt.switch(unconfirmed > -1e-9, density, -np.inf)
        return pt.switch(used > 0, density, 0.0)

    return pm.CustomDist(
        name,
        total,
        true_share,
        log_ratio,
        spread,
        used,
        rounding,
        dist=forward,
        logp=logp,
        signature="(k),(),(),(),(k),(k)->(k)",
        observed=observed,
        dims="confirmed_claim",
    )
