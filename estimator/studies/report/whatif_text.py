"""What if, in sentences: what moves the answer, where it turns, which statements hold."""

from __future__ import annotations

from markupsafe import Markup

from estimator.show import number
from estimator.show.break_even import BreakEven
from estimator.studies.report import whatif, words
from estimator.studies.report.data import ReportData

_NAMED = 4  # statements that are said here


def what_if(data: ReportData) -> list[Markup]:
    """Say what would move the answer, from where on it turns, and which statements hold."""
    return [
        *_drivers(data),
        *(_breakeven(data, item) for item in data.breakeven),
        *_statements(data),
    ]


def _drivers(data: ReportData) -> list[Markup]:
    """Name the assumption that moves each answer furthest."""
    sentences, drivers = [], data.drivers
    for answer in data.asked:
        rows = drivers[(drivers["answer"] == str(answer)) & drivers["value_low"].notna()]
        if rows.empty:
            continue
        row = rows.sort_values("effect", ascending=False).iloc[0]
        unit, sign = str(row["unit"]), words.is_signed(answer.quantity)
        text = Markup("What moves {} most: {} (<code>{}</code>). {} if it is {}; {} if it is {}.")
        sentences.append(
            text.format(
                words.phrase(answer, data.months),
                words.assumption(str(row["assumption"])),
                row["assumption"],
                number.rounded(float(row["value_low"]), unit, sign=sign),
                row["level_low"],
                number.rounded(float(row["value_high"]), unit, sign=sign),
                row["level_high"],
            )
        )
    return sentences


def _breakeven(data: ReportData, item: BreakEven) -> Markup:
    """Say where the answer turns, in plain words."""
    first = item.axes[0]
    level = number.rounded(item.level, "probability")
    where = [
        f"{number.rounded(one.value, first.unit)} ({number.span(one.low, one.high, first.unit)})"
        for one in item.crossings
    ]
    if len(item.axes) > 1:
        text = Markup(
            "Under {}, two assumptions together decide whether the chance that {} passes {}: the "
            '{} and the {} (<a href="#breakeven">picture</a>).'
        ).format(
            item.assumption_set,
            words.event(item.words),
            level,
            *(axis.description for axis in item.axes),
        )
    elif where:
        text = Markup("Under {}, the chance that {} passes {} at {} ({}).").format(
            item.assumption_set,
            words.event(item.words),
            level,
            number.listed(where),
            first.description,
        )
    else:
        text = Markup("Under {}, the chance that {} does not pass {} for any {} from {}.").format(
            item.assumption_set,
            words.event(item.words),
            level,
            first.description,
            number.span(first.low, first.high, first.unit),
        )
    if whatif.failed(data, item):
        text += Markup(' <span class="failed">(FAILED its checks.)</span>')
    return text


def _statements(data: ReportData) -> list[Markup]:
    """Say of the first statements how likely they are: of several months, of all together."""
    sentences, statements = [], data.audit.statements
    for _, rows in statements[statements["probability"].notna()].groupby("statement", sort=False):
        about = str(rows["about"].iloc[-1])
        known = data.sound(rows[rows["about"] == about])
        low, high = known["probability"].min(), known["probability"].max()
        text = Markup("“{}” ({}) holds in {} draws{}.")
        by_set = ", depending on the set" if len(known) > 1 else ""
        chance = number.chances(float(low), float(high))
        says, claims = rows["says"].iloc[0], rows["claims"].iloc[0]
        sentences.append(text.format(says, claims, chance, by_set))
    more = len(sentences) - _NAMED
    if more > 0:
        link = Markup('<a href="#statements">{}</a> {} worked out below.')
        count = number.count(more, "more statement")
        return [*sentences[:_NAMED], link.format(count, "is" if more == 1 else "are")]
    return sentences
