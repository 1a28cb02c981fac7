"""Options of a sweep and of its design, typed and checked (group `sweep` of ``conf/``)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from estimator.assumptions.fit_options import FitOptions
from estimator.assumptions.sections import Options, Section


class Axis(Section):
    """What one assumption of a design runs over.

    Give one of: `values` (options of a group, or values of a key), `low` and `high` (a range for a
    number, on a log scale with `log`), or `shift` (for a prior given as a range: the range is moved
    by so many prior standard deviations on the family's own scale).
    """

    values: tuple[str | int | float | bool, ...] | None = Field(default=None, min_length=1)
    low: float | None = None
    high: float | None = None
    log: bool = False
    shift: tuple[float, float] | None = None
    points: int = Field(default=3, ge=2, le=1000)

    @model_validator(mode="after")
    def _one_kind(self) -> Axis:
        given = [
            name
            for name, there in (
                ("values", self.values is not None),
                ("low and high", self.low is not None or self.high is not None),
                ("shift", self.shift is not None),
            )
            if there
        ]
        if len(given) != 1:
            found = " and ".join(given) or "nothing"
            raise ValueError(f"give values, or low and high, or shift. Got {found}")
        if "low and high" in given:
            if self.low is None or self.high is None or self.low >= self.high:
                raise ValueError(f"needs low below high. Got low={self.low}, high={self.high}")
            if self.log and self.low <= 0:
                raise ValueError(f"log needs low above 0. Got {self.low}")
        elif self.log:
            raise ValueError("log goes with low and high")
        if self.shift is not None and self.shift[0] >= self.shift[1]:
            raise ValueError(f"shift needs two rising numbers. Got {list(self.shift)}")
        return self


class Design(Section):
    """Which sets a sweep is made of.

    Attributes
    ----------
    method
        product: all combinations (ranges in `points` steps); one_at_a_time: the configuration as it
        is, and then each axis alone at its ends or values; latin_hypercube and sobol: `sets` points
        that fill the space of the axes; saltelli: `blocks` of number of axes + 2 sets, from which
        Sobol indices follow.
    vary
        Axes by key: a group (killed_share), a number (unconfirmed.ratio.high) or a prior
        (unconfirmed.ratio).
    sets
        Number of points of a latin_hypercube or sobol design.
    blocks
        Number of blocks of a saltelli design, a power of 2. Each holds a point A, a point B, and
        for each axis the point A with that axis taken from B.
    seed
        Of the design.
    """

    method: Literal["product", "one_at_a_time", "latin_hypercube", "sobol", "saltelli"]
    vary: dict[str, Axis] = Field(min_length=1)
    sets: int = Field(default=64, ge=2, le=100_000)
    blocks: int = Field(default=64, ge=2, le=65_536)
    seed: int = Field(default=0, ge=0, lt=2**63)

    @field_validator("blocks")
    @classmethod
    def _power_of_two(cls, blocks: int) -> int:
        if blocks & (blocks - 1):
            below = 1 << (blocks.bit_length() - 1)
            raise ValueError(f"must be a power of 2, e.g. {below} or {2 * below}. Got {blocks}")
        return blocks


class RayOptions(Section):
    """Where the Ray cluster is."""

    address: str | None


class SweepOptions(Options):
    """How a multirun is carried out (see ``conf/sweep/default.yaml`` for each)."""

    group: ClassVar[str] = "sweep"

    method: Literal["auto", "plan", "fit"]
    whole_results: int = Field(ge=0, le=1000)
    max_k_hat: float = Field(gt=0.0, le=1.0)
    check: int = Field(ge=0, le=10_000)
    max_check_errors: float = Field(gt=0.0)
    base_draws: int = Field(ge=50, le=100_000)
    fit: FitOptions
    keep_draws: bool
    fail_fast: bool
    executor: Literal["local", "ray"]
    workers: int | None = Field(ge=1, le=4096)
    backend: Literal["threads", "processes"]
    ray: RayOptions
    design: Design | None

    @property
    def sampling(self) -> dict[str, Any]:
        """Options that change the numbers of a set: all but those named here."""
        return self.model_dump(
            mode="json",
            exclude={
                # Held against what is finished already.
                *("method", "max_k_hat", "check", "max_check_errors"),
                # Which sets there are, and whether the sweep is planned at all.
                *("design", "whole_results"),
                # Where it runs, what it keeps, when it stops.
                *("executor", "workers", "backend", "ray", "keep_draws", "fail_fast"),
            },
        )
