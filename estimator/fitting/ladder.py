"""Fit until the draws can be trusted: one attempt after the other, of which the best is kept.

In whitened coordinates (`Ladder`) all commands climb the same ladder:

- Draws that are too few are joined by as many chains again.
- Draws that diverge are thrown away, and the next attempt takes smaller steps.
- After two attempts in the coordinates of a shared pilot come those of Laplace's approximation of
  the posterior itself, then those of a pilot of its own; all with twice the warm-up and draws, and
  deeper trees.
- An attempt that the sampler gives up is followed by the next.
- If no attempt satisfies the bounds, the one that comes nearest to them is kept.

Without a pilot (`fit_plainly`) each geometry is tried, with smaller steps at once where divergences
are its only fault, and at last the best of them again, with smaller steps, twice the warm-up, and
two to four times the draws, by how many it lacked; and from there on with still smaller steps while
draws diverge, and for still longer where they do not.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import xarray as xr

from estimator.assumptions.fit_options import Bounds, FitOptions
from estimator.assumptions.groups import SamplerOptions
from estimator.errors import SamplingError
from estimator.fitting.diagnostics import Diagnostics, shortfall
from estimator.fitting.inference import (
    Draws,
    Progress,
    geometries,
    infer,
    infer_whitened,
    learn_whitening,
    whitening_of,
)
from estimator.fitting.pilot import Pilot, transfer
from estimator.fitting.whitening import Whitening
from estimator.model.inputs import ModelInputs

log = logging.getLogger(__name__)

_GAVE_UP = (ArithmeticError, RuntimeError, ValueError)  # of NUTS and of linear algebra
_LONGER = 2  # from this attempt on, counted from 0, warm-up and draws are longer, trees deeper
_LAST = 4  # attempts without a pilot in the best geometry, when all have been tried
_MOST = 8  # times the draws that are asked for
_SMALLER_STEPS = (0.98, 0.995, 0.999)  # aimed-at acceptance of later attempts without a pilot

type Attempt[Kept] = tuple[Kept, Diagnostics] | Exception
"""What is kept of the draws of an attempt and their diagnostics, or why the sampler gave up."""


@dataclass(frozen=True)
class Fitted[Kept]:
    """The best of the attempts to sample a posterior.

    Attributes
    ----------
    kept
        What is kept of the draws; None if the sampler gave up every attempt.
    diagnostics
        Diagnostics of the draws; None without draws.
    error
        Why there are no draws; empty if there are.
    attempts
        Number of attempts.
    seconds
        Time that all attempts took.
    """

    kept: Kept | None
    diagnostics: Diagnostics | None
    error: str
    attempts: int
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether there are draws that can be trusted."""
        return self.diagnostics is not None and self.diagnostics.ok

    @property
    def failures(self) -> str:
        """Why the draws cannot be trusted; empty if they can."""
        return self.error or "; ".join(self.diagnostics.failures if self.diagnostics else ())

    def draws(self) -> tuple[Kept, Diagnostics]:
        """Return what is kept of the draws, and their diagnostics.

        Raises
        ------
        SamplingError
            If there are none.
        """
        if self.kept is None or self.diagnostics is None:
            raise SamplingError(f"the sampler gave up in {self.attempts} attempts: {self.error}")
        return self.kept, self.diagnostics


def best_of[Kept](attempts: Iterable[Attempt[Kept]], bounds: Bounds) -> Fitted[Kept]:
    """Make attempts until one satisfies the bounds; keep that one, or the one nearest to them.

    Parameters
    ----------
    attempts
        Made one after the other, as they are asked for.
    bounds
        Bounds of the diagnostics.
    """
    begin = time.perf_counter()
    best: tuple[Kept, Diagnostics] | None = None
    number, error = 0, ""
    for number, attempt in enumerate(attempts, start=1):
        if isinstance(attempt, Exception):
            error = f"{type(attempt).__name__}: {attempt}".splitlines()[0]
            log.info("attempt %d: %s", number, error, exc_info=attempt)
            continue
        diagnostics = attempt[1]
        if best is None or shortfall(diagnostics, bounds) < shortfall(best[1], bounds):
            best = attempt
        if diagnostics.ok:
            break
        log.info("attempt %d: %s", number, "; ".join(diagnostics.failures))
    seconds = time.perf_counter() - begin
    if best is None:
        return Fitted(None, None, error or "no attempt was made", number, seconds)
    return Fitted(*best, "", number, seconds)


