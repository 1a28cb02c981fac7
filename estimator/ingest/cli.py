"""`estimator ingest`: bring a table of others into the claims table."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from estimator.errors import ConfigError

if TYPE_CHECKING:
    import datetime as dt

    from rich.console import Console

    from estimator.ingest.ledger import Entry
    from estimator.ingest.settings import Settings
    from estimator.ingest.writing import Ingested

DESCRIPTION = """\
Brings a public table into the claims table, with units, origin and citation. Every row is
accounted for: part of a claim, or skipped for a reason; OUTPUT.report.csv has them all.

  general-staff    daily running totals (JSON) of the 2022-Ukraine-Russia-War dataset: losses of
                   each month, or --every day|week
  economist-raw    The Economist's raw estimates (CSV, one row a bound)
  economist-list   The Economist's list of estimates (CSV, dd/mm/yyyy); needs --war-start
  radford          replication data of Radford and others, PNAS 2023 (CSV)
  ucdp-ged         events of the UCDP GED (CSV): the dead of each --side, summed
  weekly-registry  counts of the dead by ISO week (CSV); needs --published and --country
  mapping          any CSV table; --mapping FILE.yaml says what its columns mean, and
                   `estimator new mapping NAME` writes one to begin with

  estimator ingest general-staff losses.json -o claims.csv --every month
  estimator ingest economist-list list.csv -o claims.csv --war-start 2022-02-24 --country russia

Running totals of one origin overlap, so their errors are not independent: by default a series of
them that is dense becomes increments (--cumulative). See docs/ingest.md.
"""
_FIRST_ROWS = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    from estimator.ingest.formats import FORMATS

    parser.add_argument("format", metavar="FORMAT", help=", ".join(FORMATS))
    parser.add_argument("file", metavar="FILE", nargs="?", type=Path, help="the table")
    parser.add_argument("-o", "--output", type=Path, metavar="CSV", help="the claims to write")
    parser.add_argument("--force", action="store_true", help="overwrite claims and report")
    parser.add_argument("--strict", action="store_true", help="bad rows are an error, all at once")
    parser.add_argument(
        "--origin",
        action="append",
        default=[],
        metavar="[SOURCE[:QUANTITY]=]NAME",
        help="who counted: of all rows, or of a source of the table (may be repeated)",
    )
    parser.add_argument("--citation", metavar="TEXT", help="citation of all claims")
    parser.add_argument("--source", metavar="NAME", help="where it was published")
    parser.add_argument("--population", metavar="NAME", help="whom it counts (<country>_forces)")
    parser.add_argument(
        "--speaker",
        action="append",
        default=[],
        metavar="[SOURCE=]WHO",
        help="whose the origin is: own, enemy, third_party; of all rows, or of a source",
    )
    parser.add_argument("--prefix", metavar="NAME", help="before the ids, to use tables together")
    parser.add_argument("--country", metavar="NAME", help="only rows of this country")
    parser.add_argument(
        "--side", action="append", default=[], metavar="NAME", help="whose dead (ucdp-ged)"
    )
    parser.add_argument("--war-start", metavar="DATE", help="first day of what is totalled")
    parser.add_argument("--published", metavar="DATE", help="day of publication of all claims")
    parser.add_argument(
        "--every", metavar="PERIOD", help="day, week or month: length of the claims"
    )
    parser.add_argument(
        "--cumulative",
        metavar="HOW",
        help="running totals: auto (dense ones are differenced), difference, keep",
    )
    parser.add_argument(
        "--dense-days",
        type=float,
        metavar="N",
        help="dense: half of the steps are at most so long (45: published monthly)",
    )
    parser.add_argument(
        "--week-start",
        action="append",
        default=[],
        metavar="SOURCE",
        help="its totals are dated by the first day of their week (economist-*, mapping)",
    )
    parser.add_argument("--mapping", type=Path, metavar="YAML", help="what the columns mean")
    parser.add_argument("--max-megabytes", type=float, metavar="N", help="size allowed (512)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Ingest, write claims and report, and print the account; the result is the exit status.

    Raises
    ------
    ConfigError, IngestError, OutputError
        If options, table or output cannot be used.
    """
    if options.file is None or options.output is None:
        raise ConfigError("ingest needs FORMAT FILE -o CLAIMS.csv")
    from estimator.ingest.formats import format_of
    from estimator.ingest.writing import check_output, ingest, report_path, write

    settings = _settings(options)
    format_of(options.format, settings)
    sources = [path for path in (options.file, options.mapping) if path is not None]
    check_output(options.output, sources, force=options.force)
    ingested = ingest(options.format, options.file, settings, strict=options.strict)
    write(ingested, options.output)
    _print(ingested, options.output, report_path(options.output), console)
    return 0


