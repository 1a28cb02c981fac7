"""A synthetic result: 48 months, 2 chains of 50 draws, claims of every kind."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from estimator.assumptions import ASSUMPTIONS as OF_THE_MODEL

CHAINS, DRAWS = 2, 50
MONTHS = [str(m) for m in pd.period_range("2022-02", "2026-01", freq="M")]
AHEAD = [str(m) for m in pd.period_range("2026-02", "2026-08", freq="M")]
NAN = float("nan")
ASSUMPTIONS = {
    "losses.level": ("persons/month", False, 15000.0),
    "losses.step": ("log ratio", False, 0.14),
    "foreign.level": ("persons/month", False, 50.0),
    "unconfirmed.ratio": ("ratio", False, 0.1),
    "unconfirmed.spread": ("log ratio", False, 0.5),
    "killed_share.level": ("share", False, 0.3),
    "killed_share.step": ("log odds", False, 0.06),
    "returns.rate": ("share", False, 0.45),
    "returns.delay": ("months", False, 3.0),
    "recruitment.level": ("persons/month", False, 11000.0),
    "recruitment.mobilised": ("persons", False, 290000.0),
    "force.start": ("persons", False, 190000.0),
    "confirmed.false_confirmation": ("share", True, 0.0),
    "force.other_exits": ("persons/month", True, 0.0),
}
# What the model has beside these is held at 1.
ASSUMPTIONS |= {name: (spec.unit, True, 1.0) for name, spec in OF_THE_MODEL.items()
                if name not in ASSUMPTIONS}  # fmt: skip
SCENARIOS = ("status_quo", "goal_50000", "goal_60000", "plan_100", "plan_120", "plan_130",
             "mobilisation", "killed_share_above_065", "recruits_30000_40000")  # fmt: skip
# id, quantity, period, low, value, high, unit, hedge, status, origin; "-" where empty
CLAIMS = """
S02 losses 2025-06-01 2025-08-31 80000 - 110000 persons range estimated nato
S03 losses 2024-01-01 2024-12-31 - 400000 - persons at_least estimated csis
S04 losses 2023-03-01 2023-05-31 - 600 - persons/day up_to estimated uk_government
P36 losses 2022-02-24 2023-11-30 290000 320000 350000 persons about estimated uk_government
P40 losses 2022-02-24 2024-05-30 - 465000 - persons more_than estimated uk_government
P41 losses 2022-02-24 2024-06-27 - 350000 - persons at_least estimated us_intelligence
P44 losses 2022-02-24 2024-10-15 600000 - 700000 persons range estimated nato
P54 losses 2022-02-24 2025-12-01 - 1200000 - persons about estimated csis
S01 losses 2022-02-24 2026-02-15 - 1250000 - persons more_than claimed general_staff_ukraine
S08 killed_share 2022-02-24 2024-02-23 - 0.5 - share under claimed army_sources
S09 killed_share 2025-12-01 2026-01-31 - 0.65 - share more_than claimed army_sources
P30 killed 2022-02-24 2023-05-27 40000 47000 55000 persons about estimated mediazona_meduza
P32 killed 2023-01-01 2023-12-31 37136 40542 43948 persons about estimated kobak
P45 killed 2022-02-24 2025-01-01 - 172000 - persons at_least estimated iiss
P48 killed 2022-02-24 2025-02-21 146194 - 211169 persons range estimated bbc_russian
P55 killed 2022-02-24 2025-12-01 275000 - 325000 persons range estimated csis
P05 recruits 2022-09-21 2022-11-30 - 300000 - persons about claimed russian_officials
P06 recruits 2023-01-01 2023-12-31 - 486000 - persons about claimed russian_officials
P08 recruits 2024-04-01 2024-06-30 - 1020 - persons/day about estimated kluge
P11 recruits 2025-01-01 2025-06-30 - 127500 - persons about estimated istories
S13 recruits 2025-12-01 2026-01-31 30000 - 40000 persons/month range claimed article
P16 recruits 2026-01-01 2026-01-31 - 22000 - persons about claimed ukrainian_unmanned_forces
S21 foreign_recruits 2024-10-01 2026-01-31 - 17000 - persons about claimed article
S11 replacement_gap 2026-01-01 2026-01-31 - -9000 - persons about claimed bloomberg_sources
S12 replacement_gap 2025-12-01 2026-01-31 - 0 - persons/month under estimated uk_government
P18 force_size 2023-01-01 2023-01-01 - 360000 - persons about estimated rusi
P21 force_size 2025-12-31 2025-12-31 - 713000 - persons about claimed ukrainian_officials
X99 losses 2026-06-01 2026-08-31 50000 - 60000 persons/month range goal not_used
"""
CONFIRMED = """
P01 losses 2025-10-01 2025-10-31 - 25000 - persons about confirmed video_verified_ukraine
P02 losses 2025-10-01 2025-12-31 - 90000 - persons about confirmed video_verified_ukraine
P04 losses 2026-01-01 2026-01-31 - 30618 - persons exact confirmed video_verified_ukraine
"""
COLUMNS = ("quantity", "period_start", "period_end", "low", "value", "high", "unit", "hedge",
           "status", "origin")  # fmt: skip
STORY = ("losses", "killed", "wounded", "killed_share", "recruits", "foreign_recruits", "returned",
         "replacement_gap", "net_change", "force_size")  # fmt: skip


def _days() -> np.ndarray:
    days = np.array([pd.Period(m).days_in_month for m in MONTHS], dtype=float)
    days[0] = 5
    return days


def _level() -> np.ndarray:
    t = np.arange(len(MONTHS))
    return np.clip(8e3 + 900 * t - 300 * np.clip(t - 30, 0, None), 0, 36e3) * _days() / 30.4


def _story(rng: np.random.Generator, width: float) -> dict[str, np.ndarray]:
    shape = (CHAINS, DRAWS, 1)
    wave = np.cumsum(rng.normal(0, 0.015, (CHAINS, DRAWS, len(MONTHS))), axis=-1)
    losses = _level() * np.exp(rng.normal(0, width, shape) + width * 5 * wave)
    share = 1 / (1 + np.exp(1.2 + rng.normal(0, 4 * width, shape) - wave * 2))
    recruits = (
        np.full(len(MONTHS), 27e3) * _days() / 30.4 * np.exp(rng.normal(0, width, shape) + wave)
    )
    foreign = np.full_like(recruits, 1.2e3) * np.exp(rng.normal(0, 0.3, shape))
    killed, wounded = losses * share, losses * (1 - share)
    returned = wounded * 0.4
    net = recruits + foreign + returned - losses
    force = 190e3 + net.cumsum(axis=-1)
    values = (
        losses,
        killed,
        wounded,
        share,
        recruits,
        foreign,
        returned,
        recruits - losses,
        net,
        force,
    )
    return dict(zip(STORY, values, strict=True))


def _group(rng: np.random.Generator, width: float) -> xr.Dataset:
    names = list(ASSUMPTIONS)
    spread = np.array([0.0 if fixed else width * 8 for _, fixed, _ in ASSUMPTIONS.values()])
    middle = np.array([value for _, _, value in ASSUMPTIONS.values()])
    draws = middle * np.exp(rng.normal(size=(CHAINS, DRAWS, len(names))) * spread)
    shares = np.array([unit == "share" for unit, _, _ in ASSUMPTIONS.values()])
    draws = np.where(shares, np.clip(draws, 0, 0.98), draws)
    dims = ("chain", "draw", "month")
    return xr.Dataset(
        {n: (dims, v) for n, v in _story(rng, width).items()}
        | {"assumption_value": (("chain", "draw", "assumption"), draws)},
        coords={
            "chain": range(CHAINS),
            "draw": range(DRAWS),
            "month": MONTHS,
            "assumption": names,
            "unit": ("assumption", [unit for unit, _, _ in ASSUMPTIONS.values()]),
            "source": np.array([], dtype=str),  # no biases
        },
    )


def _rows(table: str) -> list[tuple]:
    rows = [line.split() for line in table.strip().splitlines()]
    return [(*r[:4], *(NAN if t == "-" else float(t) for t in r[4:7]), *r[7:]) for r in rows]


def _all_claims() -> list[tuple]:
    series = [
        (f"G{i:02d}", "losses", f"{m}-01", f"{m}-{pd.Period(m).days_in_month}", NAN,
         float(v) * (1 + 0.04 * np.sin(i)), NAN, "persons", "exact", "claimed",
         "general_staff_ukraine")
        for i, (m, v) in enumerate(zip(MONTHS, _level(), strict=True)) if i
    ]  # fmt: skip
    return series + _rows(CLAIMS)


def _columns(rows: list[tuple], prefix: str) -> dict[str, tuple]:
    dim = f"{prefix}claim"
    data = {prefix + n: (dim, [r[i + 1] for r in rows]) for i, n in enumerate(COLUMNS)}
    texts = {"source": "a source", "citation": "a page", "published": "2026-02-15", "speaker": ""}
    for name, text in texts.items():
        data[prefix + name] = (dim, [text] * len(rows))
    # The series is one piece of evidence; all else is each its own.
    data[f"{prefix}evidence_group"] = (dim, ["series" if r[0][0] == "G" else "" for r in rows])
    data[f"{prefix}used"] = (dim, [r[9] != "goal" for r in rows])
    return data


def _no_vintages() -> dict[str, tuple]:
    """Columns of the figures of triangles, of which there are none."""
    texts = ("source", "speaker", "origin", "evidence_group")
    none = {f"registry_{name}": np.array([], dtype=str) for name in texts}
    none |= {"registry_used": np.array([], dtype=bool)}
    return {name: ("registry_figure", values) for name, values in none.items()}


def _predictive(rng: np.random.Generator, rows: list[tuple]) -> np.ndarray:
    centre = np.array([r[5] if np.isfinite(r[5]) else (r[4] + r[6]) / 2 for r in rows])
    kind = np.array([r[1] for r in rows])
    noise = rng.normal(0, 0.12, (CHAINS, DRAWS, len(rows))) + rng.normal(0, 0.12, len(rows))
    signed = np.isin(kind, ["replacement_gap", "net_change"])
    share = 1 / (1 + np.exp(-(np.log(np.clip(centre, 0.01, 0.99)) + 0.5 + noise)))
    ratio = centre * np.exp(noise)
    return np.where(signed, centre + 2e4 * noise, np.where(kind == "killed_share", share, ratio))


def _scenarios(rng: np.random.Generator, posterior: xr.Dataset) -> xr.Dataset:
    dims = ("scenario", "chain", "draw", "projected_month")
    shape = (len(SCENARIOS), CHAINS, DRAWS, len(AHEAD))
    tilt = (1 + 0.08 * np.arange(len(SCENARIOS)))[:, None, None, None]
    last = posterior.isel(month=-1)
    names = ("losses", "killed_share", "recruits", "replacement_gap", "net_change")
    data = {
        n: (dims, last[n].values[None, :, :, None] * tilt + rng.normal(0, 0.01, shape))
        for n in names
    }
    net = data["net_change"][1]
    data["force_size"] = (dims, last["force_size"].values[None, :, :, None] + net.cumsum(axis=-1))
    coords = {"scenario": list(SCENARIOS), "chain": range(CHAINS), "draw": range(DRAWS)}
    return xr.Dataset(data, coords={**coords, "projected_month": AHEAD})


def make_result(seed: int = 7, *, label: str = "central", width: float = 0.05) -> xr.DataTree:
    """Make a result whose diagnostics passed."""
    rng = np.random.default_rng(seed)
    rows, confirmed = _all_claims(), _rows(CONFIRMED)
    posterior = _group(rng, width)
    ids, confirmed_ids = [r[0] for r in rows], [r[0] for r in confirmed]
    constant = xr.Dataset(
        {
            **_columns(rows, ""),
            **_columns(confirmed, "confirmed_"),
            **_no_vintages(),
            "month_days": ("month", _days()),
            "assumption_fixed": ("assumption", [fixed for _, fixed, _ in ASSUMPTIONS.values()]),
        },
        coords={"claim": ids, "confirmed_claim": confirmed_ids, "month": MONTHS,
                "assumption": list(ASSUMPTIONS)},
    )  # fmt: skip
    predictive = xr.Dataset(
        {
            "reported": (("chain", "draw", "claim"), _predictive(rng, rows)),
            "confirmed_figure": (("chain", "draw", "confirmed_claim"), _predictive(rng, confirmed)),
        },
        coords={"claim": ids, "confirmed_claim": confirmed_ids},
    )
    tree = xr.DataTree.from_dict(
        {
            "posterior": posterior,
            "prior": _group(rng, 3 * width),
            "posterior_predictive": predictive,
            "sample_stats": xr.Dataset(
                {"diverging": (("chain", "draw"), np.zeros((CHAINS, DRAWS), bool))}
            ),
            "constant_data": constant,
            "scenarios": _scenarios(rng, posterior),
        }
    )
    tree.attrs = {"assumption_set": label, "diagnostics_ok": "true", "diagnostics_failures": ""}
    return tree


@pytest.fixture(scope="session")
def shared_result() -> xr.DataTree:
    return make_result()


@pytest.fixture
def result(shared_result: xr.DataTree) -> xr.DataTree:
    """A copy that a test may change."""
    return shared_result.copy()


@pytest.fixture
def failed(result: xr.DataTree) -> xr.DataTree:
    result.attrs |= {"diagnostics_ok": "false", "diagnostics_failures": "R-hat 1.08 of losses"}
    return result
