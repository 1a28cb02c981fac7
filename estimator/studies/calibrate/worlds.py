"""Simulated worlds of one structure: true values, the figures they lead to, and what fits them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np
import xarray as xr

from estimator.assumptions import AssumptionSet
from estimator.assumptions.compose import assumption_set
from estimator.evidence import Evidence, load_evidence
from estimator.evidence.periods import Window
from estimator.fitting.diagnostics import Diagnostics
from estimator.fitting.inference import infer, infer_whitened, learn_whitening
from estimator.fitting.ladder import Fitted, Ladder, Seeds
from estimator.fitting.pilot import Pilot
from estimator.fitting.whitening import Whitening
from estimator.model.figures import LOWER, UPPER, USED
from estimator.model.inputs import ModelInputs, model_inputs
from estimator.quantity import OTHER_EXITS, SAMPLED
from estimator.studies.calibrate.options import WorldFitOptions
from estimator.studies.calibrate.ranked import Ranked, diagnose_ranked, ranked, ranked_names
from estimator.studies.calibrate.simulate import SIMULATED, simulate

WorldFit = Fitted[tuple[xr.Dataset, Ranked]]
"""Deterministics of the model (chain, draw, ...) given a world's figures, and what is ranked."""

_BLOCK = 50  # truths that are drawn together: simulation n is the same however many there are
_KEPT = 1000  # truths of a posterior that are kept at least, so that worlds may be added later
_AGAIN = "~"  # ids of the simulated replicate of the published claims
_TRUTHS = (
    *SAMPLED,
    OTHER_EXITS,
    "assumption_value",
    "reporting",
    "shared_bias",
    "bias_steps",
    "claim_location",
    "rounded_off",
    "registration",
    "registry_figure_location",
    "losses_step",
)
_PILOT, _PRIOR, _POSTERIOR, _REPORTS, _FIT = range(5)  # children of a structure's seed


@dataclass(frozen=True)
class Prepared:
    """What is learnt once of a structure before its worlds are simulated.

    Attributes
    ----------
    pilot
        Whitening, learnt on the published claims.
    truths
        Of kind posterior: draws of the posterior given the published claims, as many as there are
        (draw, ...). None of kind prior: those are drawn when they are needed.
    """

    pilot: Pilot
    truths: xr.Dataset | None