class Coordinates(Enum):
    """What the coordinates of an attempt are learnt from."""

    SHARED = "a pilot of the structure"
    LAPLACE = "mode and curvature of the posterior"
    PILOT = "a pilot of its own"


def coordinates_of(attempts: int, *, shared: bool) -> Sequence[Coordinates]:
    """List the coordinates of each attempt.

    Parameters
    ----------
    attempts
        Number of attempts.
    shared
        Whether there is a pilot of the structure to begin with.
    """
    if shared:
        ladder = [Coordinates.SHARED, Coordinates.SHARED, Coordinates.LAPLACE, Coordinates.PILOT]
    else:
        ladder = [Coordinates.PILOT, Coordinates.PILOT, Coordinates.LAPLACE]
    return (ladder + ladder[-1:] * attempts)[:attempts]


@dataclass(frozen=True)
class Seeds:
    """Randomness of one fit.

    Attributes
    ----------
    attempt
        Gives the seed of an attempt, counted from 0.
    pilot
        Seed of a pilot of the fit's own.
    """

    attempt: Callable[[int], np.random.SeedSequence]
    pilot: np.random.SeedSequence


@dataclass(frozen=True)
class Ladder:
    """How a command fits in whitened coordinates.

    Attributes
    ----------
    options
        Settings of the first attempt, and how many there are.
    sampler
        Settings of a pilot.
    chains
        Chains of each attempt.
    bounds
        What the diagnostics must satisfy.
    cores
        Chains at a time.
    """

    options: FitOptions
    sampler: SamplerOptions
    chains: int
    bounds: Bounds
    cores: int

    @classmethod
    def of(cls, options: FitOptions, sampler: SamplerOptions, cores: int) -> Ladder:
        """Take chains and bounds from the set's sampler."""
        return cls(options, sampler, sampler.chains, sampler, cores)

    def fit[Kept](
        self,
        inputs: ModelInputs,
        pilot: Pilot | None,
        seeds: Seeds,
        judge: Callable[[xr.Dataset, xr.Dataset], tuple[Kept, Diagnostics]],
    ) -> Fitted[Kept]:
        """Sample a posterior until its draws satisfy the bounds.

        Parameters
        ----------
        inputs
            Inputs of the model.
        pilot
            Learnt on another posterior of the structure; None: there is none that lies near.
        seeds
            Randomness.
        judge
            Of the variables (chain, draw, ...) and sample statistics of an attempt: what is kept,
            and the diagnostics.
        """
        return best_of(self._attempts(inputs, pilot, seeds, judge), self.bounds)

    def _attempts[Kept](
        self,
        inputs: ModelInputs,
        pilot: Pilot | None,
        seeds: Seeds,
        judge: Callable[[xr.Dataset, xr.Dataset], tuple[Kept, Diagnostics]],
    ) -> Iterator[Attempt[Kept]]:
        options, current = self.options, None
        chains: list[tuple[xr.Dataset, xr.Dataset]] = []
        for number, coordinates in enumerate(
            coordinates_of(self.options.attempts, shared=pilot is not None)
        ):
            if number == _LONGER:
                options = options.longer_and_deeper
            try:
                if coordinates is not current:
                    whitening, mapped = self._whitening(coordinates, inputs, pilot, seeds)
                    current, chains = coordinates, []
                seed = seeds.attempt(number)
                chains.append(
                    infer_whitened(mapped, whitening, options, self.chains, seed, self.cores)
                )
            except _GAVE_UP as error:
                yield error
                continue
            kept, diagnostics = judge(*_joined(chains))
            yield kept, diagnostics
            if diagnostics.divergences > self.bounds.max_divergences:
                options, chains = options.with_smaller_steps, []

    def _whitening(
        self, coordinates: Coordinates, inputs: ModelInputs, pilot: Pilot | None, seeds: Seeds
    ) -> tuple[Whitening, ModelInputs]:
        if coordinates is Coordinates.SHARED and pilot is not None:
            return transfer(pilot, inputs)
        if coordinates is Coordinates.LAPLACE:
            return whitening_of(inputs), inputs
        return learn_whitening(inputs, self.sampler, seeds.pilot, self.cores), inputs


