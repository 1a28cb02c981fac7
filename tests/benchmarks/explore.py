"""Positions of the sliders against fits, and how fast they are answered.

``python -m tests.benchmarks.explore outputs/explore``, after `estimator explore`: random positions
that the draws reach are fitted, each by a fit of its own, and compared in Monte-Carlo standard
errors (with ``--against outputs/shipped`` the shipped sets within reach with their fits); before,
`estimator whatif` is timed, and in Chromium the page.
"""

from __future__ import annotations

import argparse
import shutil
import statistics as middle
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import xarray as xr
from rich.console import Console

from estimator.assumptions.compose import plain_config
from estimator.fitting.entries import STATISTICS, EntryLayout, Variable, statistics
from estimator.fitting.reweighting import pooled_entries
from estimator.fitting.smoothing import Weights
from estimator.store.netcdf import read_netcdf
from estimator.store.sweep_files import DATASET
from estimator.studies.explore.options import ExploreOptions
from estimator.studies.explore.world import FILE, Position, World
from estimator.sweep.options import SweepOptions
from estimator.sweep.run_sweep import run_sweep

COMPARED = ("losses", "killed", "recruits", "net_change")
QUANTILES = ("q05", "q50", "q95")
SLIDER = """async () => {
    const found = [];
    for (const input of document.querySelectorAll('.slider input')) {
        for (const step of [-6, 3, 6]) {
            input.value = Number(input.value) + step;
            const begin = performance.now();
            input.dispatchEvent(new Event('input'));
            await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
            found.push(performance.now() - begin);
        }
    }
    return found;
}"""


def random_position(world: World, options: ExploreOptions, rng: np.random.Generator) -> Position:
    """Move up to three ranges anywhere on their sliders, and take out some evidence."""
    ranges = {}
    keys = [key for key in options.sliders if key in world.priors]
    for key in rng.permutation(keys)[: rng.integers(1, 4)].tolist():
        track = options.sliders[key]
        ends = np.exp(rng.uniform(np.log(track.low), np.log(track.high), 2))
        low, high = float(ends.min()), float(ends.max() * 1.05)
        ranges[key] = (float(f"{low:.3g}"), float(f"{high:.3g}"))
    return Position(ranges, tuple(name for name in world.groups if rng.random() < 0.3))


def table_of(world: World, weights: Weights) -> np.ndarray:
    """Statistics of the compared quantities in the last month. (quantity, statistic)."""
    shape = (world.data.sizes["chain"], world.data.sizes["draw"])
    rows = [world.draws(name, world.last_month).reshape(shape) for name in COMPARED]
    layout = EntryLayout(tuple(Variable(name, "month", ("last",), ("",)) for name in COMPARED))
    relative = np.full(len(COMPARED), world.relative_ess, np.float32)
    entries = pooled_entries([(layout, np.array(rows, np.float32), relative)])
    return statistics(entries, np.exp(weights.log_weights))


def checked(folder: Path, count: int, seed: int, options: ExploreOptions) -> None:
    """Fit positions of all worlds in turn; print the largest difference of each."""
    rng = np.random.default_rng(seed)
    worlds = [World.read(path) for path in sorted(folder.glob(f"*/{FILE}"))]
    asked, refused = [], 0
    while len(asked) < count:
        world = worlds[(len(asked) + refused) % len(worlds)]
        position = random_position(world, options, rng)
        weights = world.weights(position)
        if world.lamp(weights, options) == "refused":
            refused += 1
            continue
        asked.append((world, position, weights))
    sweep = SweepOptions.from_config(plain_config(["sweep.method=fit"])["sweep"])
    lists = [
        [*world.own_overrides, *world.overrides(position), f"label=position {n}"]
        for n, (world, position, _) in enumerate(asked)
    ]
    with tempfile.TemporaryDirectory() as kept:
        outcome = run_sweep(lists, sweep, Path(kept), Console())
    print(f"{refused} of {refused + len(asked)} random positions were refused", flush=True)
    for n, (world, position, weights) in enumerate(asked):
        text = f"{world.label} {' '.join(world.overrides(position))}"
        compared(text, world, weights, outcome.tree, f"position {n}")


def compared(
    text: str, world: World, weights: Weights, tree: xr.DataTree | xr.Dataset, label: str
) -> None:
    """Print how far weighted draws lie from a fitted set of a sweep, in Monte-Carlo errors."""
    at = [STATISTICS.index(name) for name in QUANTILES]
    errors = [STATISTICS.index(f"mcse_{name}") for name in QUANTILES]
    found, far = table_of(world, weights), []
    for row, name in enumerate(COMPARED):
        place = {"assumption_set": label, "month": world.last_month}
        fitted = tree[name].sel(place).values.astype(float)
        far.append((found[row, at] - fitted[at]) / np.hypot(found[row, errors], fitted[errors]))
    print(
        f"{text}: largest difference {np.abs(far).max():.1f} errors, root mean square "
        f"{np.sqrt(np.square(far).mean()):.2f}; k-hat {weights.k_hat:.2f}, "
        f"ESS {world.ess(weights):.0f}",
        flush=True,
    )


def against(folder: Path, run: Path) -> None:
    """Compare worlds and the shipped sets within their reach with the sets of a run."""
    tree = read_netcdf(run / DATASET)
    labels = tree["assumption_set"].values.tolist()
    for world in (World.read(path) for path in sorted(folder.glob(f"*/{FILE}"))):
        as_it_is = {"label": world.label, "ranges": {}, "without": []}
        for preset in (as_it_is, *world.presets):
            if preset["label"] not in labels:
                continue
            ranges = {key: (low, high) for key, (low, high) in preset["ranges"].items()}
            weights = world.weights(Position(ranges, preset["without"]))
            compared(f"{world.label} to {preset['label']}", world, weights, tree, preset["label"])


def timed(folder: Path) -> None:
    """Time the command and, where there is Chromium, the page."""
    world = next(iter(sorted(folder.glob(f"*/{FILE}")))).parent
    words = [sys.executable, "-c", "from estimator.cli import entry; entry()", "whatif", str(world)]
    seconds = []
    for _ in range(3):
        begin = time.perf_counter()
        subprocess.run([*words, "force.start=150000:200000"], check=False, capture_output=True)  # noqa: S603
        seconds.append(time.perf_counter() - begin)
    print(f"whatif: {middle.median(seconds):.2f} s")
    page, chromium = folder / "explore.html", shutil.which("chromium")
    print(f"page: {page.stat().st_size / 1e6:.2f} MB")
    if chromium is None:
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        opened = browser.new_page()
        begin = time.perf_counter()
        opened.goto(page.resolve().as_uri())
        opened.wait_for_selector("#fan svg")
        print(f"first picture: {time.perf_counter() - begin:.2f} s")
        found = opened.evaluate(SLIDER)
        print(f"slider to redraw: median {middle.median(found):.0f} ms, of {len(found)}")
        browser.close()


def main() -> None:
    """Check positions and print times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fits", type=int, default=10)
    parser.add_argument("--against", type=Path, help="a run of shipped sets: no further fits")
    parser.add_argument("--seed", type=int, default=14)
    words = parser.parse_args()
    options = ExploreOptions.from_config(plain_config([])["explore"])
    timed(words.folder)
    if words.against is not None:
        against(words.folder, words.against)
    elif words.fits:
        checked(words.folder, words.fits, words.seed, options)


if __name__ == "__main__":
    main()
