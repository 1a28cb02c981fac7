"""The distribution: name, version and extras are those of pyproject.toml, wherever they stand."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from importlib import metadata
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from estimator import distribution
from estimator.store.versions import versions

TOP = Path(__file__).parents[1]
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_code_knows_its_distribution_by_the_name_of_the_project() -> None:
    assert PROJECT["name"] == distribution.NAME


def test_the_version_that_is_found_is_the_one_of_the_project() -> None:
    assert distribution.version() == PROJECT["version"], "pip install --no-deps -e . is due"
    assert versions()["estimator"] == PROJECT["version"]


def test_a_distribution_that_is_missing_is_said_to_be() -> None:
    assert distribution.version_of("no such distribution") == "not installed"


def test_every_extra_that_is_told_is_one_of_the_project() -> None:
    told = set()
    for pattern in ("*.md", "docs/*.md", "conf/**/*.yaml"):
        for path in TOP.glob(pattern):
            told |= set(re.findall(r"loss-ranges\[([^]]*)\]", path.read_text(encoding="utf-8")))
    for path in (TOP / "estimator").rglob("*.py"):
        told |= set(re.findall(r"distribution\.install\(['\"](\w+)", path.read_text()))
    assert told == set(PROJECT["optional-dependencies"])


def test_every_extra_that_a_package_asks_for_is_pinned_with_it() -> None:
    """Else pip before 23.3, which Python 3.12 may bring, takes the pin for another package."""
    text = (TOP / "requirements-dev.txt").read_text(encoding="utf-8")
    pins = dict(re.findall(r"^([\w-]+)(?:\[([\w,]+)\])?==", text, re.MULTILINE))
    assert set(pins) >= {"numpy", "pytest"}
    for package in metadata.distributions():
        for line in package.requires or ():
            asked = Requirement(line)
            name = canonicalize_name(asked.name)
            applies = asked.marker is None or asked.marker.evaluate({"extra": ""})
            if applies and asked.extras and name in pins:
                assert asked.extras <= set(pins[name].split(",")), (package.name, line)


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((TOP / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)  # what CFF requires
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    # Both belong to a release, and a DOI to an archived one (CONTRIBUTING.md).
    assert re.fullmatch(r"10\.\d{4,9}(\.\d+)?/\S+", citation.get("doi", "10.1234/none"))
    assert isinstance(citation.get("date-released", dt.date.today()), dt.date)


def test_the_changelog_has_the_version_or_what_is_to_be_released() -> None:
    headings = re.findall(r"^## \[(.*?)\]", (TOP / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] in ("Unreleased", PROJECT["version"])
