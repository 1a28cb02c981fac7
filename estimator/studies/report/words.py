"""Names of quantities, answers and assumptions as a reader sees them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from estimator.assumptions import ASSUMPTIONS
from estimator.quantities.answers import Answer
from estimator.quantity import QUANTITIES, SIGNED, TOTAL
from estimator.show import number

_REPORTING = re.compile(
    r"reporting\.(?:default|origins\.(?P<origin>.+?))\.(?P<quantity>[a-z_]+)\."
    r"(?P<what>(?:bias|undercount|drift|noise).*)"
)
_BIAS = re.compile(r"reporting_(?P<what>bias|drift)\[(?P<origin>.+):(?P<quantity>[a-z_]+)\]")
_MONTH_INSIDE = re.compile(r"\b\d{4}-\d{2}\b(?!-)")


def plain(name: str) -> str:
    """Write a name of data or configuration as words."""
    return name.replace("_", " ")


def quantity(name: str) -> str:
    """Write a quantity's name as words."""
    return QUANTITIES[name].words if name in QUANTITIES else plain(name)


def is_signed(name: str) -> bool:
    """Whether a quantity may be below 0, so that its sign is written."""
    return name in SIGNED


def answer(asked: Answer, months: Sequence[str]) -> str:
    """Write an answer as a heading: losses, January 2026."""
    words = quantity(asked.quantity)
    if asked.below_zero:
        words = f"{words} below 0"
    return f"{words}, {number.period(asked.period, months)}"


def phrase(asked: Answer, months: Sequence[str]) -> str:
    """Write an answer inside a sentence: losses in January 2026."""
    words = quantity(asked.quantity)
    within = "from" if asked.period == TOTAL else "in"
    return f"{words} {within} {number.period(asked.period, months)}"


def heading(text: str, months: Sequence[str]) -> str:
    """Write the answer that a table names as a heading."""
    return capital(answer(Answer.parse(text), months))


def capital(text: str) -> str:
    """Begin with a capital letter."""
    return text[:1].upper() + text[1:]


def assumption(key: str) -> str:
    """Say what an assumption is, also a part of one; a key that is none is written as words."""
    for known, spec in ASSUMPTIONS.items():
        if key == known:
            return spec.description
        if key.startswith(f"{known}."):
            return f"{spec.description}: {plain(key.removeprefix(f'{known}.'))}"
    reporting = _REPORTING.fullmatch(key) or _BIAS.fullmatch(key)
    if reporting:
        origin = plain(reporting["origin"]) if reporting["origin"] else "other origins"
        what = plain(reporting["what"]).replace(".", ": ")
        return f"{origin} on {quantity(reporting['quantity'])}: {what}"
    return plain(key)


def event(text: str) -> str:
    """Write an event as a sentence has it: months by name, below and above for the signs."""
    text = text.replace(" < ", " is below ").replace(" > ", " is above ")
    return _MONTH_INSIDE.sub(lambda match: number.month(match[0]), text)


def which(labels: Iterable[str], names: Sequence[str]) -> str:
    """Say which of the named sets are meant: all, all but a few, or each by its name."""
    meant = list(labels)
    missing = [name for name in names if name not in meant]
    if not missing and len(names) > 1:
        return "all sets"
    if len(names) > 4 and len(missing) <= 2:
        return f"all but {number.listed(missing)}"
    return number.listed(meant, 40)
