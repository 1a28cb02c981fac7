"""Carry out a sweep: fit some sets, reweight others, fit those that reweighting does not reach.

A sweep goes in rounds. A round's fits are planned and written down before they are begun; then
every set that is left is reweighted from all fits so far. What a round does hangs only on the list
of sets and on the fits before it, so a sweep that was killed and is started again ends as if it had
not been, and neither the number of workers nor the executor matters.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import joblib
import numpy as np

from estimator.entries import Entries, EntryLayout, statistics
from estimator.errors import EstimatorError, SweepError
from estimator.evidence import Evidence, load_evidence
from estimator.evidence.load import read_claims
from estimator.inference import Short
from estimator.pilot import Pilot
from estimator.results import versions
from estimator.reweighting import Mixture, NaturalDraws, pooled_entries, smoothed
from estimator.sweep.executors import Executor, LocalExecutor
from estimator.sweep.files import thinning
from estimator.sweep.fits import (
    Fit,
    FitTask,
    Shared,
    diagnosed_rows,
    evidence_key,
    fit,
    fit_entries,
    pilot_of,
    task_inputs,
)
from estimator.sweep.journal import FitRecord, Journal, Obtained, SetRecord
from estimator.sweep.options import SweepOptions
from estimator.sweep.plan import Group, PlannedSet, Planner, groups_of
from estimator.sweep.sets import SweepSet

log = logging.getLogger(__name__)

_PER_ROUND = 4
_CHUNK = 64  # sets that one reweighting task takes
_COMMIT = 256  # sets that are written in one step


@dataclass(frozen=True)
class Event:
    """Something done, for the progress bar: fitted, reweighted, failed, fit (a help) or pilot."""

    kind: str
    label: str = ""


Listener = Callable[[Event], None]


class Engine:
    """One sweep at work.

    Parameters
    ----------
    sets
        As `estimator.sweep.sets.compose_sets` gives them.
    options
        Of the sweep.
    journal
        Open; what it holds already is not done again.
    executor
        Carries out fits.
    listener
        Is told what was done.
    """

    def __init__(
        self,
        sets: Sequence[SweepSet],
        options: SweepOptions,
        journal: Journal,
        executor: Executor,
        listener: Listener,
    ) -> None:
        self.options, self.journal, self.executor, self.tell = options, journal, executor, listener
        self.sets = sets
        self.failed: dict[str, str] = {}
        self.evidences, keyed = _evidences(sets, self._fails)
        planner = Planner(self.evidences)
        planned = []
        ids: set[str] = set()
        for one, key in keyed:
            group_key, plan = planner.plan(one, key)
            if plan.set_id not in ids:  # two ways to write one set
                ids.add(plan.set_id)
                planned.append((group_key, plan))
        self.groups = groups_of(planner, planned)
        self.by_id = {one.set_id: (group, one) for group in self.groups for one in group.sets}
        self._pools: dict[tuple[str, tuple[str, ...]], _Pool] = {}
        self._draws: dict[str, Fit] = {}

    # ---- the whole ------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Forget what the journal holds of another plan, or of looser bounds."""
        self._forget_another_plan()
        self._forget_what_no_longer_holds()

    def run(self) -> None:
        """Finish all sets; then fit those that are to be checked."""
        finished = self.journal.finished()
        for set_id, obtained in finished.items():
            if set_id in self.by_id:
                self.tell(Event("failed" if obtained.how == "failed" else obtained.how))
        rounds = self.journal.rounds()
        number = 0
        while True:
            pending = self._pending()
            if number in rounds:
                tasks = rounds[number]
            elif not pending:
                break
            else:
                tasks = self._next_round(number, pending)
                self.journal.add_round(number, tasks)
            self._fit_round(number, tasks)
            self._reweight_pending()
            number += 1
        if self.options.check:
            self._check(number)

    def _pending(self) -> dict[str, list[PlannedSet]]:
        """Return the sets without a result, by group."""
        done = self.journal.finished()
        left = {
            group.key: [one for one in group.sets if one.set_id not in done]
            for group in self.groups
        }
        return {key: sets for key, sets in left.items() if sets}

    def _fails(self, one: SweepSet, reason: str) -> None:
        self.failed[one.label] = reason
        self.tell(Event("failed", one.label))
        if self.options.fail_fast:
            raise SweepError(f"{one.label}: {reason}")

    def _forget_another_plan(self) -> None:
        """Plan anew if this folder held other sets; finished sets stay, named by their content.

        Results of other versions of what they hang on are all forgotten.
        """
        ids = sorted(self.by_id)
        plan = hashlib.sha256("\n".join([*ids, self.options.method]).encode()).hexdigest()
        about = self.journal.about()
        if about.get("computed_with", _versions()) != _versions():
            log.warning("%s: of other versions, begun anew", self.journal.folder)
            self.journal.forget_all()
        elif about.get("plan", plan) != plan:
            self.journal.forget_rounds()
        self.journal.set_about(plan=plan, computed_with=_versions())

    def _applies(self, record: FitRecord) -> bool:
        """Whether a fit is one of a set, or a covering fit, of this sweep's groups."""
        if record.set_id is not None:
            return record.set_id in self.by_id
        return any(record.fit_id == _task("cover", group, None)["fit_id"] for group in self.groups)

    def _forget_what_no_longer_holds(self) -> None:
        """Do again what failed, or was reweighted under looser bounds than today's."""
        again = [
            set_id
            for set_id, obtained in self.journal.finished().items()
            if obtained.how == "failed"
            or (
                obtained.how == "reweighted"
                and set_id in self.by_id
                and (
                    self.options.method == "fit"
                    or not self._holds(obtained.k_hat, obtained.ess, self.by_id[set_id][1])
                )
            )
        ]
        self.journal.forget(again)

    def _holds(self, k_hat: float, ess: float, one: PlannedSet) -> bool:
        return k_hat <= self.options.max_k_hat and ess >= one.assumptions.sampler.min_ess

    # ---- planning -------------------------------------------------------------------------------

    def _next_round(
        self, number: int, pending: dict[str, list[PlannedSet]]
    ) -> list[dict[str, str | None]]:
        """Which fits to make next: name, kind, group and set of each."""
        tasks: list[dict[str, str | None]] = []
        records = self.journal.fits()
        for group in self.groups:
            left = pending.get(group.key, [])
            if not left:
                continue
            mine = [r for r in records if r.group_key == group.key and self._applies(r)]
            if self.options.method == "fit" or group.is_fitted:
                tasks += [_task("single", group, one) for one in left]
            elif not mine and group.can_be_covered:
                tasks.append(_task("cover", group, None))
            elif self._not_worth_it(mine, len(left), len(group.sets)):
                tasks += [_task("single", group, one) for one in left]
            else:
                indices = {one.set_id: index for index, one in enumerate(group.sets)}
                known = [
                    indices[record.set_id] if record.set_id is not None else group.center
                    for record in mine
                    if record.ok
                ]
                candidates = [indices[one.set_id] for one in left]
                count = _PER_ROUND if number <= 1 else 2 * _PER_ROUND
                picked = group.spread_out(candidates, known, count)
                tasks += [_task("base", group, group.sets[index]) for index in picked]
        return tasks

    @staticmethod
    def _not_worth_it(mine: Sequence[FitRecord], left: int, size: int) -> bool:
        """Whether fitting what is left is less work than more bases: each reaches only itself."""
        bases = [record for record in mine if record.kind == "base"]
        if left <= 2 * _PER_ROUND:
            return True
        return len(bases) >= 2 * _PER_ROUND and (size - left) < 4 * len(bases)

    # ---- fitting --------------------------------------------------------------------------------

    def _fit_round(self, number: int, tasks: Sequence[dict[str, str | None]]) -> None:
        known = {record.fit_id: record for record in self.journal.fits()}
        done = self.journal.finished()
        todo = []
        for position, task in enumerate(tasks):
            fit_id = str(task["fit_id"])
            set_id = task["set_id"]
            lost = fit_id in known and set_id is not None and set_id not in done
            # A fit whose set has to be done again is made again, unless it only helps others.
            if (fit_id not in known or (lost and task["kind"] != "check")) and (
                set_id is None or set_id in self.by_id
            ):
                todo.append((position, task))
        if not todo:
            return
        work = [self._fit_task(task) for _, task in todo]
        shared = Shared(self.evidences, self._pilots(work), self._cores(len(work)))
        with closing(self.executor.map(fit, work, shared)) as fits:
            for index, found in fits:
                position, task = todo[index]
                self._keep(number, position, task, found)

    def _cores(self, n_tasks: int) -> int:
        """Chains of one fit at a time: sets share the cores while there are enough of them."""
        return max(1, self.executor.workers // max(n_tasks, 1))

    def _fit_task(self, task: dict[str, str | None]) -> FitTask:
        group = next(group for group in self.groups if group.key == task["group_key"])
        cover = task["set_id"] is None
        one = group.sets[group.center] if cover else self.by_id[str(task["set_id"])][1]
        base = task["kind"] != "single"
        options = self.options
        settings = Short(
            chains=one.assumptions.sampler.chains,
            tune=options.tune,
            draws=options.base_draws if base else options.fit_draws,
            max_depth=options.base_max_depth if base else options.fit_max_depth,
            target_accept=options.target_accept,
        )
        seed = one.assumptions.seed + (1_000_003 if task["kind"] == "check" else 0)
        return FitTask(
            str(task["fit_id"]),
            one.assumptions,
            one.evidence_key,
            settings,
            seed,
            group.covering_priors() if cover else {},
        )

    def _pilots(self, work: Sequence[FitTask]) -> dict[str, Pilot]:
        """Pilots of all structures; those that are missing are fitted, one after the other."""
        pilots = self.journal.pilots()
        for task in work:
            if task.assumptions.sampler.method != "nutpie":
                continue
            try:
                evidence = self.evidences[task.evidence_key]
                structure = task_inputs(task, evidence).structure.identity
                if structure in pilots:
                    continue
                self.tell(Event("pilot", task.assumptions.label))
                _, pilot = pilot_of(task, Shared(self.evidences, {}, self.executor.workers))
            except Exception:  # the fit itself will say why
                log.exception("no pilot from %s", task.fit_id)
                continue
            self.journal.add_pilot(structure, pilot)
            pilots[structure] = pilot
        return pilots

    def _keep(self, number: int, position: int, task: dict[str, str | None], found: Fit) -> None:
        record = FitRecord(
            found.fit_id,
            number,
            position,
            str(task["group_key"]),
            str(task["kind"]),
            task["set_id"],
            found.diagnostics,
            found.relative_ess,
            found.error,
            found.seconds,
            found.attempts,
        )
        of_set = None
        if task["set_id"] is not None and task["kind"] != "check":
            of_set = self._fitted(self.by_id[str(task["set_id"])][1], found)
        base = task["kind"] in ("cover", "base")
        wanted = base or task["kind"] == "check" or self.options.keep_draws
        keep = found if found.core is not None and wanted else None
        self.journal.add_fit(record, keep, of_set)
        if base and found.core is not None:
            self._draws[found.fit_id] = found
        if of_set is None:
            self.tell(Event("fit", found.fit_id))
        else:
            label = self.by_id[of_set.set_id][1].set.label
            failures = of_set.error or of_set.obtained.failures
            if failures:
                self.failed[label] = failures
            self.tell(Event("failed" if failures else "fitted", label))
            if failures and self.options.fail_fast:
                raise SweepError(f"{label}: {failures}")

    def _fitted(self, one: PlannedSet, found: Fit) -> SetRecord:
        diagnostics = found.diagnostics
        if diagnostics is None:
            obtained = Obtained(
                "failed", (found.fit_id,), np.nan, 0.0, np.nan, 0, found.error, found.seconds
            )
            return SetRecord(one.set_id, obtained, "", None, None, found.error)
        layout, draws, relative = fit_entries(
            found, one.assumptions, self.evidences[one.evidence_key]
        )
        entries = pooled_entries([(layout, draws, relative)])
        obtained = Obtained(
            "fitted",
            (found.fit_id,),
            np.nan,
            min(diagnostics.min_ess_bulk, diagnostics.min_ess_tail),
            diagnostics.max_rhat,
            diagnostics.divergences,
            "; ".join(diagnostics.failures),
            found.seconds,
        )
        return SetRecord(
            one.set_id, obtained, self.journal.add_layout(layout), statistics(entries), None
        )

    # ---- reweighting ----------------------------------------------------------------------------

    def _reweight_pending(self) -> None:
        records = self.journal.fits()
        for key, left in self._pending().items():
            group = next(group for group in self.groups if group.key == key)
            if self.options.method == "fit" or group.is_fitted:
                continue
            bases = [
                record
                for record in records
                if record.group_key == key
                and record.ok
                and record.kind in ("cover", "base")
                and self._applies(record)
            ]
            if bases:
                self._reweight(group, left, bases)

    def _reweight(
        self, group: Group, left: Sequence[PlannedSet], bases: Sequence[FitRecord]
    ) -> None:
        pool = self._pool(group, bases)
        self.journal.add_layout(pool.layout)
        chunks = [left[begin : begin + _CHUNK] for begin in range(0, len(left), _CHUNK)]
        waiting: list[SetRecord] = []
        local = _threads(self.executor)
        with closing(local.map(reweight_chunk, chunks, (pool, self.options))) as results:
            for _, records in results:
                waiting += records
                for record in records:
                    self.tell(Event("reweighted", record.set_id))
                if len(waiting) >= _COMMIT:
                    self.journal.add_sets(waiting)
                    waiting = []
        self.journal.add_sets(waiting)

    def _pool(self, group: Group, bases: Sequence[FitRecord]) -> _Pool:
        names = tuple(record.fit_id for record in bases)
        if (group.key, names) not in self._pools:
            self._pools.clear()  # one at a time: a pool is large
            fits = [self._fit_of(record) for record in bases]
            self._pools[group.key, names] = make_pool(group, bases, fits, self)
            self._draws = {name: self._draws[name] for name in names}
        return self._pools[group.key, names]

    def _fit_of(self, record: FitRecord) -> Fit:
        if record.fit_id not in self._draws:
            self._draws[record.fit_id] = self.journal.read_draws(record)
        return self._draws[record.fit_id]

    # ---- checking -------------------------------------------------------------------------------

    def _check(self, number: int) -> None:
        """Fit some reweighted sets, chosen at random, for comparison."""
        reweighted = sorted(
            set_id
            for set_id, obtained in self.journal.finished().items()
            if obtained.how == "reweighted" and set_id in self.by_id
        )
        if not reweighted:
            return
        rng = np.random.default_rng(0)
        chosen = rng.permutation(len(reweighted))[: self.options.check]
        tasks = [_task("check", *self.by_id[reweighted[i]]) for i in sorted(chosen.tolist())]
        self._fit_round(1_000_000 + number, tasks)


def _versions() -> str:
    return json.dumps(versions())


def _task(kind: str, group: Group, one: PlannedSet | None) -> dict[str, str | None]:
    name = f"{group.key}-{group.covering_key}" if one is None else one.set_id
    return {
        "fit_id": f"{kind}-{name}",
        "kind": kind,
        "group_key": group.key,
        "set_id": None if one is None else one.set_id,
    }


def _evidences(
    sets: Sequence[SweepSet], fails: Callable[[SweepSet, str], None]
) -> tuple[dict[str, Evidence], list[tuple[SweepSet, str]]]:
    """Load each evidence that any set uses once; return them, and which set uses which."""
    evidences: dict[str, Evidence] = {}
    problems: dict[str, str] = {}
    keyed = []
    for one in sets:
        if one.assumptions is None:
            fails(one, one.error)
            continue
        key = evidence_key(one.assumptions)
        if key not in evidences and key not in problems:
            try:
                claims = read_claims(one.assumptions.evidence.files)
                evidences[key] = load_evidence(one.assumptions, claims)
            except EstimatorError as error:
                problems[key] = str(error)
        if key in problems:
            fails(one, problems[key])
        else:
            keyed.append((one, key))
    return evidences, keyed


@dataclass(frozen=True)
class _Pool:
    """Joined draws of some fits of a group, ready to be weighted."""

    names: tuple[str, ...]
    mixture: Mixture
    entries: Entries
    layout: EntryLayout
    unused_rows: dict[str, np.ndarray]
    worst_relative_ess: float
    max_rhat: float
    divergences: int


def make_pool(
    group: Group, bases: Sequence[FitRecord], fits: Sequence[Fit], engine: Engine
) -> _Pool:
    """Join the draws of fits of a group."""
    middle = group.sets[group.center]
    covering = group.covering_priors() if group.can_be_covered else {}
    thin = thinning([_size(found) for found in fits])
    natural, hypers, parts = [], [], []
    all_used = _all_used(engine.evidences[middle.evidence_key])
    for record, found in zip(bases, fits, strict=True):
        core = found.core
        if core is None:
            raise ValueError(f"{record.fit_id} has no draws")
        core = core.isel(draw=slice(None, None, thin))
        one = middle if record.set_id is None else engine.by_id[record.set_id][1]
        hyper = one.hyper
        if record.set_id is None:
            location = [covering[f"{p}_location"].ravel() for p in ("assumption", "reporting")]
            scale = [covering[f"{p}_scale"].ravel() for p in ("assumption", "reporting")]
            hyper = replace(hyper, location=np.concatenate(location), scale=np.concatenate(scale))
        natural.append(NaturalDraws.of(core, one.one_sided))
        hypers.append(hyper)
        thinned = replace(found, core=core)
        parts.append(fit_entries(thinned, middle.assumptions, all_used))
    mixture = Mixture(natural, hypers, group.varying, claims_vary=group.claims_vary)
    entries = pooled_entries(parts)
    rows = diagnosed_rows(entries.layout)
    diagnostics = [record.diagnostics for record in bases if record.diagnostics is not None]
    return _Pool(
        tuple(record.fit_id for record in bases),
        mixture,
        entries,
        entries.layout,
        {
            key: _unused_rows(entries.layout, engine.evidences[key])
            for key in {one.evidence_key for one in group.sets}
        },
        float(entries.relative_ess[rows].min()),
        max(d.max_rhat for d in diagnostics),
        sum(d.divergences for d in diagnostics),
    )


def _size(found: Fit) -> int:
    return 0 if found.core is None else found.core.sizes["chain"] * found.core.sizes["draw"]


def _all_used(evidence: Evidence) -> Evidence:
    """Evidence in which every claim counts, so that no entry is left out of a pool."""
    data = evidence.dataset
    return replace(
        evidence,
        dataset=data.assign(used=data["used"] | True, confirmed_used=data["confirmed_used"] | True),
    )


def _unused_rows(layout: EntryLayout, evidence: Evidence) -> np.ndarray:
    """Rows of sources and of confirmed periods that do not count."""
    data = evidence.dataset
    sources = set(data["source"].values[data["used"].values].tolist())
    floors = set(data["confirmed_claim"].values[data["confirmed_used"].values].tolist())
    counted = {
        "reporting_bias": sources,
        "reporting_drift": sources,
        "unconfirmed": floors,
        "unconfirmed_ratio": floors,
    }
    rows = []
    for variable in layout.variables:
        if variable.name in counted:
            begin = layout.slices[variable.name].start
            rows += [
                begin + n
                for n, label in enumerate(variable.labels)
                if label not in counted[variable.name]
            ]
    return np.array(rows, dtype=int)


def reweight_chunk(
    sets: Sequence[PlannedSet], shared: tuple[_Pool, SweepOptions]
) -> list[SetRecord]:
    """Reweight some sets; those that the draws do not reach are left out."""
    pool, options = shared
    records = []
    for one in sets:
        begin = time.perf_counter()
        found = smoothed(pool.mixture.log_ratio(one.hyper))
        ess = found.kish * pool.worst_relative_ess
        minimum = one.assumptions.sampler.min_ess
        if not (found.k_hat <= options.max_k_hat and ess >= minimum):
            continue
        table = statistics(pool.entries, np.exp(found.log_weights))
        table[pool.unused_rows[one.evidence_key]] = np.nan
        obtained = Obtained(
            "reweighted",
            pool.names,
            found.k_hat,
            ess,
            pool.max_rhat,
            pool.divergences,
            "",
            time.perf_counter() - begin,
        )
        weights = found.log_weights if options.keep_draws else None
        records.append(SetRecord(one.set_id, obtained, pool.layout.name, table, weights))
    return records


def _threads(executor: Executor) -> Executor:
    """Reweighting shares large arrays, and numba's loops let threads run side by side."""
    return LocalExecutor(min(executor.workers, joblib.cpu_count()), "threads")
