"""Options of the page and of what-ifs, typed and checked (group `explore` of ``conf/``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, model_validator

from estimator.assumptions.fields import MonthlyQuantity
from estimator.assumptions.sections import Options, Section
from estimator.paths import conf_dir


class SliderRange(Section):
    """From where to where a slider goes, in the unit of its assumption."""

    low: float = Field(gt=0.0)
    high: float = Field(gt=0.0)

    @model_validator(mode="after")
    def _ordered(self) -> SliderRange:
        if self.low >= self.high:
            raise ValueError(f"needs low below high. Got {self.low} and {self.high}")
        return self


class EventButton(Section):
    """An event, and the world that it is asked of."""

    event: str
    world: str


class ExploreOptions(Options):
    """What can be moved, and what is shown (see ``conf/explore/default.yaml`` for each)."""

    group: ClassVar[str] = "explore"

    about: tuple[str, ...] = ()
    worlds: tuple[str, ...] = Field(min_length=1)
    sliders: dict[str, SliderRange] = Field(min_length=1)
    widen: float = Field(ge=1.0, le=10.0)
    groups: tuple[str, ...]
    draws: int = Field(ge=50, le=100_000)
    kept_draws: int = Field(ge=200, le=100_000)
    kept_helper_draws: int = Field(ge=200, le=100_000)
    quantities: tuple[MonthlyQuantity, ...] = Field(min_length=1)
    months: int = Field(ge=1, le=600)
    most_megabytes: float = Field(gt=0.0)
    event: str
    events: dict[str, EventButton]
    good_k_hat: float = Field(gt=0.0, le=1.0)
    good_ess: float = Field(ge=10.0)
    max_k_hat: float = Field(gt=0.0, le=1.0)
    min_ess: float = Field(ge=10.0)

    @classmethod
    def shipped(cls) -> tuple[ExploreOptions, Path]:
        """Read the shipped options, and the folder of outputs: composing takes a second."""
        from omegaconf import OmegaConf

        own: Any = OmegaConf.to_container(OmegaConf.load(conf_dir() / "explore" / "default.yaml"))
        root: Any = OmegaConf.load(conf_dir() / "config.yaml")
        return cls.from_config(own), Path(str(root.output_dir))
