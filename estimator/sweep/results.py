"""Sets that were written whole, as sets of a sweep: every multirun ends with one dataset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from estimator.assumptions import AssumptionSet
from estimator.errors import OutputError
from estimator.evidence import Evidence
from estimator.fitting.diagnostics import Diagnostics
from estimator.fitting.entries import flatten, statistics
from estimator.fitting.reweighting import pooled_entries
from estimator.store.results import read_attrs, read_result
from estimator.store.sweep_files import DATASET, TABLE
from estimator.store.versions import versions
from estimator.sweep.collect import collect_sweep, facts_of, read_sweep
from estimator.sweep.journal import FILE, Obtained, SetRecord, SweepJournal


def collect_folder(folder: Path) -> xr.DataTree:
    """Rebuild ``sweep.nc`` and ``summary.parquet`` of a folder from what is on disk.

    Raises
    ------
    OutputError
        If the folder holds neither a sweep nor a result.
    """
    if any(folder.glob("*/result.nc")):
        return collect_results(folder)
    if not (folder / FILE).exists():
        raise OutputError(f"{folder}: holds neither a sweep nor a result")
    with SweepJournal(folder) as journal:
        return collect_sweep(journal)


def collect_results(folder: Path) -> xr.DataTree:
    """Put all whole results of a folder into its journal, and collect it.

    Results that are in the journal already, and files that are made of these very results, are
    left as they are.

    Raises
    ------
    OutputError
        If two results have one label.
    """
    read: list[tuple[Path, str, AssumptionSet]] = []  # before a journal is made of what is damaged
    folders: dict[str, Path] = {}
    hashes = set()
    for path in sorted(folder.glob("*/result.nc")):
        attrs = read_attrs(path.parent)
        label = str(attrs["assumption_set"])
        if label in folders:
            both = f"{folders[label]} and {path.parent}"
            raise OutputError(f"{both}: both hold the set {label!r}; move one of them away")
        folders[label] = path.parent
        hashes.add(str(attrs["data_hash"]))
        assumptions = AssumptionSet.from_config(json.loads(attrs["configuration"]), label=label)
        read.append((path, str(attrs["assumption_set_id"]), assumptions))
    with SweepJournal(folder) as journal:
        finished, before = journal.finished(), journal.about()
        known = json.loads(before.get("results", "{}"))
        rows, stamps = [], {}
        for path, set_id, assumptions in read:
            named = {"set_id": set_id, "label": assumptions.label, "error": ""}
            rows.append(named | facts_of(assumptions))
            file = path.stat()
            stamps[set_id] = [file.st_mtime_ns, file.st_size, json.dumps(versions())]
            if set_id not in finished or known.get(set_id) != stamps[set_id]:
                journal.add_sets([_record(journal, read_result(path.parent), assumptions, set_id)])
        about = {
            "sets": json.dumps(rows),
            "versions": json.dumps(versions()),
            "data_hash": " ".join(sorted(hashes)),
            "results": json.dumps(stamps),
        }
        if before | about == before and all((folder / n).exists() for n in (DATASET, TABLE)):
            return read_sweep(folder)
        # Which results the files are made of is said last: a collection that stops is made again.
        journal.set_about(**about | {"results": "{}"})
        tree = collect_sweep(journal)
        journal.set_about(**about)
        return tree


def _record(
    journal: SweepJournal, tree: xr.DataTree, assumptions: AssumptionSet, set_id: str
) -> SetRecord:
    from estimator.sweep.set_fit import CORE, diagnose_entries, entries_dataset

    posterior = tree["posterior"].to_dataset()
    evidence = Evidence(pd.DataFrame(), _constant(tree), str(tree.attrs["data_hash"]))
    core = posterior[list(CORE)].astype(np.float32)
    for name in CORE:
        core[name].attrs = posterior[name].attrs
    layout, draws = flatten(entries_dataset(core, assumptions, evidence))
    _, relative = diagnose_entries(
        layout, draws, tree["sample_stats"].to_dataset(), assumptions.sampler
    )
    found: dict[str, Any] = json.loads(tree.attrs["diagnostics"])
    diagnostics = Diagnostics(**{**found, "failures": tuple(found["failures"])})
    sizes = [s for s in (diagnostics.min_ess_bulk, diagnostics.min_ess_tail) if s is not None]
    obtained = Obtained(
        "fitted",
        (set_id,),
        float("nan"),
        min(sizes, default=float("nan")),
        diagnostics.max_rhat,
        diagnostics.divergences,
        "; ".join(diagnostics.failures),
        float("nan"),
    )
    name = journal.add_layout(layout)
    return SetRecord(
        set_id, obtained, name, statistics(pooled_entries([(layout, draws, relative)])), None
    )


def _constant(tree: xr.DataTree) -> xr.Dataset:
    return tree["constant_data"].to_dataset()
