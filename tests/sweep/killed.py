"""Kill a sweep with synthetic fits again and again: python -m tests.sweep.killed DIR DELAY...

The sweep runs in forks of this process, which has imported and composed what they need. Each fork
is killed so many seconds after it has begun to work; a last one is left alone.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from unittest import mock

from rich.console import Console

from estimator.assumptions.compose import plain_config
from estimator.evidence import load_evidence
from estimator.sweep.design import design_overrides
from estimator.sweep.engine import Engine
from estimator.sweep.options import SweepOptions
from estimator.sweep.run_sweep import run_sweep
from estimator.sweep.sets import Composer, compose_sets
from tests.sweep.synthetic import WINDOW, slow_fit, synthetic_pilot

OVERRIDES = [
    "experiment=latin_hypercube",
    "sweep.design.sets=60",
    "sweep.method=plan",
    "sweep.check=3",
    "sweep.base_draws=1000",
]


def main(folder: Path, delays: list[float]) -> None:
    """Run and kill, then let it end."""
    plain = plain_config(OVERRIDES)
    options = SweepOptions.from_config(plain["sweep"])
    if options.design is None:
        raise RuntimeError("the preset has a design")
    sets = [[WINDOW, *one] for one in design_overrides(options.design, plain)]
    composer = _warmed(sets)
    kills = 0
    for delay in [*delays, None]:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                _run(sets, options, folder, composer, writing)
                status = 0
            finally:
                os._exit(status)
        os.close(writing)
        os.read(reading, 1)
        os.close(reading)
        if delay is not None:
            time.sleep(delay)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        kills += os.WIFSIGNALED(status)
        if delay is None and status:
            raise RuntimeError("the last run failed")
    print(kills)


def _warmed(sets: list[list[str]]) -> Composer:
    """Compose and read here, before the forks, what each of them would compose and read anew."""
    composer = Composer(None)
    assumptions = compose_sets(sets, composer=composer)[0].assumptions
    if assumptions is None:
        raise RuntimeError("the preset is possible")
    load_evidence(assumptions)
    return composer


def _run(
    sets: list[list[str]], options: SweepOptions, folder: Path, composer: Composer, writing: int
) -> None:
    work = Engine.run

    def begin(engine: Engine) -> None:
        os.write(writing, b"b")
        work(engine)

    with (
        mock.patch("estimator.sweep.engine.fit", slow_fit),
        mock.patch("estimator.sweep.engine.pilot_of", synthetic_pilot),
        mock.patch.object(Engine, "run", begin),
    ):
        run_sweep(sets, options, folder, Console(quiet=True), composer=composer)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [float(delay) for delay in sys.argv[2:]])
