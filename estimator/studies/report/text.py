"""The answer in sentences: how many, and how that is known (what if: `whatif`).

No word of statistics here but those that the page explains. Numbers are those of the tables and
draws; a sentence says of which sets. Sets that failed their diagnostics are left out of it.
"""

from __future__ import annotations

from markupsafe import Markup

from estimator.quantities.answers import Answer
from estimator.quantity import TOTAL
from estimator.show import number
from estimator.studies.report import words
from estimator.studies.report.claims import ClaimRows
from estimator.studies.report.data import ReportData

_NAMED = 4  # claims or sets that a sentence names


def how_many(data: ReportData) -> list[Markup | str]:
    """Each answer in a sentence, with its range over all sets, and what the range is."""
    sentences = [_sentence(data, answer) for answer in data.asked if len(data.ranges(answer))]
    return [*sentences, _bracket(data)]


def _sentence(data: ReportData, answer: Answer) -> Markup:
    when = number.period(answer.period, data.months)
    within = Markup("{} {}").format("From" if answer.period == TOTAL else "In", when)
    text = {
        "losses": Markup("{}, {} lost {}, killed and wounded together."),
        "killed": Markup("{}, {} had {} killed."),
        "killed_share": Markup("{0}, {2} of the losses were killed."),
        "replacement_gap": Markup("{0}, recruits less losses came to {2}."),
        "net_change": Markup(
            "{0}, with foreign recruits, the wounded who returned and other exits counted too, the "
            "change was {2}."
        ),
    }.get(answer.quantity)
    amount = _number(data, answer)
    if text is None:
        return Markup("{}, {}: {}.").format(within, words.quantity(answer.quantity), amount)
    return text.format(within, data.options.subject, amount)


def _number(data: ReportData, answer: Answer) -> Markup:
    """Say the number: from set to set, or of the only set."""
    table = data.sound(data.ranges(answer))
    unit, sign = str(table["unit"].iloc[0]), words.is_signed(answer.quantity)
    people = " people" if unit.startswith("persons") else ""
    ends = number.span(table["q05"].min(), table["q95"].max(), unit, sign=sign)
    middle = (
        number.span(table["q50"].min(), table["q50"].max(), unit, sign=sign)
        if len(table) > 1
        else f"about {number.rounded(table['q50'].iloc[0], unit, sign=sign)}"
    )
    return Markup("<strong>{}</strong>{} ({})").format(middle, people, ends)


def _bracket(data: ReportData) -> str:
    """Explain the numbers once."""
    if len(data.labels) > 1:
        which = (
            "First come the middle values, from the lowest set to the highest; in brackets the "
            "widest reach of any set's range."
        )
    else:
        which = "First comes the middle value, in brackets the range."
    return (
        f"{which} A range holds 9 of 10 of the histories that fit the published figures and the "
        "assumptions; 1 in 20 lies below it, 1 in 20 above."
    )


def how_it_was_made(data: ReportData, claims: ClaimRows) -> list[Markup]:
    """Say whose figures these are, which are the floor, and whether the computation holds."""
    sentences = [_sources(claims)]
    if claims.floors:
        sentences.append(_floor(data, claims))
    return [*sentences, _what_a_set_is(data), _checks(data)]


def _checks(data: ReportData) -> Markup:
    checks = words.link("details.html#diagnostics", "checks")
    if not data.failures:
        every = "Every set" if len(data.labels) > 1 else "The set"
        return Markup("{} passed the {} of its computation.").format(every, checks)
    rest = (
        "as no set passed, the sentences here rest on them all the same"
        if len(data.failures) == len(data.labels)
        else "the sentences here leave them out"
    )
    text = Markup("<strong>{} failed the {} of the computation</strong> ({}): {}.")
    failed = number.count(len(data.failures), "set")
    return text.format(failed, checks, data.failed_names, rest)


def _what_a_set_is(data: ReportData) -> Markup:
    return Markup(
        "Nobody has counted the true losses. Each <a href='details.html#term-set'>set of "
        "assumptions</a> says what somebody could believe about the published figures: who "
        "over-counts, how much goes unconfirmed, how many wounded return. For each of the {} the "
        "computer draws thousands of possible <a href='details.html#term-draw'>histories</a> that "
        "fit both."
    ).format(number.count(len(data.labels), "set"))


def _sources(claims: ClaimRows) -> Markup:
    kinds = number.listed(claims.statuses)
    origin, most = claims.largest_origin
    span, pieces = (
        f"{min(counts.values())}"
        if len(set(counts.values())) == 1
        else f"{min(counts.values())} to {max(counts.values())}"
        for counts in (claims.counted, claims.pieces)
    )
    text = Markup(
        "The numbers rest on {} published figures and statements ({}) of {}: {}. Most come from "
        "one origin, {}: {}. A set counts {} of them. Figures that rest on one underlying count "
        "are one piece of evidence, so that these are {} pieces; left out are repeats, plans, "
        "statements, and origins that a set does not trust."
    )
    return text.format(
        len(claims.rows),
        words.link("details.html#claims", "claims"),
        number.count(claims.origins, "origin"),
        kinds,
        origin,
        most,
        span,
        pieces,
    )


def _floor(data: ReportData, claims: ClaimRows) -> Markup:
    row = claims.floors[-1]
    loose = claims.loose_floor
    text = Markup(
        "Under all of it lies a {}: losses verified one by one. The latest: <strong>{}</strong> "
        "for {}, by {} ({}; {})."
    ).format(
        words.link("details.html#term-floor", "floor"),
        row.figure,
        row.period,
        data.options.origin(row.origin),
        claims.link(row.id, row.id),
        words.linked(row.citation),
    )
    if not loose:
        return text + Markup(" No set goes below it.")
    if len(loose) == len(data.trees):
        return text + Markup(" Every set allows that some of it is false, and may go below it.")
    verb = "allows" if len(loose) == 1 else "allow"
    return text + Markup(" {} {} that some of it is false, and may go below it.").format(
        number.listed((f"“{data.options.set_name(one)}”" for one in loose), _NAMED), verb
    )
