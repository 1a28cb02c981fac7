"""The quantities: what each is measured in, what it is made of, and what it is called.

`QUANTITIES` has one row a quantity, in the order of tables and figures. What another module needs
to know about a quantity is read from its row, so that a new quantity is a new row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Scale = Literal["log", "logit", "difference", "stock"]
"""Scale on which errors of reports add up: ratios, odds, persons, or ratios of a stock."""

TOTAL = "total"
"""The period that is the whole window."""

QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
"""Quantiles of every range that is reported, by the name of their column."""

PER_MONTH = "persons/month"
_FLOW = ("persons", PER_MONTH, "persons/day")

OTHER_EXITS = "other_exits"
"""Those who leave the force beside its losses: deserters, prisoners, the discharged, …."""

_GAP = {"recruits": 1.0, "losses": -1.0}
_NET_CHANGE = {
    "recruits": 1.0,
    "foreign_recruits": 1.0,
    "returned": 1.0,
    "losses": -1.0,
    OTHER_EXITS: -1.0,
}


@dataclass(frozen=True)
class Quantity:
    """One quantity.

    Attributes
    ----------
    name
        As in the claims table, the configuration and results.
    unit
        Of what is estimated; empty for what only claims speak of.
    words
        Its name for readers; by default the name with spaces.
    dim
        What it is estimated for each of: months, sources, confirmed claims, ….
    computed_from
        ``fit``: kept of every fit; ``draws``: follows from what is kept; ``options``: follows from
        it and the group `derived` of the configuration. None: it is not estimated.
    claim_units
        Units that a claim may have; none if no claim speaks of it.
    scale
        On which errors of reports add up; None where claims stay out of the likelihood.
    parts
        Sum over monthly series that a claim is about, by the name of the series.
    rest
        For shares: the sum of those outside the share, so that odds are `parts` over `rest`.
    walk
        Group of the configuration with the dynamics, for the series that the model samples.
    adds_up
        Whether its total over the window is the sum of its months.
    may_be_confirmed
        Whether claims may have the status ``confirmed``, a floor.
    is_headline
        Whether tables that show only a few quantities show it.
    is_diagnosed
        Whether its diagnostics decide if draws are an answer.
    """

    name: str
    unit: str = ""
    words: str = ""
    dim: str = "month"
    computed_from: Literal["fit", "draws", "options"] | None = None
    claim_units: tuple[str, ...] = ()
    scale: Scale | None = None
    parts: Mapping[str, float] = field(default_factory=dict)
    rest: Mapping[str, float] = field(default_factory=dict)
    walk: str | None = None
    adds_up: bool = False
    may_be_confirmed: bool = False
    is_headline: bool = False
    is_diagnosed: bool = False

    def __post_init__(self) -> None:
        """Write the name with spaces where no other words are chosen."""
        if not self.words:
            object.__setattr__(self, "words", self.name.replace("_", " "))

    @property
    def whole(self) -> Mapping[str, float]:
        """For shares: the sum that it is a share of."""
        both = {name: self.parts.get(name, 0.0) + self.rest[name] for name in self.rest}
        return {name: factor for name, factor in both.items() if factor}

    @property
    def unit_of_total(self) -> str:
        """Unit of the total over the window."""
        return "persons" if self.unit == PER_MONTH else self.unit

    @property
    def series_behind(self) -> tuple[str, ...]:
        """Names of the series of a fit that its parts are worked out from."""
        series = (name for part in self.parts for name in _BEHIND.get(part, (part,)))
        return tuple(dict.fromkeys(series))

    @property
    def is_as_counted(self) -> bool:
        """Whether a claim on it means by losses what its origin counts as losses.

        Not where those who come back, or are to come back, are a part of their own.
        """
        named = {*self.parts, *self.rest}
        return "losses" in named and not named & {"light", "returned"}

    @property
    def equation(self) -> str:
        """Its parts in words, e.g. ``recruits - losses``."""
        terms = [
            f"{'+' if factor > 0 else '-'} {_words(name)}" for name, factor in self.parts.items()
        ]
        return " ".join(terms).removeprefix("+ ")


def _words(part: str) -> str:
    return QUANTITIES[part].words if part in QUANTITIES else "light wounded"


# The killed are no series of their own: they are losses times killed share.
# Nor are the light wounded, who are a share of the rest.
_BEHIND = {"killed": ("losses", "killed_share"), "light": ("losses", "killed_share")}

_ROWS = (
    Quantity(
        "losses",
        unit=PER_MONTH,
        computed_from="fit",
        claim_units=_FLOW,
        scale="log",
        parts={"losses": 1.0},
        walk="losses",
        adds_up=True,
        may_be_confirmed=True,
        is_headline=True,
        is_diagnosed=True,
    ),
    Quantity(
        "irrecoverable",
        unit=PER_MONTH,
        computed_from="fit",
        claim_units=_FLOW,
        scale="log",
        parts={"losses": 1.0, "light": -1.0},
        adds_up=True,
        may_be_confirmed=True,
        is_headline=True,
        is_diagnosed=True,
    ),
    Quantity(
        "killed",
        unit=PER_MONTH,
        computed_from="draws",
        claim_units=_FLOW,
        scale="log",
        parts={"killed": 1.0},
        adds_up=True,
        may_be_confirmed=True,
        is_headline=True,
        is_diagnosed=True,
    ),
    Quantity(
        "wounded",
        unit=PER_MONTH,
        computed_from="draws",
        claim_units=_FLOW,
        scale="log",
        parts={"losses": 1.0, "killed": -1.0},
        adds_up=True,
    ),
    Quantity(
        "killed_share",
        unit="share",
        computed_from="fit",
        claim_units=("share",),
        scale="logit",
        parts={"killed": 1.0},
        rest={"losses": 1.0, "killed": -1.0},
        walk="killed_share",
        is_diagnosed=True,
    ),
    Quantity(
        "recruits",
        unit=PER_MONTH,
        computed_from="fit",
        claim_units=_FLOW,
        scale="log",
        parts={"recruits": 1.0},
        walk="recruitment",
        adds_up=True,
        is_diagnosed=True,
    ),
    Quantity(
        "foreign_recruits",
        unit=PER_MONTH,
        computed_from="fit",
        claim_units=_FLOW,
        scale="log",
        parts={"foreign_recruits": 1.0},
        walk="foreign",
        adds_up=True,
        is_diagnosed=True,
    ),
    Quantity("returned", unit=PER_MONTH, computed_from="fit", adds_up=True, is_diagnosed=True),
    Quantity(
        "replacement_gap",
        unit=PER_MONTH,
        computed_from="draws",
        claim_units=_FLOW,
        scale="difference",
        parts=_GAP,
        adds_up=True,
        is_headline=True,
    ),
    Quantity(
        "net_change",
        unit=PER_MONTH,
        computed_from="fit",
        claim_units=_FLOW,
        scale="difference",
        parts=_NET_CHANGE,
        adds_up=True,
        is_headline=True,
        is_diagnosed=True,
    ),
    Quantity(
        "force_size",
        unit="persons",
        computed_from="fit",
        claim_units=("persons",),
        scale="stock",
        parts=_NET_CHANGE,
        is_diagnosed=True,
    ),
    Quantity(OTHER_EXITS, unit=PER_MONTH, computed_from="fit", adds_up=True),
    Quantity(
        "other_side_losses",
        unit=PER_MONTH,
        words="losses of the other side",
        computed_from="options",
        adds_up=True,
    ),
    Quantity(
        "losses_per_km",
        unit="persons/km",
        words="losses per km of front",
        computed_from="options",
        claim_units=("persons/km",),
        adds_up=True,
    ),
    Quantity(
        "break_even_plan_share",
        unit="share",
        words="break-even share of the plan",
        computed_from="options",
    ),
    Quantity("recruits_plan", claim_units=("persons",)),
    Quantity("plan_share", words="share of the plan", claim_units=("share",)),
    Quantity("loss_ratio", claim_units=("ratio",)),
    Quantity("front_length", claim_units=("km",)),
    Quantity("statement", claim_units=("",)),
    Quantity(
        "unconfirmed",
        unit="persons",
        dim="confirmed_claim",
        computed_from="fit",
        claim_units=_FLOW,
    ),
    Quantity(
        "unconfirmed_ratio",
        unit="ratio",
        dim="confirmed_claim",
        computed_from="fit",
        is_diagnosed=True,
    ),
    Quantity(
        "assumption_value",
        unit="see assumption",
        dim="assumption",
        computed_from="fit",
        is_diagnosed=True,
    ),
    Quantity(
        "reporting_bias", unit="see source", dim="source", computed_from="fit", is_diagnosed=True
    ),
    Quantity("reporting_drift", unit="see source, per year", dim="source", computed_from="fit"),
    Quantity(
        "shared_bias_mean",
        unit="see group",
        dim="bias_group",
        computed_from="fit",
        is_diagnosed=True,
    ),
    Quantity(
        "shared_bias_spread",
        unit="see group",
        dim="bias_group",
        computed_from="fit",
        is_diagnosed=True,
    ),
    Quantity(
        "registration",
        unit="see registry term",
        words="registries",
        dim="registry_term",
        computed_from="fit",
        is_diagnosed=True,
    ),
    Quantity(
        "bias_steps", unit="see source", dim="bias_step", computed_from="fit", is_diagnosed=True
    ),
)

QUANTITIES: dict[str, Quantity] = {row.name: row for row in _ROWS}
"""All quantities by name, in the order of tables and figures."""


def names_where(holds: Callable[[Quantity], object]) -> tuple[str, ...]:
    """Names of the quantities for which something holds, in order."""
    return tuple(name for name, quantity in QUANTITIES.items() if holds(quantity))


CLAIMED = names_where(lambda quantity: quantity.claim_units)
"""What a claim may be about."""

MODELLED = names_where(lambda quantity: quantity.scale)
"""What a claim may be about so that it enters the likelihood."""

ESTIMATED = names_where(lambda quantity: quantity.computed_from)
"""What draws are reported of."""

MONTHLY = names_where(
    lambda quantity: quantity.computed_from in ("fit", "draws") and quantity.dim == "month"
)
"""What is estimated of every month from claims alone, without the group `derived`."""

COUNTS = names_where(lambda quantity: quantity.scale == "log")
"""Counts of persons over a period: above 0, so that ratios are taken."""

SHARES = names_where(lambda quantity: quantity.scale == "logit")
"""Shares of persons, from 0 to 1."""

SIGNED = names_where(lambda quantity: quantity.scale == "difference")
"""What may be below 0."""

STOCKS = names_where(lambda quantity: quantity.scale == "stock")
"""Sizes on a day."""

CONFIRMABLE = names_where(lambda quantity: quantity.may_be_confirmed)
"""What a confirmed figure, a floor, may be about."""

SUMMED = names_where(lambda quantity: quantity.adds_up)
"""What has a total over the window that is the sum of its months."""

KEPT = names_where(lambda quantity: quantity.computed_from == "fit")
"""What is kept of the draws of a fit."""

FOLLOWING = names_where(lambda quantity: quantity.computed_from == "draws")
"""What follows from the kept draws of a fit, draw by draw."""

OPTIONAL = names_where(lambda quantity: quantity.computed_from == "options")
"""What follows from them and from the group `derived` of the configuration."""

SAMPLED = names_where(lambda quantity: quantity.walk)
"""Monthly series that the model samples, each with dynamics of its own."""

HEADLINES = names_where(lambda quantity: quantity.is_headline)
"""What short tables show."""

DIAGNOSED = names_where(lambda quantity: quantity.is_diagnosed)
"""What decides by its diagnostics whether draws are an answer, of one set as of a sweep."""


def combine(parts: Mapping[str, float], series: Mapping[Any, Any]) -> Any:
    """Add up series: with `Quantity.parts` of the net change, the balance of the force.

    Parameters
    ----------
    parts
        Factor of each series.
    series
        Arrays of any kind that can be added (numpy, xarray, PyTensor), by name.

    Examples
    --------
    >>> combine(QUANTITIES["replacement_gap"].parts, {"recruits": 30.0, "losses": 33.0})
    -3.0
    """
    total: Any = None
    for name, factor in parts.items():
        size = series[name] if abs(factor) == 1.0 else abs(factor) * series[name]
        if total is None:
            total = size if factor > 0 else -size
        else:
            total = total + size if factor > 0 else total - size
    return total


def with_killed(series: Mapping[Any, Any]) -> dict[Any, Any]:
    """Add the killed, losses times killed share, to series that hold both."""
    if not {"losses", "killed_share"} <= set(series) or "killed" in series:
        return dict(series)
    return {**series, "killed": series["losses"] * series["killed_share"]}
