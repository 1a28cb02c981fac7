"""Ingest a file: claims and report, written together or not at all."""

from __future__ import annotations

import datetime as dt
import shlex
import string
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from estimator.assumptions.compose import plain_config
from estimator.errors import EvidenceError, IngestError, OutputError, problems_text
from estimator.export import atomically, write_csv
from estimator.ingest.cells import plain
from estimator.ingest.draft import Draft, accepted, distinct_ids, named, to_frame
from estimator.ingest.formats import format_of
from estimator.ingest.ledger import Entry, Ledger, by_reason
from estimator.ingest.options import IngestOptions, shipped
from estimator.ingest.pieces import suggest
from estimator.ingest.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

SHIPPED = "shipped"
REPORT_SUFFIX = ".report.csv"
_MOST_TOLD = 18  # rows or reasons of a message, so that it ends within twenty lines
_DAY = dt.timedelta(days=1)
_PLAIN = frozenset(string.ascii_letters + string.digits + "_-./")
_WORDS = ("null", "true", "false", "nan", "inf")


@dataclass(frozen=True)
class Ingested:
    """Claims of a table, and the account of its rows.

    Attributes
    ----------
    format
        Of the table.
    path
        The table.
    drafts
        The claims, named, in order of period and origin.
    ledger
        Every row's fate.
    """

    format: str
    path: Path
    drafts: tuple[Draft, ...]
    ledger: Ledger

    def claims(self) -> pd.DataFrame:
        """Claims table, columns as in `data/README.md`; figures are numbers, else text."""
        return to_frame(self.drafts)

    def report(self) -> pd.DataFrame:
        """Fate of every row, then the remarks: row, outcome, reason, detail, claims."""
        import pandas as pd

        rows = [
            (
                "" if entry.row is None else str(entry.row),
                entry.outcome,
                entry.reason,
                plain(entry.detail),
                " ".join(entry.claims),
            )
            for entry in self.ledger.entries()
        ]
        return pd.DataFrame(rows, columns=["row", "outcome", "reason", "detail", "claims"])

    def populations(self) -> dict[str, tuple[dt.date, dt.date]]:
        """First and last day of the claims on each population."""
        spans: dict[str, tuple[dt.date, dt.date]] = {}
        for draft in self.drafts:
            first, last = spans.get(draft.population, (draft.start, draft.end))
            spans[draft.population] = (min(first, draft.start), max(last, draft.end))
        return spans


def ingest(
    name: str,
    path: Path,
    settings: Settings,
    *,
    strict: bool = False,
    rules: IngestOptions | None = None,
) -> Ingested:
    """Read a table of others.

    Parameters
    ----------
    name
        Of the format, a key of `estimator.ingest.formats.FORMATS`.
    path
        The file.
    settings
        Options.
    strict
        Bad rows and cells are an error, all at once.
    rules
        What is done where the settings say nothing; None: as the shipped configuration says.

    Raises
    ------
    IngestError
        If the file is not of the format, has no row that becomes a claim, or, with `strict`, has
        bad rows.
    """
    reader = format_of(name, settings).reader()
    chosen = rules or shipped()
    ledger, found = reader(path, chosen.fill(settings, name))
    order = sorted(
        found, key=lambda d: (d.end, d.start, d.origin, d.quantity, d.population, d.rows)
    )
    drafts = named(accepted(distinct_ids(order, ledger), ledger), settings.prefix)
    drafts = _known_parents(drafts, settings.prefix, ledger)
    for draft in drafts:
        ledger.use(draft.rows, draft.id)
    if lost := ledger.unaccounted():
        raise RuntimeError(f"rows without account: {lost[:10]}")
    if strict and ledger.bad:
        told = [_told(entry) for entry in ledger.bad[:_MOST_TOLD]]
        if more := len(ledger.bad) - len(told):
            told.append(f"and {more:,} more; without --strict the report has them all")
        raise IngestError(problems_text(f"{path}: rows at fault (--strict):", told))
    if not drafts:
        reasons = [
            f"{len(entries)} rows, first {_told(entries[0])}"
            for _, entries in by_reason(ledger.skipped)[:_MOST_TOLD]
        ]
        raise IngestError(problems_text(f"{path}: no row became a claim:", reasons))
    _report_days(drafts, ledger)
    suggest(drafts, ledger, chosen.alike)
    return Ingested(name, path, tuple(drafts), ledger)