@dataclass
class Worlds:
    """All simulated worlds of one structure.

    Attributes
    ----------
    name
        Of the structure.
    assumptions
        Of the set that generates and that is fitted.
    kind
        As in `StructureOptions`; ``replicate`` has truths of the posterior, and fits the simulated
        figures alone.
    seed
        Root of all randomness of the calibration.
    fit_options
        Of each fit.
    maker
        The worlds of another set, whose truths and figures are fitted; None: its own.
    learnt
        Whitening by the set's label, shared by worlds that differ in their maker alone.
    """

    name: str
    assumptions: AssumptionSet
    kind: str
    seed: int
    fit_options: WorldFitOptions
    maker: Worlds | None = None
    learnt: dict[str, Whitening] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        name: str,
        overrides: Sequence[str],
        kind: str,
        seed: int,
        fit_options: WorldFitOptions,
        config_dir: str | None = None,
    ) -> Worlds:
        """Compose the assumption set of a structure."""
        return cls(name, assumption_set(overrides, config_dir), kind, seed, fit_options)

    @cached_property
    def evidence(self) -> Evidence:
        """The published claims."""
        return load_evidence(self.assumptions)

    @cached_property
    def published(self) -> ModelInputs:
        """Inputs of the published claims."""
        return model_inputs(self.evidence, self.assumptions)

    @cached_property
    def fitted_evidence(self) -> Evidence:
        """Evidence of what is fitted: of kind posterior the published claims twice."""
        return doubled(self.evidence) if self.kind == "posterior" else self.evidence

    @cached_property
    def fitted(self) -> ModelInputs:
        """Inputs of what is fitted, with published figures."""
        if self.kind != "posterior":
            return self.published
        return model_inputs(self.fitted_evidence, self.assumptions)

    @cached_property
    def months(self) -> list[str]:
        """Months of the window."""
        return list(self.published.structure.coords["month"])

    @property
    def last_month(self) -> str:
        """Last whole month of the window."""
        return Window.of(self.assumptions.window).last_whole_month

    @cached_property
    def entries(self) -> tuple[str, ...]:
        """Names of what is ranked."""
        return ranked_names(self.fitted, self.assumptions)

    def kept_truths(self, sims: int) -> int:
        """How many truths of a posterior are kept for so many worlds; none of kind prior."""
        return 0 if self.kind == "prior" else max(sims, _KEPT)

    def prepare(self, n_truths: int, cores: int) -> Prepared:
        """Learn the whitening of the structure and, where truths need one, its posterior."""
        if n_truths not in self._prepared:
            label, sampler = self.assumptions.label, self.assumptions.sampler
            if label not in self.learnt:
                seed = self._child(_PILOT)
                self.learnt[label] = learn_whitening(self.published, sampler, seed, cores)
            whitening, truths = self.learnt[label], None
            if self.maker is not None:
                truths = self.maker.prepare(n_truths, cores).truths
            elif self.kind != "prior":
                truths = self._posterior_truths(n_truths, whitening, cores)
            self._prepared[n_truths] = Prepared(Pilot.of(whitening, self.published), truths)
        return self._prepared[n_truths]

    @cached_property
    def _prepared(self) -> dict[int, Prepared]:
        return {}

    def truth(self, number: int, prepared: Prepared) -> xr.Dataset:
        """Draw the true values of a world from the model (no dims chain, draw)."""
        if prepared.truths is not None:
            return prepared.truths.isel(draw=number)
        return self._prior_block(number // _BLOCK).isel(draw=number % _BLOCK)

    def figures(self, number: int, truth: xr.Dataset) -> ModelInputs:
        """Figures of a world, as they are fitted."""
        world = self.replicate(number, truth)
        return beside(self.fitted, self.published, world) if self.kind == "posterior" else world

    def replicate(self, number: int, truth: xr.Dataset) -> ModelInputs:
        """Simulate figures in place of the published ones."""
        return simulate(self.published, truth, np.random.default_rng(self.report_seed(number)))

    def report_seed(self, number: int) -> np.random.SeedSequence:
        """Seed of the reports of a world."""
        return self._child(_REPORTS, number)

    def fit(self, number: int, world: ModelInputs, prepared: Prepared) -> WorldFit:
        """Fit a world, on one core."""
        options, sampler = self.fit_options, self.assumptions.sampler
        ladder = Ladder(options, sampler, options.chains, options, cores=1)
        children = self._child(_FIT, number).spawn(options.attempts + 1)
        judge = partial(self._judged, world)
        return ladder.fit(world, prepared.pilot, Seeds(children.__getitem__, children[-1]), judge)

    def _judged(
        self, world: ModelInputs, variables: xr.Dataset, stats: xr.Dataset
    ) -> tuple[tuple[xr.Dataset, Ranked], Diagnostics]:
        picked = self.rank(variables, world)
        return (variables, picked), diagnose_ranked(picked, stats, self.fit_options)

    def rank(self, variables: xr.Dataset, inputs: ModelInputs) -> Ranked:
        """Pick what is ranked."""
        return ranked(variables, inputs, self.fitted_evidence, self.assumptions)

    def true_values(self, truth: xr.Dataset) -> Ranked:
        """Pick what is ranked of a truth: draws (entry, 1, 1)."""
        lone = truth.drop_vars(["chain", "draw"], errors="ignore")
        lone = lone.expand_dims(chain=[0], draw=[0])
        return ranked(lone, self.fitted, self.evidence, self.assumptions)

    def _prior_block(self, block: int) -> xr.Dataset:
        if block not in self._blocks:
            sampler = self.assumptions.sampler.model_copy(
                update={"method": "prior", "prior_draws": _BLOCK}
            )
            drawn = infer(self.published, sampler, self._child(_PRIOR, block)).prior
            self._blocks[block] = _kept(drawn).isel(chain=0, drop=True)
        return self._blocks[block]

    @cached_property
    def _blocks(self) -> dict[int, xr.Dataset]:
        return {}

    def _posterior_truths(self, n_truths: int, whitening: Whitening, cores: int) -> xr.Dataset:
        """Draws of the posterior given the published claims, in an order without meaning."""
        sampler, seed = self.assumptions.sampler, self._child(_POSTERIOR)
        draws, order = seed.spawn(2)
        options = self.fit_options.model_copy(
            update={
                "draws": max(sampler.draws, n_truths),
                "target_accept": sampler.target_accept,
            }
        )
        drawn, _ = infer_whitened(self.published, whitening, options, sampler.chains, draws, cores)
        flat = _kept(drawn).stack(each=("chain", "draw"))
        chosen = np.random.default_rng(order).permutation(flat.sizes["each"])[:n_truths]
        truths = flat.isel(each=chosen).drop_vars(["each", "chain", "draw"]).rename(each="draw")
        return truths.transpose("draw", ...)

    def _child(self, *path: int) -> np.random.SeedSequence:
        name = zlib.crc32(self.name.encode())
        return np.random.SeedSequence([self.seed, name, *path])


def _kept(variables: xr.Dataset) -> xr.Dataset:
    return variables[[name for name in _TRUTHS if name in variables]]


def doubled(evidence: Evidence) -> Evidence:
    """Put every claim in a second time, under another id."""
    data = evidence.dataset
    for dim in ("claim", "confirmed_claim", "registry_figure"):
        again = data.assign_coords({dim: [f"{name}{_AGAIN}" for name in data[dim].values]})
        if dim == "registry_figure":  # errors are not shared with the published figures
            groups = [f"{name}{_AGAIN}" for name in data["registry_group"].values]
            again = again.assign(registry_group=(dim, np.array(groups, dtype=str)))
        data = xr.concat([data, again], dim=dim, data_vars="minimal", coords="minimal")
    return replace(evidence, dataset=data.assign_attrs(evidence.dataset.attrs))


def beside(twice: ModelInputs, published: ModelInputs, world: ModelInputs) -> ModelInputs:
    """Put the figures of a simulated world in the second place of the claims that are there twice.

    Parameters
    ----------
    twice
        Inputs of `doubled` evidence. Its noise and weights are left out: the replicate is evidence
        of its own, and no repeated count.
    published, world
        Published and simulated figures of the same claims, once.
    """
    data = {
        name: np.concatenate([published.data[name], world.data[name]], axis=-1)
        for name in SIMULATED
    }
    return replace(twice, data={**twice.data, **data})


def believed(fitted: ModelInputs, world: ModelInputs) -> ModelInputs:
    """Read the figures of another set's world as a set reads them: with its own noise.

    Parameters
    ----------
    fitted
        Inputs of the set that is fitted.
    world
        Figures of the same claims.
    """
    data = {**fitted.data, **{name: world.data[name] for name in SIMULATED}}
    for name in ("claim_figures", "registry_floors"):
        figures = fitted.data[name].copy()
        figures[[LOWER, UPPER]] = world.data[name][[LOWER, UPPER]]
        figures[USED] = world.data[name][USED] * (figures[USED] > 0)
        data[name] = figures
    return replace(fitted, data=data)
