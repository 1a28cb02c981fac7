"""The pages: one in brief, one in detail, and the files of their pictures."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

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
    verdicts,
    whatif,
    words,
)
from estimator.studies.report.claims import ClaimRows
from estimator.studies.report.data import ReportData

# Control characters, and those that turn the direction of all text after them: a claim's text could
# make 33,400 read as 004,33.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
REPORT, DETAILS, PICTURES = "report.html", "details.html", "pictures"
"""Names of the two pages, and of the folder of their pictures' files."""
BRIEF = {
    "verdicts": "The verdicts",
    "balance": "Recruits against losses",
    "disputes": "The sets and their disputes",
    "whatif": "What if",
    "limits": "What nobody can know",
    "made": "How it was made",
}
"""Ids and headings of the sections of the page in brief, in their order."""
IN_DETAIL = {
    "sets": "The sets compared",
    "months": "Month by month",
    "drivers": "What drives the answers",
    "audit": "The claims audited",
    "breakeven": "Break-even values and scenarios",
    "priors": "Every assumption",
    "claims": "Every claim",
    "diagnostics": "Checks of the computation",
    "reproduce": "How to reproduce it",
    "glossary": "Words used",
}
"""Those of the page with the details."""
SUMMED_UP = {
    "sets": "disputes",
    "months": "balance",
    "drivers": "whatif",
    "audit": "verdicts",
    "breakeven": "whatif",
    "priors": "disputes",
    "claims": "verdicts",
    "diagnostics": "made",
    "reproduce": "made",
}
"""Which section sums up which details."""


@dataclass(frozen=True)
class Pages:
    """What is written.

    Attributes
    ----------
    report, details
        HTML that needs no network and no script.
    drawn
        Pictures by the section that shows them.
    """

    report: str
    details: str
    drawn: Mapping[str, list[pictures.Picture]]


def render(data: ReportData) -> Pages:
    """Make the pages of results, claims and tables."""
    drawn = {
        "balance": [pictures.balance(data)],
        "sets": pictures.forests(data),
        "months": pictures.fans(data),
        "drivers": drivers.charts(data),
        "breakeven": [pictures.breakeven(data, n + 1) for n in range(len(data.breakeven))],
    }
    asked = enumerate(verdicts.headlines(data), start=1)
    claims = ClaimRows(data, {claim: n for n, one in asked for claim in one.claims})
    page = _environment().get_template("page.html.j2")

    def filled(sections: dict[str, str], summed_up: dict[str, str], *, brief: bool) -> str:
        shown = {"data": data, "claims": claims, "drawn": drawn}
        html = page.render(shown, sections=sections, summed_up=summed_up, brief=brief)
        return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", html)

    return Pages(filled(BRIEF, {}, brief=True), filled(IN_DETAIL, SUMMED_UP, brief=False), drawn)


def write_report(data: ReportData, folder: Path) -> Path:
    """Write both pages and the files of their pictures; return the path of the page in brief.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    pages = render(data)
    for drawn in pages.drawn.values():
        for picture in drawn:
            picture.write(folder / PICTURES)
    write_text(folder / DETAILS, pages.details)
    return write_text(folder / REPORT, pages.report)


@functools.cache
def _environment() -> Environment:
    """Templates, which call the modules that make their tables, pictures and sentences."""
    environment = Environment(
        loader=PackageLoader("estimator.studies.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    modules = (audit, beliefs, checks, drivers, number, sets, text, verdicts, whatif, words)
    environment.globals |= {module.__name__.rpartition(".")[2]: module for module in modules}
    environment.filters["shell"] = shlex.quote
    return environment
