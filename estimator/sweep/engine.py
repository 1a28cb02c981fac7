"""Carry out a sweep: fit some sets, reweight others, fit those that reweighting does not reach.

A sweep goes in rounds. A round's fits are planned and written down before they are begun; then
every set that is left is reweighted from all fits so far. What a round does hangs only on the list
of sets and on the fits before it, so a sweep that was killed and is started again ends as if it had
not been, and neither the number of workers nor the executor matters.
"""

from __future__ import annotations

import ctypes
import gc
import hashlib
import json
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np

from estimator.errors import SweepError
from estimator.fitting.pilot import Pilot
from estimator.one_thread import one_thread
from estimator.store.versions import versions
from estimator.sweep.evidences import evidences_of
from estimator.sweep.executors import Executor, LocalExecutor
from estimator.sweep.journal import FitRecord, SetRecord, SweepJournal
from estimator.sweep.options import SweepOptions
from estimator.sweep.plan import Group, PlannedSet, Planner, groups_of
from estimator.sweep.pools import Pool, make_pool, reweight_chunk
from estimator.sweep.records import fit_record, fitted_record
from estimator.sweep.rounds import PlannedFit, fit_task, next_fits, planned_fit
from estimator.sweep.set_fit import Fit, FitTask, Shared, fit, pilot_of, task_inputs
from estimator.sweep.sets import SweepSet

log = logging.getLogger(__name__)

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
        journal: SweepJournal,
        executor: Executor,
        listener: Listener,
    ) -> None:
        self.options, self.journal, self.executor, self.tell = options, journal, executor, listener
        self.sets = sets
        self.failed: dict[str, str] = {}
        self.evidences, keyed = evidences_of(sets, self._fails)
        planner = Planner(self.evidences)
        planned = []
        ids: set[str] = set()
        for one, key in keyed:
            group_key, plan = planner.plan(one, key)
            if plan.set_id not in ids:  # two ways to write one set
                ids.add(plan.set_id)
                planned.append((group_key, plan))
        self.groups = groups_of(planner, planned)
        self.by_key = {group.key: group for group in self.groups}
        self.by_id = {one.set_id: (group, one) for group in self.groups for one in group.sets}
        self._pools: dict[tuple[str, tuple[str, ...]], Pool] = {}
        self._draws: dict[str, Fit] = {}

    # ---- the whole ------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Forget what the journal holds of another plan, or of looser bounds."""
        self._forget_another_plan()
        self._forget_what_no_longer_holds()

    @one_thread
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
            _give_memory_back()
            self._reweight_pending()
            number += 1
        if self.options.check:
            self._check(number)
        self._pools.clear()
        self._draws.clear()
        _give_memory_back()

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

        Results of other versions of what they hang on, or of fits with other options, are all
        forgotten.
        """
        ids = sorted(self.by_id)
        plan = hashlib.sha256("\n".join([*ids, self.options.method]).encode()).hexdigest()
        about = self.journal.about()
        computed_with = {"versions": versions(), "sweep": self.options.sampling}
        before = json.loads(about.get("computed_with", "null"))
        if before is not None and (changes := changed(before, computed_with)):
            log.warning("%s: begun anew, for %s", self.journal.folder, "; ".join(changes))
            self.journal.forget_all()
        elif about.get("plan", plan) != plan:
            self.journal.forget_rounds()
        self.journal.set_about(plan=plan, computed_with=json.dumps(computed_with))

    def _applies(self, record: FitRecord) -> bool:
        """Whether a fit is one of a set, or a covering fit, of this sweep's groups."""
        if record.set_id is not None:
            return record.set_id in self.by_id
        group = self.by_key.get(record.group_key)
        return group is not None and record.fit_id == planned_fit("cover", group, None)["fit_id"]

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

    def _next_round(self, number: int, pending: dict[str, list[PlannedSet]]) -> list[PlannedFit]:
        """Which fits to make next."""
        tasks = []
        made = self._fits_by_group()
        for group in self.groups:
            left = pending.get(group.key, [])
            if left:
                of_group = made.get(group.key, [])
                tasks += next_fits(number, group, left, of_group, self.options.method)
        return tasks

    def _fits_by_group(self) -> dict[str, list[FitRecord]]:
        """Return the fits so far that are of this sweep, by group."""
        found: dict[str, list[FitRecord]] = {}
        for record in self.journal.fits():
            if self._applies(record):
                found.setdefault(record.group_key, []).append(record)
        return found

    # ---- fitting --------------------------------------------------------------------------------

    def _fit_round(self, number: int, tasks: Sequence[PlannedFit]) -> None:
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

    def _fit_task(self, task: PlannedFit) -> FitTask:
        group = self.by_key[str(task["group_key"])]
        set_id = task["set_id"]
        one = group.sets[group.center] if set_id is None else self.by_id[set_id][1]
        return fit_task(task, group, one, self.options)

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

    def _keep(self, number: int, position: int, task: PlannedFit, found: Fit) -> None:
        record = fit_record(number, position, task, found)
        of_set = None
        if task["set_id"] is not None and task["kind"] != "check":
            _, one = self.by_id[task["set_id"]]
            evidence = self.evidences[one.evidence_key]
            of_set = fitted_record(one, found, evidence, self.journal.add_layout)
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

    # ---- reweighting ----------------------------------------------------------------------------

    def _reweight_pending(self) -> None:
        made = self._fits_by_group()
        for key, left in self._pending().items():
            group = self.by_key[key]
            if self.options.method == "fit" or group.is_fitted:
                continue
            bases = [
                record
                for record in made.get(key, [])
                if record.ok and record.kind in ("cover", "base")
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

    def _pool(self, group: Group, bases: Sequence[FitRecord]) -> Pool:
        names = tuple(record.fit_id for record in bases)
        if (group.key, names) not in self._pools:
            self._pools.clear()  # one at a time: a pool is large
            fits = [self._fit_of(record) for record in bases]
            self._pools[group.key, names] = make_pool(
                group, bases, fits, self.by_id, self.evidences
            )
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
        tasks = [planned_fit("check", *self.by_id[reweighted[i]]) for i in sorted(chosen.tolist())]
        self._fit_round(1_000_000 + number, tasks)


def _give_memory_back() -> None:
    """Return to the system what fits have freed: glibc keeps a gigabyte of it in many pieces."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def changed(before: Any, now: Any, key: str = "") -> list[str]:
    """Say which entries of nested mappings differ, and from what to what."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        return [
            text
            for name in dict.fromkeys([*now, *before])
            for text in changed(before.get(name), now.get(name), f"{key}.{name}".lstrip("."))
        ]
    return [] if before == now else [f"{key} was {before} and is {now}"]


def _threads(executor: Executor) -> Executor:
    """Reweighting shares large arrays, and numba's loops let threads run side by side."""
    return LocalExecutor(min(executor.workers, joblib.cpu_count()), "threads")
