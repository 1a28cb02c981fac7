"""The answer in sentences: how many, how sure, says who (what if: `whatif_text`).

No word of statistics here but those that the page explains. Numbers are those of the tables and
draws; a sentence says of which sets. Sets that failed their diagnostics are left out of it.
"""

from __future__ import annotations

from markupsafe import Markup

from estimator.quantities.answers import Answer
from estimator.quantity import TOTAL
from estimator.show import number
from estimator.show.run_tables import fight_lines
from estimator.studies.compare.pool import EQUAL
from estimator.studies.report import words
from estimator.studies.report.claims import ClaimRows
from estimator.studies.report.data import ReportData

_SURE = 0.95
_NAMED = 4  # claims or sets that a sentence names


def how_many(data: ReportData) -> list[Markup]:
    """Each answer in a sentence, with its range over all sets."""
    sentences = [_sentence(data, answer) for answer in data.asked if len(data.ranges(answer))]
    return [*sentences, _bracket(data)]


def _sentence(data: ReportData, answer: Answer) -> Markup:
    when = number.period(answer.period, data.months)
    within = Markup("{} {}").format("From" if answer.period == TOTAL else "In", when)
    amount = _number(data, answer)
    subject = data.options.subject
    match answer.quantity:
        case "losses":
            text = Markup("{}, {} lost {}, killed and wounded together.")
            return text.format(within, subject, amount)
        case "killed":
            return Markup("{}, {} were killed.").format(within, amount)
        case "killed_share":
            return Markup("{}, {} of the losses were killed.").format(within, amount)
        case "replacement_gap":
            text = Markup("{}, recruits less losses came to {}: {}.")
            return text.format(within, amount, _sign(data, answer, _GAP))
        case "net_change":
            text = Markup(
                "{}, with foreign recruits, the wounded who returned and other exits counted too, "
                "the change was {}: {}."
            )
            return text.format(within, amount, _sign(data, answer, _NET))
    return Markup("{}, {}: {}.").format(within, words.quantity(answer.quantity), amount)


_GAP = (
    "fewer were recruited than lost",
    "more were recruited than lost",
    "fewer or more were recruited than lost",
)
_NET = ("the force shrank", "the force grew", "the force shrank or grew")


def _number(data: ReportData, answer: Answer) -> Markup:
    """Say the number: of all sets pooled, or from set to set, or of the only set."""
    table, pooled = data.sound(data.ranges(answer)), data.pool(answer)
    unit, sign = str(table["unit"].iloc[0]), words.is_signed(answer.quantity)
    people = " people" if unit.startswith("persons") else ""
    if pooled is None and len(table) > 1:
        middle = number.span(table["q50"].min(), table["q50"].max(), unit, sign=sign)
        ends = number.span(table["q05"].min(), table["q95"].max(), unit, sign=sign)
        text = Markup("<strong>{}</strong>{}, depending on the set ({})")
        return text.format(middle, people, ends)
    row = table.iloc[0] if pooled is None else pooled
    middle = number.rounded(row["q50"], unit, sign=sign)
    ends = number.span(row["q05"], row["q95"], unit, sign=sign)
    return Markup("about <strong>{}</strong>{} ({})").format(middle, people, ends)


def _sign(data: ReportData, answer: Answer, says: tuple[str, str, str]) -> str:
    """Say which side of 0 the sets are sure of, if any: below, above, or that it is open."""
    below = data.sound(data.ranges(answer))["below_zero"]
    if (below >= _SURE).all():
        return says[0]
    if (below <= 1 - _SURE).all():
        return says[1]
    return f"the sets do not settle whether {says[2]}"


def _bracket(data: ReportData) -> Markup:
    """Explain the range in brackets once."""
    pooled = [row for answer in data.asked if (row := data.pool(answer)) is not None]
    if pooled:
        weights, sets = str(pooled[0]["weights"]), int(pooled[0]["sets"])
        how = "each counted alike" if weights == EQUAL else f"weighted: {weights}"
        which = f"the range of {number.count(sets, 'set')} together ({how})"
        if data.failures and sets == len(data.labels):
            which += ", those that failed their checks among them"
    elif len(data.labels) > 1:
        which = "the widest reach of any set's range"
    else:
        which = "the range"
    return Markup(
        "In brackets: {}. A range holds 9 of 10 of the histories that fit the published figures "
        "and the assumptions; 1 in 20 lies below it, 1 in 20 above."
    ).format(which)


def how_sure(data: ReportData) -> list[Markup]:
    """Say how far the sets differ, what they agree on, and what failed."""
    first = data.asked[0]
    sentences = [_what_a_set_is(data)]
    if data.failures:
        sentences.append(_failed(data))
    if len(data.ranges(first)) > 1:
        sentences.append(_between_sets(data, first))
        sentences += [
            _agreement(data, answer, says)
            for answer in data.asked
            for quantity, says in (("replacement_gap", _GAP), ("net_change", _NET))
            if answer.quantity == quantity and len(data.ranges(answer))
        ]
    return [*sentences, *map(Markup.escape, fight_lines(data.trees))]


def _failed(data: ReportData) -> Markup:
    names = number.listed(data.failures, _NAMED)
    text = Markup(
        "<strong>{} failed the check of the computation</strong> ({}): such numbers are marked and "
        "should not be relied on; {}."
    )
    if len(data.failures) == len(data.labels):
        rest = "as no set passed, the sentences here rest on them all the same"
    else:
        rest = "the sentences here leave it out, but for a range of all sets together"
    return text.format(number.count(len(data.failures), "set"), names, rest)


