from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from estimator.sweep.journal import FitRecord
from estimator.sweep.plan import Group, PlannedSet
from estimator.sweep.rounds import next_fits, planned_fit


def group(count: int, *, covered: bool = True, fitted: bool = False) -> Group:
    """A group that spreads fits out by taking the first candidates."""
    sets = tuple(SimpleNamespace(set_id=f"s{n:02}") for n in range(count))
    return cast(
        Group,
        SimpleNamespace(
            key="g",
            covering_key="c",
            sets=sets,
            center=0,
            can_be_covered=covered,
            is_fitted=fitted,
            spread_out=lambda candidates, known, wanted: [
                one for one in candidates if one not in known
            ][:wanted],
        ),
    )


def made(kind: str, *set_ids: str | None) -> list[FitRecord]:
    records: Any = [SimpleNamespace(kind=kind, set_id=set_id, ok=True) for set_id in set_ids]
    return cast(list[FitRecord], records)


def ids(
    one: Group, left: int, records: list[FitRecord], number: int = 1, method: str = "auto"
) -> list[str]:
    rest: tuple[PlannedSet, ...] = one.sets[len(one.sets) - left :]
    return [str(planned["fit_id"]) for planned in next_fits(number, one, rest, records, method)]


def test_a_group_begins_with_one_covering_fit_of_no_set() -> None:
    assert ids(group(40), 40, [], 0) == ["cover-g-c"]
    assert planned_fit("cover", group(40), None)["set_id"] is None


@pytest.mark.parametrize(
    ("one", "method"), [(group(20), "fit"), (group(20, fitted=True), "auto"), (group(8), "auto")]
)
def test_every_set_is_fitted_where_that_is_asked_or_few_are_left(one: Group, method: str) -> None:
    records = [] if method == "fit" else made("cover", None)
    expected = [f"single-{planned.set_id}" for planned in one.sets]
    assert ids(one, len(one.sets), records, method=method) == expected


@pytest.mark.parametrize(("number", "count"), [(0, 4), (1, 4), (2, 8)])
def test_later_rounds_fit_more_bases_beside_the_center(number: int, count: int) -> None:
    found = ids(group(40), 40, made("cover", None), number)
    assert found == [f"base-s{n:02}" for n in range(1, count + 1)]


def test_the_rest_is_fitted_once_bases_reach_hardly_more_than_themselves() -> None:
    one = group(60)
    bases = made("base", *(f"s{n:02}" for n in range(8)))
    assert all(fit_id.startswith("single-") for fit_id in ids(one, 60 - 31, bases, 3))
    assert all(fit_id.startswith("base-") for fit_id in ids(one, 60 - 32, bases, 3))
