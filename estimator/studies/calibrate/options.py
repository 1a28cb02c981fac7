"""What is simulated, how it is fitted, and what counts as calibrated: group ``calibrate``."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from estimator.assumptions import ASSUMPTIONS
from estimator.assumptions.fields import Date, ModelledQuantity, Names
from estimator.assumptions.fit_options import Bounds, FitOptions
from estimator.assumptions.sections import Options, Section
from estimator.errors import nearest

Part = Literal["slopes", "sbc", "coverage", "broken", "reweighting"]
Count = Annotated[int, Field(ge=1, le=100_000)]
Level = Annotated[float, Field(gt=0.0, lt=1.0)]


class StructureOptions(Section):
    """One configuration that is checked by simulation.

    Attributes
    ----------
    overrides
        What makes it, on top of the configuration as it is.
    sims
        Number of simulated worlds.
    kind
        prior: truths are draws of the prior, none left out. posterior: truths are draws of the
        posterior, and a simulated replicate joins the published claims.
    """

    overrides: tuple[str, ...]
    sims: Count
    kind: Literal["prior", "posterior"]


class WorldFitOptions(FitOptions, Bounds):
    """How each world is fitted, and what its draws must satisfy."""

    chains: int = Field(ge=1, le=16)


class SlopesOptions(Section):
    """Slopes of the log density at truths of the prior."""

    worlds: int = Field(ge=100, le=100_000)


class SbcOptions(Section):
    """Uniformity of the ranks."""

    kept_draws: int = Field(ge=19, le=5000)
    band: Level
    band_simulations: int = Field(ge=100)
    significance: Level
    max_failed: float = Field(ge=0.0, le=1.0)
    months_shown: int = Field(ge=1)


class CoverageOptions(Section):
    """Coverage and scores in the simulated worlds of one structure."""

    structure: str
    levels: tuple[Level, ...] = Field(min_length=1)
    quantities: tuple[str, ...] = Field(min_length=1)
    reporter: str
    level: Level

    @model_validator(mode="after")
    def _one_of_the_levels(self) -> CoverageOptions:
        if self.level not in self.levels:
            raise ValueError(f"level must be one of {list(self.levels)}. Got {self.level}")
        return self


class BrokenOptions(Section):
    """One way in which the world breaks what the set believes.

    Attributes
    ----------
    says
        The break, in words.
    overrides
        What makes the set that is fitted, on top of the configuration as it is.
    sims
        Number of worlds.
    world
        What makes of that set the one from which truth and figures are drawn; nothing: the same.
    about
        Quantities of the claims that such a world is about.
    bias
        Added to the bias of every origin, on the scale of the quantity. Log ratio for losses,
        killed, recruits; log odds for shares.
    bias_of
        Quantities whose origins have it.
    killed_share_jump
        Log odds by which the killed share changes from `jump_from` on.
    jump_from
        First month of the jump.
    invents
        An origin whose every figure is unrelated to the truth: the mean of its published figures,
        and a random walk of its own around it.
    invented_spread
        Standard deviation of the invented figures on their scale.
    confirmed_factor
        The confirmed figures are this times the true total.
    copies
        An evidence group whose figures of one quantity are copies of the first: all have its error.
    """

    says: str
    overrides: tuple[str, ...]
    sims: Count
    world: tuple[str, ...] = ()
    about: tuple[ModelledQuantity, ...] = ()
    bias: float = 0.0
    bias_of: tuple[ModelledQuantity, ...] = ()
    killed_share_jump: float = 0.0
    jump_from: Date | None = None
    invents: str | None = None
    invented_spread: float = Field(default=0.0, ge=0.0)
    confirmed_factor: float | None = Field(default=None, gt=0.0)
    copies: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> BrokenOptions:
        if (self.killed_share_jump != 0.0) != (self.jump_from is not None):
            raise ValueError("killed_share_jump and jump_from go together")
        if (self.bias != 0.0) != bool(self.bias_of):
            raise ValueError("bias and bias_of go together")
        if bool(self.world) != bool(self.about):
            raise ValueError("world and about go together")
        return self


class NoticingOptions(Section):
    """When something counts as having noticed that a world breaks the set."""

    quantities: tuple[str, ...] = Field(min_length=1)
    level: Level
    outside: Level
    predictive_p: Level


class Move(Section):
    """A series of sets that lie farther and farther from the base set.

    Attributes
    ----------
    shift
        Prior standard deviations, on the family's own scale, by which each prior moves a step.
    drop
        Claims that one step after the other leaves out, all of the ones before too.
    """

    shift: dict[str, float] = Field(default_factory=dict)
    drop: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> Move:
        unknown = [key for key in self.shift if key not in ASSUMPTIONS]
        if unknown:
            hints = [f"{key}: {nearest(key, ASSUMPTIONS)}" for key in unknown]
            raise ValueError("shift: unknown assumption " + "; ".join(hints))
        if bool(self.shift) == bool(self.drop):
            raise ValueError("give either shift or drop")
        return self


class ReweightingOptions(Section):
    """Sets to which one fit is reweighted, and which are fitted as well."""

    base_draws: int = Field(ge=100, le=100_000)
    fit_draws: int = Field(ge=100, le=100_000)
    steps: int = Field(ge=1, le=100)
    moves: dict[str, Move]
    bins: tuple[float, ...] = Field(min_length=2)
    max_k_hat: float = Field(gt=0.0, le=1.0)
    min_ess: float = Field(ge=1.0)


class CalibrateOptions(Options):
    """Everything of the group (see ``conf/calibrate/default.yaml``)."""

    group: ClassVar[str] = "calibrate"

    parts: tuple[Part, ...] = Field(min_length=1)
    only: Names
    sims: Count | None
    seed: int = Field(ge=0, lt=2**63)
    workers: int = Field(ge=1, le=256)
    fit: WorldFitOptions
    slopes: SlopesOptions
    sbc: SbcOptions
    structures: dict[str, StructureOptions] = Field(min_length=1)
    coverage: CoverageOptions
    broken: dict[str, BrokenOptions]
    noticing: NoticingOptions
    reweighting: ReweightingOptions

    @model_validator(mode="after")
    def _enough_draws_to_rank_among(self) -> CalibrateOptions:
        draws = self.fit.chains * self.fit.draws
        if self.sbc.kept_draws > draws:
            raise ValueError(
                f"sbc.kept_draws: must be at most fit.chains x fit.draws, {draws}. "
                f"Got {self.sbc.kept_draws}"
            )
        return self

    @model_validator(mode="after")
    def _named_structures_exist(self) -> CalibrateOptions:
        asked = [] if self.only == "all" else list(self.only)
        problems = [
            f"{key}: unknown structure; {nearest(name, self.structures)}"
            for key, name in [("coverage.structure", self.coverage.structure)]
            + [("only", name) for name in asked]
            if name not in self.structures
        ]
        scored = self.structures.get(self.coverage.structure)
        if scored is not None and scored.kind != "prior":
            problems.append(
                f"coverage.structure: must be of kind prior. Got {self.coverage.structure}, which "
                f"is of kind {scored.kind}: baselines see the simulated figures alone"
            )
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @property
    def worlds_of_slopes(self) -> int:
        """Number of worlds of `slopes` that is asked for."""
        return min(self.slopes.worlds, self.sims or self.slopes.worlds)

    def chosen(self) -> dict[str, StructureOptions]:
        """Structures that are asked for, with the number of simulations that is asked for."""
        names = self.structures if self.only == "all" else self.only
        return {
            name: self.capped(found) for name, found in self.structures.items() if name in names
        }

    def capped[Simulated: (StructureOptions, BrokenOptions)](self, spec: Simulated) -> Simulated:
        """Take no more worlds than `sims`."""
        return spec.model_copy(update={"sims": min(spec.sims, self.sims or spec.sims)})
