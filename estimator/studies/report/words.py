"""Names of quantities, answers and assumptions as a reader sees them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from markupsafe import Markup

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
_ADDRESS = re.compile(r"https://[^\s<>\"']+[^\s<>\"'.,;)]")
_EVENT = re.compile(r"(\w+)\[([^\]]+)\]\s*([<>])\s*([-+.\d]+)")
BELOW_ZERO = {
    "replacement_gap": "fewer were recruited than lost",
    "net_change": "the force shrank",
}
"""What it means that a quantity is below 0."""


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


def assumption(key: str, origins: Mapping[str, str] | None = None) -> str:
    """Say what an assumption is, also a part of one; a key that is none is written as words.

    Parameters
    ----------
    key
        Of the configuration, or the name of a bias.
    origins
        Names of origins for readers.
    """
    for known, spec in ASSUMPTIONS.items():
        if key == known:
            return spec.description
        if key.startswith(f"{known}."):
            return f"{spec.description}: {plain(key.removeprefix(f'{known}.'))}"
    reporting = _REPORTING.fullmatch(key) or _BIAS.fullmatch(key)
    if reporting:
        name = reporting["origin"] or "other origins"
        origin = (origins or {}).get(name, plain(name))
        what = plain(reporting["what"]).replace(".", ": ")
        return f"{origin} on {quantity(reporting['quantity'])}: {what}"
    return plain(key)


def event(text: str) -> str:
    """Write an event as a sentence has it: months by name, below and above for the signs."""
    known = _EVENT.fullmatch(text)
    if known and known[1] in BELOW_ZERO and known[3] == "<" and not float(known[4]):
        return f"{BELOW_ZERO[known[1]]} in {number.month(known[2])}"
    if known and known[1] in QUANTITIES:
        side = "below" if known[3] == "<" else "above"
        amount = number.significant(float(known[4]), 10)
        verb = "were" if quantity(known[1]).endswith("s") else "was"
        return f"{quantity(known[1])} in {number.month(known[2])} {verb} {side} {amount}"
    text = text.replace(" < ", " is below ").replace(" > ", " is above ")
    return _MONTH_INSIDE.sub(lambda match: number.month(match[0]), text)


def range_text(
    low: float, middle: float, high: float, unit: str = "persons", *, sign: bool = False
) -> str:
    """Write a middle value with its range: 32,700 (27,100 to 38,200)."""
    return f"{number.rounded(middle, unit, sign=sign)} ({number.span(low, high, unit, sign=sign)})"


def hundred(share: float) -> str:
    """Write a share of draws as a number of a hundred: 18, >99, <1.

    Examples
    --------
    >>> hundred(0.18), hundred(0.9991), hundred(0.0)
    ('18', '>99', '<1')
    """
    whole = round(100 * share) if share == share else None
    if whole is None:
        return number.NOTHING
    return ">99" if whole >= 100 else "<1" if whole <= 0 else str(whole)


def link(place: str, text: object, name: str = "") -> Markup:
    """Lead to another place of the pages; with a name others can lead here."""
    if not name:
        return Markup('<a href="{}">{}</a>').format(place, text)
    return Markup('<a id="{}" href="{}">{}</a>').format(name, place, text)


def anchor(name: str, text: object) -> Markup:
    """Let others lead here."""
    return Markup('<span id="{}">{}</span>').format(name, text)


def code(text: object) -> Markup:
    """Write a key of the configuration as an aside."""
    return Markup("<code>{}</code>").format(text)


def lines(*texts: object) -> Markup:
    """Set texts below each other."""
    return Markup("").join(Markup('<span class="line">{}</span>').format(text) for text in texts)


def linked(text: str) -> Markup:
    """Make the addresses in a citation links."""
    parts, at = [], 0
    for found in _ADDRESS.finditer(text):
        parts += [Markup.escape(text[at : found.start()]), link(found[0], found[0])]
        at = found.end()
    return Markup("").join([*parts, Markup.escape(text[at:])])