def _what_a_set_is(data: ReportData) -> Markup:
    return Markup(
        'Nobody has counted the true losses. Each <a href="#term-set">set of assumptions</a> says '
        "what somebody could believe about the published figures: who over-counts, how much goes "
        "unconfirmed, how many wounded return. For each set the computer draws thousands of "
        'possible <a href="#term-draw">histories</a> that fit both. {} compared here.'
    ).format(f"{number.count(len(data.labels), 'set is', 'sets are')}")


def _between_sets(data: ReportData, answer: Answer) -> Markup:
    table = data.sound(data.ranges(answer))
    unit = str(table["unit"].iloc[0])
    ends = [
        Markup("{} ({})").format(number.rounded(value, unit), data.marked(str(label)))
        for value, label in (
            (table["q50"].min(), table["q50"].idxmin()),
            (table["q50"].max(), table["q50"].idxmax()),
        )
    ]
    low, high = table["q05"].idxmin(), table["q95"].idxmax()
    return Markup(
        "For {}, the sets' <a href='#term-middle'>middle values</a> lie between {} and {}. No "
        "set's range reaches below {} ({}) or above {} ({})."
    ).format(
        words.phrase(answer, data.months),
        *ends,
        number.rounded(table["q05"].min(), unit),
        data.marked(str(low)),
        number.rounded(table["q95"].max(), unit),
        data.marked(str(high)),
    )


def _agreement(data: ReportData, answer: Answer, says: tuple[str, str, str]) -> Markup:
    below = data.sound(data.ranges(answer))["below_zero"]
    when = number.period(answer.period, data.months)
    if (below >= _SURE).all() or (below <= 1 - _SURE).all():
        shrinks = bool((below >= _SURE).all())
        chances = below if shrinks else 1 - below
        text = Markup("The sets agree that in {} {}: at least {} draws of each say so.")
        return text.format(
            when, says[0] if shrinks else says[1], number.chances(float(chances.min()))
        ) + _turned(data, answer)
    return Markup(
        "They do not agree whether in {} {}: {} draws of one set say so ({}), {} of another ({})."
    ).format(
        when,
        says[0],
        number.chances(float(below.min())),
        data.marked(str(below.idxmin())),
        number.chances(float(below.max())),
        data.marked(str(below.idxmax())),
    ) + _turned(data, answer)


def _turned(data: ReportData, answer: Answer) -> Markup:
    """Say which sets are all but certain because of a single piece of evidence."""
    groups = data.audit.groups
    groups = groups[(groups["answer"] == str(answer)) & groups["turned"].astype(bool)]
    if groups.empty:
        return Markup("")
    sets = groups.groupby("evidence_group")["assumption_set"].unique()
    hangs = [
        f"without {group} {number.listed((data.marked(label) for label in labels), _NAMED)}"
        for group, labels in sets.loc[sets.map(len).sort_values(ascending=False).index].items()
    ]
    return Markup(
        ' <a href="#evidence-groups">Some of that hangs on one piece of evidence</a>: {} would not '
        "be all but certain."
    ).format(number.listed(hangs, _NAMED))


def says_who(data: ReportData, claims: ClaimRows) -> list[Markup]:
    """Say whose figures these are, which are the floor, and which fit badly."""
    sentences = [_sources(claims)]
    if claims.floors:
        sentences.append(_floor(data, claims))
    return [*sentences, _misfits(data, claims)]


def _sources(claims: ClaimRows) -> Markup:
    kinds = number.listed(claims.statuses)
    origin, most = claims.largest_origin
    span, pieces = (
        f"{min(counts.values())}"
        if len(set(counts.values())) == 1
        else f"{min(counts.values())} to {max(counts.values())}"
        for counts in (claims.counted, claims.pieces)
    )
    return Markup(
        "The numbers rest on {} published figures and statements "
        '(<a href="#term-claim">claims</a>) of {}: {}. '
        "The most by one origin are {}, by {}. A set counts {} of them, which are {} pieces of "
        "evidence (figures that rest on one underlying count are one); what it leaves out is a "
        "repeat, derived from another, a plan or a statement, or it does not trust the origin."
    ).format(
        len(claims.rows),
        number.count(claims.origins, "origin"),
        kinds,
        most,
        origin,
        span,
        pieces,
    )


def _floor(data: ReportData, claims: ClaimRows) -> Markup:
    row = claims.floors[-1]
    loose = claims.loose_floor
    text = Markup(
        'Under all of it lies a <a href="#term-floor">floor</a>: losses verified one by one. The '
        "latest: <strong>{}</strong> for {}, by {} ({}; {})."
    ).format(row.figure, row.period, data.options.origin(row.origin), row.id, row.citation)
    if not loose:
        return text + Markup(" No set goes below it.")
    if len(loose) == len(data.trees):
        return text + Markup(" Every set allows that some of it is false, and may go below it.")
    verb = "allows" if len(loose) == 1 else "allow"
    return text + Markup(" {} {} that some of it is false, and may go below it.").format(
        number.listed(loose, _NAMED), verb
    )


def _misfits(data: ReportData, claims: ClaimRows) -> Markup:
    audit = data.sound(data.audit.claims)
    sets = audit["assumption_set"].nunique()
    against = audit[audit["verdict"] == "in conflict"].groupby("claim")["assumption_set"].nunique()
    against = against[against > sets / 2].sort_values(ascending=False)
    if against.empty:
        return Markup("No claim is in conflict with the rest in more than half of the sets.")
    names = number.listed((claims.short(str(claim)) for claim in against.index), _NAMED)
    return Markup(
        "{} in conflict with the rest of what is known in more than half of the sets: {}."
    ).format(number.count(len(against), "claim is", "claims are"), names)
