"""The page: what each section shows, put into the templates."""

from __future__ import annotations

import functools
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from estimator.export import write_text
from estimator.show import number
from estimator.studies.report import (
    audit,
    beliefs,
    checks,
    drivers,
    pictures,
    sets,
    text,
    whatif,
    whatif_text,
)
from estimator.studies.report.answers import Answers
from estimator.studies.report.claims import ClaimRows
from estimator.studies.report.data import ReportData

# Control characters, and those that turn the direction of all text after them: a claim's text could
# make 33,400 read as 004,33.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_SHOWN_CONFLICTS = 6  # those that lie furthest apart come first
TEMPLATE = "report.html.j2"
SECTIONS = {
    "question": "The question",
    "answer": "The answer",
    "sets": "The sets compared",
    "months": "Month by month",
    "drivers": "What drives the answers",
    "audit": "The claims audited",
    "breakeven": "What if",
    "priors": "Every assumption",
    "claims": "Every claim",
    "diagnostics": "Checks of the computation",
    "reproduce": "How to reproduce it",
    "glossary": "Words used",
}
"""Ids and headings of the sections, in their order."""

COMMANDS = {
    "comparison": "compare {output}",
    "pooled": "compare {output}",
    "stacking": "compare {output}",
    "drivers": "compare {output}",
    "prior_or_data": "compare {output}",
    "claims": "audit {output}",
    "statements": "audit {output}",
    "conflicts": "audit {output}",
    "balance": "audit {output}",
    "breakeven": "breakeven KEY --event EVENT --output {output}",
}
"""The command that makes each table; `output` is the folder of the run."""


@dataclass(frozen=True)
class Missing:
    """Says which command makes a table that is not there."""

    output: str

    def __call__(self, table: str, what: str) -> Markup:
        """Say it, naming what is missing."""
        command = COMMANDS[table].format(output=shlex.quote(self.output))
        return text.no_table(f"estimator {command}", what)


def render(data: ReportData) -> str:
    """Make the page.

    Parameters
    ----------
    data
        Results, claims and tables.

    Returns
    -------
    str
        HTML that needs no other file, no network and no script.
    """
    answers, claims = Answers(data), ClaimRows(data)
    context = {
        "data": data,
        "options": data.options,
        "sections": SECTIONS,
        "missing": Missing(data.output),
        "output": shlex.quote(data.output),
        "window": number.period("total", answers.months),
        "set_count": answers.sets_text,
        "failures": answers.failures,
        **_answer(answers, claims),
        **_sets(answers, claims),
        **_drivers(answers),
        **_audit(answers),
        **_whatif(answers),
        **_sources(data, claims),
        **_checks(answers),
    }
    page = _environment().get_template(TEMPLATE).render(context)
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", page)


def write_report(data: ReportData, path: Path) -> Path:
    """Write the page in one step; return its path.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    return write_text(path, render(data))


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("estimator.studies.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _answer(answers: Answers, claims: ClaimRows) -> dict[str, Any]:
    headline = pictures.forest(answers, answers.asked[0], "chart-headline")
    return {
        "how_many": text.how_many(answers),
        "how_sure": text.how_sure(answers),
        "says_who": text.says_who(answers, claims),
        "what_if": whatif_text.what_if(answers),
        "headline": headline,
    }


def _sets(answers: Answers, claims: ClaimRows) -> dict[str, Any]:
    forests = [
        pictures.forest(answers, answer, f"chart-forest-{at}")
        for at, answer in enumerate(answers.asked, start=1)
    ]
    return {
        "beliefs_table": sets.beliefs_table(answers, claims),
        "answers_table": sets.answers_table(answers),
        "signs_table": sets.signs_table(answers),
        "differences_table": sets.differences_table(answers),
        "stacking_table": sets.stacking_table(answers),
        "refusals": sets.refusals(answers),
        "not_shown": len(answers.labels) - len(answers.shown),
        "forests": [chart for chart in forests if chart is not None],
        "fans": pictures.fans(answers.data.trees, answers.failures, "chart-months"),
        "months_table": sets.months_table(answers),
    }


def _drivers(answers: Answers) -> dict[str, Any]:
    single, biases = drivers.deciding_tables(answers)
    return {
        "driver_charts": drivers.charts(answers),
        "driver_tables": drivers.tables(answers),
        "deciding_table": single,
        "deciding_biases": biases,
        "interval_charts": drivers.interval_charts(answers),
    }


def _audit(answers: Answers) -> dict[str, Any]:
    noted, consistent = audit.heat_tables(answers)
    conflicts = answers.data.conflicts
    balance, balance_in_full = audit.balance_tables(answers)
    return {
        "asked_table": audit.asked_table(answers),
        "noted_claims": noted,
        "consistent_claims": consistent,
        "influence_table": audit.influence_table(answers),
        "statements_table": audit.statements_table(answers),
        "balance_table": balance,
        "balance_in_full": balance_in_full,
        "conflicts": None if conflicts is None else conflicts.to_dict("records"),
        "shown_conflicts": _SHOWN_CONFLICTS,
    }


def _whatif(answers: Answers) -> dict[str, Any]:
    return {
        "breakeven_charts": whatif.draw_breakevens(answers),
        "breakeven_table": whatif.breakeven_table(answers),
        "scenarios_table": whatif.scenarios_table(answers),
    }


def _sources(data: ReportData, claims: ClaimRows) -> dict[str, Any]:
    single, reporting = beliefs.prior_tables(data.trees)
    return {
        "prior_table": single,
        "reporting_table": reporting,
        "settings_table": beliefs.settings_table(data.trees),
        "claim_tables": list(claims.tables()),
    }


def _checks(answers: Answers) -> dict[str, Any]:
    return {
        "diagnostics_table": checks.diagnostics_table(answers),
        "identity_table": checks.identity_table(answers),
        "versions_table": checks.versions_table(answers.data.trees),
    }
