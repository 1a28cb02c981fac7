"""The Data Package: made from schema, card and tables, and true of every cell."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from estimator.evidence.datapackage import FILE, datapackage, datapackage_json
from estimator.evidence.schema import OPTIONAL_COLUMNS, REQUIRED_COLUMNS
from estimator.paths import data_dir

PACKAGE = datapackage(data_dir())
READ = {"string": str, "number": float, "date": dt.date.fromisoformat}


def test_the_file_is_what_schema_card_and_tables_say_now() -> None:
    written = (data_dir() / FILE).read_text(encoding="utf-8")
    assert written == datapackage_json(data_dir()), "make datapackage writes it again"


def test_another_cell_makes_another_file(tmp_path: Path) -> None:
    shutil.copytree(data_dir(), tmp_path, dirs_exist_ok=True)
    table = tmp_path / "claims.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("35000", "35001"), encoding="utf-8")
    assert datapackage_json(tmp_path) != datapackage_json(data_dir())


def test_it_has_what_the_standard_asks_for() -> None:
    package = json.loads(datapackage_json(data_dir()))
    names = [package["name"], *(resource["name"] for resource in package["resources"])]
    assert all(re.fullmatch(r"[a-z0-9._-]+", name) for name in names)
    assert len(set(names)) == len(names)
    assert all(licence.get("name") for licence in package["licenses"])
    for resource in package["resources"]:
        assert not Path(resource["path"]).is_absolute()
        assert (data_dir() / resource["path"]).stat().st_size == resource["bytes"]
        assert re.fullmatch(r"sha256:[0-9a-f]{64}", resource["hash"])
        assert all(source["title"] for source in resource["sources"])


def test_every_table_of_the_folder_is_in_it() -> None:
    paths = {resource["path"] for resource in PACKAGE["resources"]}
    assert paths == {path.name for path in data_dir().glob("*.csv")}


def test_every_column_of_the_schema_is_described() -> None:
    fields = [field for resource in PACKAGE["resources"] for field in resource["schema"]["fields"]]
    assert {field["name"] for field in fields} == {*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS}
    assert all(field["description"] for field in fields)
    assert {field["type"] for field in fields} == set(READ)


@pytest.mark.parametrize("resource", PACKAGE["resources"], ids=lambda resource: resource["name"])
def test_every_cell_is_as_its_field_says(resource: dict[str, Any]) -> None:
    with (data_dir() / resource["path"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    fields = resource["schema"]["fields"]
    assert [field["name"] for field in fields] == list(rows[0])
    for field in fields:
        constraints = field.get("constraints", {})
        cells = [row[field["name"]] for row in rows]
        given = [cell for cell in cells if cell not in resource["schema"]["missingValues"]]
        for cell in given:
            READ[field["type"]](cell)
            assert cell in constraints.get("enum", [cell])
            assert re.fullmatch(constraints.get("pattern", ".*"), cell)
        assert not constraints.get("required") or given == cells
        assert not constraints.get("unique") or len(set(given)) == len(given)
