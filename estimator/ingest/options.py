"""Options of ingestion, typed and checked (group `ingest` of ``conf/``)."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from estimator.assumptions.compose import plain_config
from estimator.assumptions.sections import Options
from estimator.ingest.formats import FORMATS
from estimator.ingest.restarts import Restart
from estimator.ingest.settings import Settings


class IngestOptions(Options):
    """What is done where the command line says nothing (see ``conf/ingest/default.yaml``).

    Attributes
    ----------
    dense_totals, dense_days
        How many running totals, and how close together, make a series that is differenced.
    gap_steps
        A step of a series so many times as long as the usual one is told as a gap.
    coarse
        Differences of which a larger share may be rounding are told.
    restart
        What makes running totals that fall a count that begins anew.
    alike
        Figures that differ by at most this share are told as possible copies, sums or differences.
    every
        Length of the periods, by format.
    max_megabytes
        Larger files are refused.
    """

    group: ClassVar[str] = "ingest"

    dense_totals: int = Field(ge=2)
    dense_days: float = Field(gt=0.0, allow_inf_nan=False)
    gap_steps: float = Field(ge=1.0, allow_inf_nan=False)
    coarse: float = Field(gt=0.0, allow_inf_nan=False)
    restart: Restart
    alike: float = Field(ge=0.0, lt=1.0)
    every: dict[str, Literal["day", "week", "month"]]
    max_megabytes: float = Field(gt=0.0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _all_formats(self) -> IngestOptions:
        wanted = {name for name, found in FORMATS.items() if "every" in found.options}
        if set(self.every) != wanted:
            raise ValueError(
                f"every must be given for {', '.join(sorted(wanted))}. Got {sorted(self.every)}"
            )
        return self

    def fill(self, settings: Settings, name: str) -> Settings:
        """Complete the settings for a format: these options hold where nothing was said."""
        return replace(
            settings,
            every=settings.every or self.every.get(name),
            dense_days=settings.dense_days or self.dense_days,
            dense_totals=settings.dense_totals or self.dense_totals,
            gap_steps=settings.gap_steps or self.gap_steps,
            coarse=settings.coarse or self.coarse,
            restart=settings.restart or self.restart,
            max_megabytes=settings.max_megabytes or self.max_megabytes,
        )


def shipped() -> IngestOptions:
    """Return the options of the shipped configuration."""
    return IngestOptions.from_config(plain_config()["ingest"])
