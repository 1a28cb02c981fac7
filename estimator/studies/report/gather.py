"""Fill a report: what is on disk is taken, what is missing and quick is worked out."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr
from rich.console import Console
from rich.text import Text

from estimator.assumptions.compose import plain_config
from estimator.errors import EstimatorError, OutputError
from estimator.export import read_csv, read_text
from estimator.paths import folder_name
from estimator.quantities.answers import Answer, with_last_month
from estimator.show.break_even import BreakEven
from estimator.store.results import COMMAND
from estimator.store.sets import Sets
from estimator.studies.about import options_of_sets
from estimator.studies.audit.audit import Audit, read_audit
from estimator.studies.audit.bases import AuditedSet
from estimator.studies.audit.cli import FOLDER as AUDIT
from estimator.studies.audit.cli import make_audit
from estimator.studies.audit.options import AuditOptions
from estimator.studies.audit.parts import publish_audit
from estimator.studies.audit.statements import judge_statements
from estimator.studies.breakeven.find import break_even
from estimator.studies.breakeven.options import BreakEvenOptions
from estimator.studies.breakeven.parts import STEM, publish_break_evens, read_break_evens
from estimator.studies.breakeven.plan_share import KEY, plan_shares
from estimator.studies.compare.drivers import drivers, shifts
from estimator.studies.compare.drivers.table import joined
from estimator.studies.compare.options import CompareOptions
from estimator.studies.compare.parts import Comparison, prior_part, with_negligible
from estimator.studies.compare.pool import pooled
from estimator.studies.compare.sensitivity import COLUMNS as PRIOR_OR_DATA
from estimator.studies.compare.specification import Specification
from estimator.studies.compare.table import reference_of
from estimator.studies.report.data import ReportData, last_month
from estimator.studies.report.options import ReportOptions

log = logging.getLogger(__name__)

BREAK_EVENS = "breakeven"
"""Folder of a run in which its break-even values are kept."""

Say = Callable[[str], object]
"""Told what is being done."""


def gather(
    outputs: Sequence[Path],
    overrides: Sequence[str],
    console: Console,
    *,
    fits: bool = True,
    config_dir: str | None = None,
) -> ReportData:
    """Collect everything that a report on a run shows.

    Parameters
    ----------
    outputs
        The run, then sweeps whose drivers are shown.
    overrides
        Of the groups ``report``, ``compare``, ``audit`` and ``breakeven``.
    console
        For a progress bar.
    fits
        Whether break-even values that need fits are worked out (some minutes) where they are not
        there yet.
    config_dir
        A folder of a user's options.

    Raises
    ------
    OutputError
        If the first output holds no whole result, or one of them cannot be read.
    """
    sets = Sets.open(outputs[:1])
    if not sets.whole:
        raise OutputError(
            f"{outputs[0]}: holds no whole result (<set>/result.nc); a report needs at least one"
        )
    sweeps = [Sets.open([sweep]) for sweep in outputs[1:]]  # what is wrong with one comes first
    overrides = options_of_sets(sets, overrides, ("report", "audit"), config_dir)
    config = plain_config(overrides, config_dir)
    options = ReportOptions.from_config(config["report"])
    judged = AuditOptions.from_config(config["audit"])
    compared = CompareOptions.from_config(config["compare"])
    with console.status("compare") as status:
        reference = reference_of(sets, compared.reference)
        claims, command = _claims_table(outputs[0], reference), _command(outputs[0])
        ordered = sorted(sets.whole, key=_order(reference, list(options.sets)))
        trees = {label: tree for label in ordered if (tree := sets.tree(label)) is not None}
        last = max(last_month(tree) for tree in trees.values())
        asked = [Answer.parse(with_last_month(text, last)) for text in options.answers]
        answers = list(dict.fromkeys([*compared.answers_of(sets.last_month), *asked]))
        comparison = Comparison.of(sets, answers, compared)
        prior = prior_part(comparison).tables
        status.update("drivers")
        moved, curves = _drivers(sets, sweeps, asked, reference, compared)
        status.update("break-even")
        place = outputs[0] / BREAK_EVENS
        crossings = _break_evens(
            options, config, trees, place, lambda text: status.update(Text(text)), fits=fits
        )
    return ReportData(
        output=str(outputs[0]),
        command=command,
        options=options,
        trees=trees,
        asked=asked,
        claims_table=claims,
        comparison=comparison.table,
        pooled=pooled(sets, answers),
        prior_or_data=prior.get("prior_or_data", pd.DataFrame(columns=list(PRIOR_OR_DATA))),
        drivers=moved,
        specifications=curves,
        audit=_audit(trees, sets, outputs[0] / AUDIT, overrides, console, judged, config_dir),
        certain=judged.certain,
        breakeven=crossings,
    )


def _drivers(
    sets: Sets,
    sweeps: Sequence[Sets],
    answers: list[Answer],
    reference: str,
    options: CompareOptions,
) -> tuple[pd.DataFrame, list[Specification]]:
    """Drivers and specification curves of each sweep, and of the reference set its priors' pull."""
    parts, curves = [], []
    for swept in sweeps:
        moved = with_negligible(drivers(swept, answers), swept, options)
        asked = [one for one in options.specification_of(swept.last_month) if one in answers]
        found = (Specification.of(swept, answer, moved) for answer in asked)
        parts.append(moved)
        curves += [curve for curve in found if curve is not None]
    if reference in sets.whole:
        parts.append(with_negligible(shifts(sets, answers, reference), sets, options))
    return joined([part for part in parts if len(part)]), curves


