"""Running totals that begin anew: where a count was set back to nothing and went on from there.

A total that falls is a misprint, a correction or a new count. Of misprints the totals come back in
one step, a correction goes on from a level many steps high; a new count begins with a total of the
size of its own steps and then rises steadily.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from pydantic import Field

from estimator.assumptions.sections import Section
from estimator.ingest.cells import is_given
from estimator.ingest.draft import Draft
from estimator.ingest.ledger import Ledger
from estimator.ingest.totals import rising_places


class Restart(Section):
    """What makes totals that fall a count that begins anew (see ``conf/ingest``).

    Attributes
    ----------
    fall
        Its first total is at most so large a share of the one before.
    totals
        So many totals directly before are all higher, and so many or more follow it.
    steps
        Its first total, by day, is at most so many times what is added a day later.
    misfits
        At most so large a share of the totals of each count would have to fall.
    """

    fall: float = Field(gt=0.0, lt=1.0)
    totals: int = Field(ge=2)
    steps: float = Field(gt=0.0, allow_inf_nan=False)
    misfits: float = Field(ge=0.0, lt=0.5)


def continued(totals: Sequence[Draft], rule: Restart | None, ledger: Ledger) -> list[Draft]:
    """Carry totals on where a count begins anew: what was counted before is added to them.

    Parameters
    ----------
    totals
        Of one origin, quantity and wording, one a day, in order (`estimator.ingest.totals.settle`).
    rule
        What makes a restart. None: none is looked for.
    ledger
        Gets a remark on each restart.
    """
    places = _restarts(totals, rule) if rule is not None else []
    result: list[Draft] = []
    before = (0.0, 0.0, 0.0)
    for begin, end in itertools.pairwise([0, *places, len(totals)]):
        count = totals[begin:end]
        if begin:
            old, new = totals[begin - 1], count[0]
            ledger.remark(
                "running totals that begin anew: what was counted before is added to them",
                f"{', '.join(new.series[:2])}: seems to begin anew on {new.end}, with "
                f"{_figure(new):,.10g} after {_figure(old):,.10g} on {old.end}",
                new.rows[0],
            )
            low, value, high = before
            count = [
                replace(
                    total,
                    low=total.low + low,
                    value=total.value + value,
                    high=total.high + high,
                    note=total.noted(f"{_figure(total):,.10g} since the count began anew"),
                )
                for total in count
            ]
        result += count
        if count:
            last = count[rising_places([_figure(total) for total in count])[-1]]
            middle = _figure(last)
            before = (
                last.low if is_given(last.low) else middle,
                middle,
                last.high if is_given(last.high) else middle,
            )
    return result


def _restarts(totals: Sequence[Draft], rule: Restart) -> list[int]:
    """Places of totals with which a count begins anew; none where what is left does not rise."""
    figures = [_figure(total) for total in totals]
    found: list[int] = []
    end = len(totals)
    for place in range(len(totals) - rule.totals, rule.totals - 1, -1):
        before = figures[place - rule.totals : place]
        if (
            figures[place] <= rule.fall * before[-1]
            and figures[place] < min(before)
            and _begins(totals[place - 1 : end], rule)
        ):
            found.insert(0, place)
            end = place
    return found if _rises(figures[:end], rule) else []


def _begins(totals: Sequence[Draft], rule: Restart) -> bool:
    """Tell whether totals but the first, which is the last before them, are a new count."""
    level, *figures = (_figure(total) for total in totals)
    if len(figures) < rule.totals or not _rises(figures, rule):
        return False
    rising = [(figures[n], totals[n + 1].end) for n in rising_places(figures)]
    if any(a <= rule.fall * level and b >= level for (a, _), (b, _) in itertools.pairwise(rising)):
        return False  # back where it was in one step: those before were misprints
    (low, first), (high, last) = rising[0], rising[-1]
    if low != figures[0] or last == first:
        return False
    a_day = (high - low) / (last - first).days
    return a_day > 0 and low <= rule.steps * a_day * (first - totals[0].end).days


def _rises(figures: Sequence[float], rule: Restart) -> bool:
    """Tell whether few of some totals would have to fall."""
    return len(figures) - len(rising_places(figures)) <= rule.misfits * len(figures)


def _figure(total: Draft) -> float:
    """Figure of a total; the middle of a range without a best guess."""
    return total.value if is_given(total.value) else 0.5 * (total.low + total.high)
