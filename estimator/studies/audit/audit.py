"""The audit of some sets: claims, evidence groups, statements, contradictions, stocks."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import xarray as xr

from estimator.errors import OutputError, problems_text
from estimator.show.progress import Progress
from estimator.store.claim_draws import note as draws_note
from estimator.store.journal import Journal, Record, key_of
from estimator.store.sets import Sets
from estimator.studies.audit.balance import COLUMNS as BALANCE_COLUMNS
from estimator.studies.audit.balance import balances
from estimator.studies.audit.bases import AuditedSet
from estimator.studies.audit.claims import COLUMNS as CLAIM_COLUMNS
from estimator.studies.audit.claims import judge_claims
from estimator.studies.audit.conflicts import COLUMNS as CONFLICT_COLUMNS
from estimator.studies.audit.conflicts import RESOLUTION_COLUMNS, conflicts, resolutions
from estimator.studies.audit.face_values import face_values
from estimator.studies.audit.groups import COLUMNS as GROUP_COLUMNS
from estimator.studies.audit.groups import judge_groups
from estimator.studies.audit.leave_out import LeaveOneOut
from estimator.studies.audit.options import AuditOptions
from estimator.studies.audit.statements import COLUMNS as STATEMENT_COLUMNS
from estimator.studies.audit.statements import judge_statements

FILE = "audit.sqlite"
"""Journal of the verdicts of single sets, so that an audit that was stopped goes on."""

_COLUMNS = {
    "claims": CLAIM_COLUMNS,
    "groups": GROUP_COLUMNS,
    "statements": STATEMENT_COLUMNS,
    "conflicts": CONFLICT_COLUMNS,
    "resolutions": RESOLUTION_COLUMNS,
    "balance": BALANCE_COLUMNS,
    "sets": ("label", "set_id", "data_hash", "failures", "note"),
}


@dataclass(frozen=True)
class Audit:
    """Tables of an audit; the columns are those of the module of each.

    Attributes
    ----------
    claims
        `estimator.studies.audit.claims`: verdicts of all claims in all sets.
    groups
        `estimator.studies.audit.groups`: answers with and without each evidence group.
    statements
        `estimator.studies.audit.statements`.
    conflicts, resolutions
        `estimator.studies.audit.conflicts`: contradictions at face value, and what the sets make of
        them.
    balance
        `estimator.studies.audit.balance`.
    facts
        Index `label`: set_id, data_hash and failures of each set, and in `note` whether its claims
        were judged by a part of the draws.
    """

    claims: pd.DataFrame
    groups: pd.DataFrame
    statements: pd.DataFrame
    conflicts: pd.DataFrame
    resolutions: pd.DataFrame
    balance: pd.DataFrame
    facts: pd.DataFrame

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables by the name of their file."""
        return {
            "claims": self.claims,
            "groups": self.groups,
            "statements": self.statements,
            "conflicts": self.conflicts,
            "resolutions": self.resolutions,
            "balance": self.balance,
            "sets": self.facts.reset_index(),
        }


def read_audit(folder: Path) -> Audit:
    """Read back the tables of an audit that was published.

    Raises
    ------
    OutputError
        If a table is missing, lacks a column or cannot be read.
    """
    tables = {}
    for name, columns in _COLUMNS.items():
        path = folder / f"{name}.csv"
        try:
            tables[name] = pd.read_csv(
                path, usecols=list(columns), keep_default_na=False, na_values=[""]
            )
        except (OSError, ValueError) as error:
            raise OutputError(f"{path}: cannot be read ({error}); run: estimator audit") from error
        text = tables[name].select_dtypes(exclude="number").columns
        tables[name][text] = tables[name][text].fillna("")
    facts = tables.pop("sets").set_index("label")
    return Audit(**tables, facts=facts)


def audit(
    sets: Sets,
    options: AuditOptions,
    *,
    cores: int = 2,
    journal: Journal | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Hold the claims against the posterior of each set.

    Parameters
    ----------
    sets
        Of which those that were written whole are audited.
    options
        Bounds, refits, statements.
    cores
        Chains at a time.
    journal
        Open; the verdicts of each finished set are kept there, and taken from there.
    progress
        Told of each fit.

    Raises
    ------
    OutputError
        If no set was written whole, or they are on different claims tables.
    """
    audited = [AuditedSet.of(name, tree) for name, tree in _whole(sets)]
    _check_one_table(audited)
    judged = [_judged(one, options, cores, journal, progress) for one in audited]
    first = audited[0]
    values = face_values(first.data, first.assumptions.hedging, options.face_value_deviations)
    months = [str(month) for month in first.data["month"].values]
    labels = [one.label for one in audited]
    facts = sets.facts.loc[labels, ["set_id", "data_hash", "failures"]]
    found, members = conflicts(values, months, options.max_conflicts)
    return Audit(
        **{
            name: pd.concat([tables[name] for tables in judged], ignore_index=True)
            for name in _BY_FITS
        },
        statements=pd.concat(
            [judge_statements(one, options.statements) for one in audited], ignore_index=True
        ),
        conflicts=found,
        resolutions=pd.concat([resolutions(members, one) for one in audited], ignore_index=True),
        balance=balances(audited),
        facts=facts.assign(note=[draws_note(one.tree) for one in audited]),
    )


def _whole(sets: Sets) -> Iterator[tuple[str, xr.DataTree]]:
    """Label and result of each set that was written whole."""
    trees = ((label, sets.tree(label)) for label in sets.whole)
    found = [(label, tree) for label, tree in trees if tree is not None]
    if not found:
        raise OutputError(
            problems_text(
                "The audit needs whole results; these sets have only statistics (estimate them "
                "with sweep.whole_results=N, or one by one with estimator run):",
                sets.labels[:10],
            )
        )
    yield from found


def _check_one_table(audited: Sequence[AuditedSet]) -> None:
    hashes: dict[str, list[str]] = {}
    for one in audited:
        hashes.setdefault(one.evidence.data_hash, []).append(one.label)
    if len(hashes) > 1:
        raise OutputError(
            problems_text(
                "These sets are on different claims tables; audit them apart:",
                [f"table {name[:12]}: {', '.join(labels)}" for name, labels in hashes.items()],
            )
        )


_BY_FITS = {"claims": judge_claims, "groups": judge_groups}
"""Tables that may need fits, so that a journal keeps them."""


def _judged(
    audited: AuditedSet,
    options: AuditOptions,
    cores: int,
    journal: Journal | None,
    progress: Progress | None,
) -> dict[str, pd.DataFrame]:
    """Judge the claims and the groups of a set, or take what an earlier audit has kept."""
    leaving = LeaveOneOut(audited, options, cores, progress)
    settings = options.model_dump_json(exclude={"statements", "max_conflicts"})
    key = key_of(audited.tree.attrs["assumption_set_id"], settings)
    tables = {}
    for name, judge in _BY_FITS.items():
        kept = None if journal is None else journal.record(name, key)
        if kept is not None:
            table = pd.read_parquet(io.BytesIO(kept.content or b""))
            tables[name] = table.assign(assumption_set=audited.label)
            continue
        tables[name] = judge(leaving)
        if journal is not None:
            journal.keep([Record(name, key, content=tables[name].to_parquet())])
    return tables
