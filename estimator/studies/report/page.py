"""The page: a template for each section, with its tables, pictures and sentences."""

from __future__ import annotations

import functools
import re
import shlex
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
    whatif,
    whatif_text,
)
from estimator.studies.report.claims import ClaimRows
from estimator.studies.report.data import ReportData

# Control characters, and those that turn the direction of all text after them: a claim's text could
# make 33,400 read as 004,33.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
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
    page = _environment().get_template(TEMPLATE)
    filled = page.render(data=data, claims=ClaimRows(data), sections=SECTIONS)
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", filled)


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
    """Templates, which call the modules that make their tables, pictures and sentences."""
    environment = Environment(
        loader=PackageLoader("estimator.studies.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    modules = (audit, beliefs, checks, drivers, number, pictures, sets, text, whatif, whatif_text)
    environment.globals |= {module.__name__.rpartition(".")[2]: module for module in modules}
    environment.filters["shell"] = shlex.quote
    return environment