def _joined(chains: Sequence[tuple[xr.Dataset, xr.Dataset]]) -> tuple[xr.Dataset, xr.Dataset]:
    """Join the chains of several runs: variables and sample statistics."""
    if len(chains) == 1:
        return chains[0]
    variables, stats = (xr.concat(parts, dim="chain") for parts in zip(*chains, strict=True))
    numbers = np.arange(variables.sizes["chain"])
    return variables.assign_coords(chain=numbers), stats.assign_coords(chain=numbers)


def fit_plainly[Kept](
    inputs: ModelInputs,
    options: SamplerOptions,
    seed: np.random.SeedSequence,
    judge: Callable[[Draws], tuple[Kept, Diagnostics]],
    progress: Progress | None = None,
) -> Fitted[Kept]:
    """Sample prior and posterior without a pilot until the draws satisfy the bounds.

    Parameters
    ----------
    inputs
        Inputs of the model.
    options
        Method, draws and bounds; with `adaptation=auto` several geometries are tried.
    seed
        Root of the randomness.
    judge
        Of the draws of an attempt: what is kept, and the diagnostics.
    progress
        Called while sampling.
    """

    def attempt(settings: SamplerOptions) -> Attempt[Kept]:
        try:
            draws = infer(inputs, settings, seed, progress)
        except _GAVE_UP as error:
            return error
        return judge(draws)

    def with_smaller_steps(settings: SamplerOptions) -> SamplerOptions:
        steps = next((step for step in _SMALLER_STEPS if step > settings.target_accept), None)
        return settings.model_copy(update={} if steps is None else {"target_accept": steps})

    def longer(settings: SamplerOptions, diagnostics: Diagnostics) -> SamplerOptions:
        size = max(min(diagnostics.min_ess_bulk, diagnostics.min_ess_tail), 1.0)
        wanted = math.ceil(2.0 * options.min_ess / size)
        draws = min(min(max(wanted, 2), 4) * settings.draws, _MOST * options.draws)
        more = {"tune": 2 * settings.tune, "draws": draws}
        return settings.model_copy(update=more)

    def attempts() -> Iterator[Attempt[Kept]]:
        tried = geometries(inputs, options)
        made: list[tuple[SamplerOptions, Diagnostics]] = []

        def climb(settings: SamplerOptions, most: int, *, longest: bool) -> Iterator[Attempt[Kept]]:
            """Try a geometry with smaller steps while draws diverge; at last for longer, too."""
            for _ in range(most):
                result = attempt(settings)
                yield result
                if isinstance(result, Exception):
                    return
                made.append((settings, result[1]))
                if longest and result[1].divergences <= options.max_divergences:
                    settings = longer(settings, result[1])
                    continue
                smaller = with_smaller_steps(settings)
                if smaller == settings or not (longest or _only_diverges(result[1], options)):
                    return
                settings = smaller

        if len(tried) == 1:
            yield attempt(tried[0])
            return
        for geometry in tried:
            yield from climb(geometry, 2, longest=False)
        if made:
            settings, diagnostics = min(made, key=lambda one: shortfall(one[1], options))
            settings = longer(with_smaller_steps(settings), diagnostics)
            yield from climb(settings, _LAST, longest=True)

    return best_of(attempts(), options)


def _only_diverges(diagnostics: Diagnostics, bounds: Bounds) -> bool:
    """Whether draws would do but for those that diverge."""
    others = dataclasses.replace(diagnostics, divergences=0)
    return diagnostics.divergences > bounds.max_divergences and shortfall(others, bounds) <= 1.0