def _settings(options: argparse.Namespace) -> Settings:
    from estimator.ingest.settings import SPEAKERS, Settings
    from estimator.ingest.totals import EVERY, MODES

    for flag, word, allowed in (
        ("--every", options.every, EVERY),
        ("--cumulative", options.cumulative, MODES),
    ):
        if word is not None and word not in allowed:
            raise ConfigError(f"{flag}: found {word!r}; allowed: {', '.join(allowed)}")
    for flag, number in (
        ("--dense-days", options.dense_days),
        ("--max-megabytes", options.max_megabytes),
    ):
        if number is not None and not 0 < number < float("inf"):
            raise ConfigError(f"{flag}: found {number}; allowed: a number above 0")
    for flag, text in (
        ("--citation", options.citation),
        ("--source", options.source),
        ("--population", options.population),
        ("--prefix", options.prefix),
        ("--country", options.country),
    ):
        if text is not None and not text.strip():
            raise ConfigError(f"{flag}: is empty")
    speakers = _by_source("--speaker", options.speaker, SPEAKERS)
    return Settings(
        origins=_origins(options.origin),
        source=options.source,
        citation=options.citation,
        population=options.population,
        speaker=speakers.pop("", None),
        speakers=speakers,
        prefix=_prefix(options.prefix),
        country=options.country,
        sides=tuple(options.side),
        war_start=_date("--war-start", options.war_start),
        published=_date("--published", options.published),
        every=options.every,
        cumulative=options.cumulative,
        dense_days=options.dense_days or 0.0,
        week_start=tuple(options.week_start),
        mapping=options.mapping,
        max_megabytes=options.max_megabytes or 0.0,
    )


def _origins(given: Sequence[str]) -> dict[str, str]:
    from estimator.ingest.cells import snake

    origins = _by_source("--origin", given)
    for name in origins.values():
        if not name or snake(name) != name:
            raise ConfigError(f"--origin: found {name!r}; allowed: a snake_case name")
    return origins


def _by_source(flag: str, given: Sequence[str], allowed: Sequence[str] = ()) -> dict[str, str]:
    """Words by source, of `SOURCE=WORD`; the key "" stands for all others."""
    words: dict[str, str] = {}
    for text in given:
        source, _, word = (part.strip() for part in text.rpartition("="))
        if allowed and word not in allowed:
            raise ConfigError(f"{flag}: found {text!r}; allowed: {', '.join(allowed)}")
        if source in words:
            raise ConfigError(f"{flag}: {source or 'all rows'!r} is given twice")
        words[source] = word
    return words


def _prefix(text: str | None) -> str | None:
    from estimator.ingest.cells import snake

    if text is not None and snake(text) != text:
        raise ConfigError(f"--prefix: found {text!r}; allowed: a snake_case name")
    return text


def _date(flag: str, text: str | None) -> dt.date | None:
    from estimator.ingest.cells import RowSkipped, date

    if text is None:
        return None
    try:
        return date(text, flag)
    except RowSkipped as error:
        raise ConfigError(f"{flag}: found {text!r}; allowed: a date as YYYY-MM-DD") from error


def _print(ingested: Ingested, output: Path, report: Path, console: Console) -> None:
    from estimator.ingest.writing import commands, hint

    ledger = ingested.ledger
    for title, entries in (("Rows skipped", ledger.skipped), ("Remarks", ledger.remarks)):
        if entries:
            console.print(_table(title, entries))
    used, skipped = len(ledger.used), len(ledger.skipped)
    lines = [
        f"{len(ledger.rows):,} rows: {used:,} in {len(ingested.drafts):,} claims, "
        f"{skipped:,} skipped.",
        f"Claims: {output}",
        f"Report: {report}",
        *filter(None, [hint(ingested)]),
        "Go on with:",
        *(f"  {command}" for command in commands(ingested, output)),
    ]
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _table(title: str, entries: Sequence[Entry]) -> object:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from estimator.ingest.cells import plain
    from estimator.ingest.ledger import by_reason

    table = Table(
        title=Text(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    table.add_column("reason", overflow="fold")
    table.add_column("count", justify="right")
    table.add_column("first rows", overflow="fold")
    table.add_column("first found", overflow="fold")
    for reason, same in by_reason(entries):
        rows = [str(entry.row) for entry in same if entry.row is not None]
        more = ", …" if len(rows) > _FIRST_ROWS else ""
        table.add_row(
            Text(plain(reason)),
            f"{len(same):,}",
            Text(", ".join(rows[:_FIRST_ROWS]) + more),
            Text(plain(same[0].detail)),
        )
    return table