def _report_days(drafts: Sequence[Draft], ledger: Ledger) -> None:
    """Tell of claims whose days can be, but seldom are."""
    today = dt.date.today()  # of the reader's calendar, as the table's days
    for draft in drafts:
        row = draft.rows[0] if draft.rows else None
        if draft.published < draft.end:
            found = f"{draft.id}: published {draft.published}, the period ends {draft.end}"
            ledger.remark("published before the period ends", found, row)
        if draft.end > today:
            ledger.remark("a period that ends after today", f"{draft.id}: {draft.end}", row)


def _told(entry: Entry) -> str:
    place = "the table" if entry.row is None else f"row {entry.row}"
    return f"{place}: {entry.reason}" + (f" (found {plain(entry.detail)})" if entry.detail else "")


def _known_parents(drafts: Sequence[Draft], prefix: str | None, ledger: Ledger) -> list[Draft]:
    """Give what claims are derived from the prefix of ids, and leave out what no claim is."""
    from estimator.evidence.schema import names_in

    ids = {draft.id for draft in drafts}
    first = f"{prefix}-" if prefix else ""
    kept = []
    for draft in drafts:
        parents = [f"{first}{name}" for name in names_in(draft.derived_from)]
        if lost := " ".join(name for name in parents if name not in ids):
            row = draft.rows[0] if draft.rows else None
            ledger.remark("derived from what is no claim of the table", lost, row, bad=True)
        kept.append(replace(draft, derived_from=" ".join(n for n in parents if n in ids)))
    return kept


def report_path(output: Path) -> Path:
    """File of the report beside the claims."""
    return output.with_name(f"{output.name}{REPORT_SUFFIX}")


def check_output(output: Path, sources: Sequence[Path], *, force: bool) -> None:
    """Refuse to overwrite.

    Raises
    ------
    OutputError
        If the claims or the report would replace a file, or one of the sources: the table, and the
        mapping.
    """
    if str(output) == SHIPPED:
        raise OutputError(f"{output}: the word stands for the shipped table; use another name")
    written = [output.resolve(), report_path(output).resolve()]
    for source in sources:
        if source.resolve() in written:
            raise OutputError(f"{output}: would overwrite what is read, {source}")
    if output.is_dir():
        raise OutputError(f"{output}: is a folder; expected the name of a file")
    there = [path for path in (output, report_path(output)) if path.exists()]
    if there and not force:
        raise OutputError(f"{there[0]}: is there already; --force overwrites it")


def write(ingested: Ingested, output: Path) -> None:
    """Write claims and report; the claims are read back and checked before they are put in place.

    Raises
    ------
    OutputError
        If a file cannot be written. What was there before stays.
    IngestError
        If a written claim is not as the schema wants it.
    """
    from estimator.evidence import read_claims

    def write_checked(partial: Path) -> None:
        try:
            write_csv(ingested.claims(), partial, float_format="%.15g")
            read_claims([str(partial)])
            write_csv(ingested.report(), report_path(output))
        except EvidenceError as error:
            partial.unlink(missing_ok=True)
            text = str(error).replace(partial.name, output.name)
            raise IngestError(f"{ingested.path}: {text}") from error
        except OutputError:
            partial.unlink(missing_ok=True)
            raise

    atomically(output, write_checked)


def hint(ingested: Ingested) -> str:
    """Say what a run needs beside its files if the shipped sets know nothing of a population."""
    known = plain_config()["evidence"]["populations"]
    if all(population in ("", *known) for population in ingested.populations()):
        return ""
    return (
        f"The shipped sets are of {', '.join(known)}. If the table counts one of them, say so with "
        "--population; for another side or war add experiment=other_war to the command."
    )


def commands(ingested: Ingested, output: Path) -> list[str]:
    """Commands that go on with the claims: one for each population, in shell-safe quotes."""
    return [
        shlex.join(
            [
                "estimator",
                "run",
                f"evidence.files=[{_hydra(str(output))}]",
                *([f"evidence.populations=[{_hydra(plain(population))}]"] if population else []),
                f"window.start={first}",
                f"window.end={max(last, first + _DAY)}",  # a window is longer than a day
            ]
        )
        for population, (first, last) in sorted(ingested.populations().items())
    ]


def _hydra(text: str) -> str:
    """Quote text as an element of a list on Hydra's command line."""
    if (
        (text[:1].isalpha() or text[:1] in ("/", "."))
        and set(text) <= _PLAIN
        and text.lower() not in _WORDS
    ):
        return text
    escaped = text.replace("${", "\\${")  # else OmegaConf would look something up
    if "'" in escaped:
        escaped = escaped.replace("\\", "\\\\").replace("'", "\\'")
    elif escaped.endswith("\\"):
        escaped += "\\"
    return f"'{escaped}'"
