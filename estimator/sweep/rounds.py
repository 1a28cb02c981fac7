"""What a round fits: for each group that is not finished the next sets, or a covering fit."""

from __future__ import annotations

from collections.abc import Sequence

from estimator.sweep.journal import FitRecord
from estimator.sweep.options import SweepOptions
from estimator.sweep.plan import Group, PlannedSet
from estimator.sweep.set_fit import FitTask

PlannedFit = dict[str, str | None]
"""A fit as the journal keeps it: ``fit_id``, ``kind`` (single, base, cover or check), ``group_key``
and ``set_id``, which is None for a covering fit."""

_PER_ROUND = 4
_CHECK_SEED = 1_000_003  # added to a set's seed: a check is another run of the sampler


def planned_fit(kind: str, group: Group, one: PlannedSet | None) -> PlannedFit:
    """Name a fit of a set, or with None the covering fit of its group."""
    name = f"{group.key}-{group.covering_key}" if one is None else one.set_id
    return {
        "fit_id": f"{kind}-{name}",
        "kind": kind,
        "group_key": group.key,
        "set_id": None if one is None else one.set_id,
    }


def next_fits(
    number: int,
    group: Group,
    left: Sequence[PlannedSet],
    made: Sequence[FitRecord],
    method: str,
) -> list[PlannedFit]:
    """Say which fits of a group to make next.

    Parameters
    ----------
    number
        Of the round.
    group
        Of which some sets are left.
    left
        Its sets without a result.
    made
        Its fits so far.
    method
        Of the sweep: ``fit`` fits all.
    """
    if method == "fit" or group.is_fitted:
        return [planned_fit("single", group, one) for one in left]
    if not made and group.can_be_covered:
        return [planned_fit("cover", group, None)]
    if _not_worth_it(made, len(left), len(group.sets)):
        return [planned_fit("single", group, one) for one in left]
    indices = {one.set_id: index for index, one in enumerate(group.sets)}
    known = [
        indices[record.set_id] if record.set_id is not None else group.center
        for record in made
        if record.ok
    ]
    candidates = [indices[one.set_id] for one in left]
    count = _PER_ROUND if number <= 1 else 2 * _PER_ROUND
    picked = group.spread_out(candidates, known, count)
    return [planned_fit("base", group, group.sets[index]) for index in picked]


def _not_worth_it(made: Sequence[FitRecord], left: int, size: int) -> bool:
    """Whether fitting what is left is less work than more bases: each reaches only itself."""
    bases = [record for record in made if record.kind == "base"]
    if left <= 2 * _PER_ROUND:
        return True
    return len(bases) >= 2 * _PER_ROUND and (size - left) < 4 * len(bases)


def fit_task(planned: PlannedFit, group: Group, one: PlannedSet, options: SweepOptions) -> FitTask:
    """Make a planned fit ready to be carried out.

    Parameters
    ----------
    planned
        As `planned_fit` names it.
    group
        Of the fit.
    one
        The set that is fitted; of a covering fit the one in the middle of its group.
    options
        Of the sweep.
    """
    covers = planned["set_id"] is None
    fit_options = options.fit
    if planned["kind"] in ("base", "cover"):
        fit_options = fit_options.model_copy(update={"draws": options.base_draws})
    return FitTask(
        str(planned["fit_id"]),
        group.covering_assumptions if covers else one.assumptions,
        one.evidence_key,
        fit_options,
        one.assumptions.seed + (_CHECK_SEED if planned["kind"] == "check" else 0),
        group.covering_data if covers else {},
    )