def _break_evens(
    options: ReportOptions,
    config: Mapping[str, Any],
    trees: Mapping[str, xr.DataTree],
    folder: Path,
    say: Say,
    *,
    fits: bool,
) -> list[BreakEven]:
    """Break-even values of the sets that the run has: kept ones of the same sets, or new ones."""
    search = BreakEvenOptions.from_config(config["breakeven"])
    results: list[BreakEven] = []
    for asked in options.breakeven:
        tree = trees.get(asked.assumption_set)
        if tree is None:
            continue
        if asked.keys == (KEY,):
            known = (
                tree["scenarios"].to_dataset()["scenario"].values.tolist()
                if "scenarios" in tree.children
                else []
            )
            wanted = [name for name in asked.scenarios if name in known]
            results += plan_shares(tree, asked.level, search, wanted) if wanted else []
            continue
        event = with_last_month(asked.event, last_month(tree))
        place = folder / folder_name("-".join([asked.assumption_set, *asked.keys, event]))
        kept = read_break_evens(place) if (place / f"{STEM}.json").exists() else []
        if [result.assumption_set_id for result in kept] == [tree.attrs["assumption_set_id"]]:
            results += kept
        elif fits:
            say(f"break-even: {', '.join(asked.keys)}")
            try:
                made = break_even(asked.keys, event, asked.level, asked.overrides, options=search)
            except EstimatorError as error:
                log.warning("break-even of %s: %s", ", ".join(asked.keys), error)
                continue
            publish_break_evens([made], place)
            results.append(made)
    return results


def _order(reference: str, described: Sequence[str]) -> Callable[[str], tuple[bool, int, str]]:
    """Order of the sets: the reference, then as they are described, then by label."""
    places = {label: place for place, label in enumerate(described)}
    return lambda label: (label != reference, places.get(label, len(places)), label)


def _audit(
    trees: Mapping[str, xr.DataTree],
    sets: Sets,
    folder: Path,
    overrides: Sequence[str],
    console: Console,
    options: AuditOptions,
    config_dir: str | None,
) -> Audit:
    """Take the audit of these sets if there is one, else make one without fits.

    Statements need no fit: those of an audit that was asked for others are judged anew.
    """
    chosen = [text for text in overrides if text.startswith("audit")]
    wanted = sets.facts.loc[sets.whole, "set_id"].tolist()
    if (folder / "sets.csv").exists() and not any("." in text for text in chosen):
        kept = read_audit(folder)
        if kept.facts["set_id"].tolist() == wanted:
            if list(dict.fromkeys(kept.statements["statement"])) == list(options.statements):
                return kept
            judged = [
                judge_statements(AuditedSet.of(label, tree), options.statements)
                for label, tree in trees.items()
            ]
            return dataclasses.replace(kept, statements=pd.concat(judged, ignore_index=True))
    if not any(text.startswith("audit.refit") for text in chosen):
        chosen.append("audit.refit=none")
    made = make_audit(sets, chosen, folder, console, config_dir)
    publish_audit(made, folder)
    return made


def _claims_table(run: Path, label: str) -> pd.DataFrame:
    """Claims as the reference set saw them."""
    for path in (run / folder_name(label) / "claims.csv", run / "claims.csv"):
        if path.exists():
            numbers = dict.fromkeys(("low", "value", "high"), "")
            return read_csv(path, na_values=numbers)
    raise OutputError(
        f"{run}: holds no claims.csv; estimate the run again: it is of an older version"
    )


def _command(run: Path) -> str:
    path = run / COMMAND
    return read_text(path).strip() if path.exists() else ""
