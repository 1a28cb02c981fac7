"""Check what users of a release will get: ``make release-check``.

Builds sdist and wheel into ``dist/``, makes a new environment with the Makefile of the sdist, puts
the wheel in the place of the checkout there, and estimates one shipped set in an empty folder. Its
ranges must be those of the golden table.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import zipfile
from pathlib import Path

import pandas as pd

from tests.golden import golden_differences

TOP = Path(__file__).parents[1]
SET = "central"
SHIPPED = ("estimator", "conf", "data")


def main() -> None:
    """Build, install, run and compare; exit with the first problem."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = project["version"]
    check_tag(version)
    step("building sdist, and wheel from it")
    shutil.rmtree(TOP / "dist", ignore_errors=True)
    call(sys.executable, "-m", "build", "--no-isolation", "--outdir", "dist", cwd=TOP)
    (sdist,), (wheel,) = (list((TOP / "dist").glob(f"*{end}")) for end in (".tar.gz", ".whl"))
    check_content(wheel)
    with tempfile.TemporaryDirectory(prefix="release-") as name:
        place = Path(name).resolve()
        step("making an environment of the pinned packages")
        shutil.unpack_archive(sdist, place, filter="data")
        code = place / sdist.name.removesuffix(".tar.gz")
        call("make", ".venv/.installed", cwd=code)
        python = code / ".venv" / "bin" / "python"
        step("putting the wheel in the place of the checkout")
        pip = (python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps")
        call(*pip, "--force-reinstall", wheel, cwd=code)
        check_run(python.parent, version, place)
    print(f"{wheel.name} and {sdist.name} in dist/ can be released as v{version}.")


def check_tag(version: str) -> None:
    """Refuse a tag that is not of this version, or that the changelog does not know."""
    tags = call("git", "tag", "--points-at", "HEAD", cwd=TOP).split()
    newest = re.search(r"^## \[(.*?)\]", (TOP / "CHANGELOG.md").read_text(), re.MULTILINE)
    for tag in tags:
        if tag != f"v{version}":
            sys.exit(f"the tag is {tag}, and pyproject.toml says {version}")
        if newest is None or newest[1] != version:
            sys.exit(f"CHANGELOG.md has no heading [{version}] before all others")


def check_content(wheel: Path) -> None:
    """Refuse a wheel with more or less than the code, configuration and data that git knows."""
    known = call("git", "ls-files", *SHIPPED, cwd=TOP).splitlines()
    wanted = {name if name.startswith("estimator/") else f"estimator/{name}" for name in known}
    assert {"estimator/py.typed", "estimator/data/datapackage.json"} <= wanted
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    found = {name for name in names if ".dist-info/" not in name}
    if found != wanted:
        sys.exit(f"{wheel.name}: too much: {found - wanted}; missing: {wanted - found}")


def check_run(scripts: Path, version: str, place: Path) -> None:
    """Estimate a set with what is installed, in an empty folder, and compare it."""
    empty = place / "empty"
    empty.mkdir()
    where = call(scripts / "python", "-c", "import estimator; print(estimator.__file__)", cwd=empty)
    if "site-packages" not in Path(where.strip()).parts:
        sys.exit(f"the wheel is not what is imported: {where}")
    said = call(scripts / "estimator", "--version", cwd=empty)
    if said != f"estimator {version}\n":
        sys.exit(f"estimator --version says {said!r}")
    step(f"estimating {SET} in an empty folder")
    words = ("run", f"assumptions={SET}", "plots=false", "name=release")
    environment = {"ESTIMATOR_CACHE_DIR": str(place / "cache")}
    print(call(scripts / "estimator", *words, cwd=empty, **environment))
    summary = pd.read_csv(empty / "outputs" / "release" / "summary.csv", keep_default_na=False)
    if different := golden_differences(SET, summary):
        sys.exit("\n".join(["not what the golden table says:", *different]))


def step(text: str) -> None:
    """Say what is done next."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def call(*words: str | Path, cwd: Path, **environment: str) -> str:
    """Return what a command prints; exit with what it says if it fails."""
    own = dict(os.environ) | environment
    for name in ("PYTHONHOME", "PYTHONPATH"):
        own.pop(name, None)
    done = subprocess.run(  # noqa: S603 - the words are ours
        list(map(str, words)), cwd=cwd, env=own, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
