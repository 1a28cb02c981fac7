"""Bad arguments, folders and files of the commands that read what others left."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from estimator.cli import COMMANDS
from tests.benchmarks import nasty
from tests.benchmarks.nasty import one

_FOLDERS = {"{run}": "outputs/set", "{set}": "outputs/set/article", "{sweep}": "outputs/sweep"}
_LINES = (
    "compare {out}", "compare {out} {out}", "compare {run} --no-plots --answer {answer}",
    "compare {run} --reference {nasty}", "compare {run} --sets {nasty}",
    "compare {run} --weights {nasty}", "compare {out} compare.{key}={nasty}",
    "compare {run} --output {place}", "compare {sweep} --answer {answer} --no-plots",
    "report {out} --no-fits", "report {run} --no-fits report.{key}={nasty}",
    "report {run} --no-fits --output {place}", "report {out} {out} --no-fits",
    "audit {out} audit.refit=none", "audit {run} audit.refit={nasty}",
    "audit {run} --sets {nasty}", "audit {run} audit.{key}={nasty}",
    "when {event} {out}", "when {event} {run} --scenario {nasty}",
    "when {event} {run} --sets {nasty}", "when {event} {run} --output {place}",
    "discover {out} --event {event}", "discover {sweep} --event {event} discover.{key}={nasty}",
    "breakeven {key} --event {event}", "breakeven {nasty} {nasty} --event {event}",
    "breakeven returns.rate --event {event} --level {nasty} sampler.draws=x",
    "breakeven returns.rate --range {range} breakeven.grid=x",
    "breakeven scenario.plan_share --result {out} --event {event}",
    "breakeven returns.rate {key}={nasty} breakeven.points=0",
    "whatif {out} returns.rate={range}", "whatif {set} {key}={range}",
    "whatif {set} returns.rate={range} --without {nasty}",
    "whatif {set} returns.rate={range} --event {event}", "whatif {set} explore.{key}={nasty}",
    "explore {nasty} explore.draws=x", "explore central explore.{key}x={nasty}",
    "explore {word} {nasty}x", "backtest backtest.{key}x={nasty}",
    "backtest assumptions={nasty}x", "backtest backtest.first={nasty} backtest.horizons=0",
    "calibrate calibrate.parts=[{nasty}]", "calibrate calibrate.{key}x={nasty}",
    "collect {out}", "collect {out} --no-plots", "score {file} --against {file}",
    "score {out} --against {file} --log", "ingest {word} {file} -o claims.csv",
    "ingest general-staff {file} -o {place}", "ingest mapping {file} --mapping {file} -o c.csv",
    "ingest economist-list {file} --war-start {nasty} -o c.csv",
    "ingest weekly-registry {file} --published {nasty} --country {nasty} -o c.csv",
    "ingest mapping mine.csv --mapping mine.yaml --max-megabytes {nasty} -o c.csv",
    "ingest mapping mine.csv --mapping mine.yaml --speaker {nasty} -o c.csv",
    "ingest mapping mine.csv --mapping mine.yaml --origin {nasty} --prefix {nasty} -o c.csv",
    "list {nasty}", "list {word}", "show {nasty}", "show {key}", "show central --diff {nasty}",
    "show --diff {word}", "new {word} {nasty}", "new set {nasty}", "new claim {nasty}",
    "new mapping {nasty} --config-dir {place}", "new scenario {nasty} --config-dir {place}",
    "completion {nasty}", "cache {nasty}", "{nasty}", "{word} {nasty}",
    "list returns --config-dir {place}", "run --config-dir {place} seed=1x",
)  # fmt: skip
_EVENTS = (
    "net_change[2026-01] < 0", "killed[total] > 1", "net_change[2099-01] < 0", "losses < ", "< 5",
    "losses[2026-01] < nan", "losses[2026-01] = 5", "nothing[2026-01] < 0", "losses[] < 1",
    "losses[2026-01] < 1e999", "force_size < 600000", "losses[2026-13] > 1", "P(losses[total]<0)",
    "losses[total] > 1e400", "losses[last] < -1",
)  # fmt: skip
_KEYS = (
    "returns.rate", "returns.ratee", "force.start", "seed", "scenario.plan_share", "shown", "level",
    "returns", "bias[general_staff_ukraine:losses]", "bias[", "window.start", "killed_share.level",
)  # fmt: skip
_RANGES = ("0.1:0.3", "0.3:0.1", "-1:2", "nan:1", "0.1:", ":", "0.1", "a:b", "0:0", "0:inf")
_PLACES = ("made", "a/b/c", "/proc/nowhere", "/dev/null", "mine.csv", "x" * 300, "", "new\nline")


def command(rng: np.random.Generator, folder: Path, base: Path) -> list[str]:
    """Write what a command reads into a folder, damaged or not; return the command."""
    for name in ("mine.csv", "mine.yaml"):
        shutil.copy(base / name, folder / name)
    words = [_filled(rng, word, folder, base) for word in one(rng, _LINES).split(" ")]
    flag = rng.random()
    if flag < 0.06:
        words.append(one(rng, ("--nonsense", "-x", "--output", "--sets", "--", "-m", "--no-plot")))
    elif flag < 0.1 and len(words) > 1:
        del words[int(rng.integers(1, len(words)))]
    clearing = words[:1] == ["cache"] and "--clear".startswith("".join(words[1:]) or "x")
    return ["cache"] if clearing else words


def _filled(rng: np.random.Generator, word: str, folder: Path, base: Path) -> str:
    pools = {
        "{nasty}": (*nasty.WORDS, *nasty.RAW[2:], nasty.UNDECODED),
        "{event}": _EVENTS,
        "{answer}": tuple(event.partition(" ")[0] for event in _EVENTS),
        "{key}": _KEYS,
        "{range}": _RANGES,
        "{place}": _PLACES,
        "{word}": (
            *COMMANDS,
            "returns",
            "priors",
            "central",
            "claim",
            "mapping",
            "sets",
            "radford",
        ),
    }
    for mark, pool in pools.items():
        if mark in word:
            word = word.replace(mark, one(rng, pool))
    if word == "{file}":
        return _file(rng, folder, base)
    harm = 0.0 if word in _FOLDERS else 0.9
    if word == "{out}":
        word = one(rng, (*_FOLDERS, *_FOLDERS, "nothing", "", "/", "mine.csv", "empty"))
    (folder / "empty").mkdir(exist_ok=True)
    place = _FOLDERS.get(word)
    if place is None:
        return word
    if not (folder / place).exists():
        shutil.copytree(base / place, folder / place)
        if rng.random() < harm:
            _harm(rng, folder / place)
    return place


def _file(rng: np.random.Generator, folder: Path, base: Path) -> str:
    good = [path for path in base.rglob("*") if path.is_file() and path.stat().st_size < 10**6]
    place = folder / f"file-{len(list(folder.iterdir()))}.csv"
    content = one(rng, good).read_bytes()
    place.write_bytes(nasty.garbled(rng, content) if rng.random() < 0.6 else content)
    return one(rng, (place.name, place.name, place.name, "nothing.csv", "empty", "/dev/null"))


def _harm(rng: np.random.Generator, folder: Path) -> None:
    """Damage a file of a folder, lose it, or put a folder or text in its place."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    binary = [path for path in files if path.suffix in (".nc", ".sqlite", ".csv", ".parquet")]
    path = one(rng, binary if rng.random() < 0.8 else files)
    content, way = path.read_bytes(), rng.random()
    path.unlink()
    if way < 0.6:
        path.write_bytes(nasty.garbled(rng, content))
    elif way < 0.75:
        path.mkdir()
    elif way < 0.85:
        path.symlink_to(path.name)
