from __future__ import annotations

import csv
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from estimator.assumptions import AssumptionSet
from estimator.assumptions.compose import plain_config
from estimator.cli import main
from estimator.evidence import load_evidence, read_claims
from estimator.ingest.cli import DESCRIPTION
from estimator.ingest.formats import FORMATS
from estimator.ingest.mapping_options import TEMPLATE
from tests.ingest.made import (
    LIST_HEADER,
    RADFORD_HEADER,
    RAW_HEADER,
    UCDP_HEADER,
    WEEK_HEADER,
    csv_file,
    event,
    json_file,
    listed,
    records,
    report,
)

pytestmark = pytest.mark.slow

FIRST_LINE = ",".join(LIST_HEADER[:-1]).encode()
DOC = Path(__file__).parents[2] / "docs" / "ingest.md"


def make_all(folder: Path) -> None:
    """Make the tables that the documentation names."""
    json_file(
        folder / "losses.json",
        records({"2022-02-25": 2800, "2022-02-28": 5300, "2022-03-31": 17500}),
    )
    uk = [listed(f"01/0{n}/2022", estimate=n * 5000, source="UK MoD") for n in (4, 5, 6)]
    csv_file(folder / "list.csv", LIST_HEADER, [*uk, listed(low=1, high=2, country="ukraine")])
    raw = ["2022-07-24", "US", "russia", "a", "estimate", 15000, 150, "deaths"]
    csv_file(folder / "raw.csv", RAW_HEADER, [raw])
    csv_file(folder / "reports.csv", RADFORD_HEADER, [report(), report(country="Ukraine")])
    sides = ("Government of Russia (Soviet Union)", "Government of Ukraine")
    csv_file(folder / "events.csv", UCDP_HEADER, [event(sides=sides)])
    csv_file(folder / "weeks.csv", WEEK_HEADER, [[2022, 9, 560, 691, 822, 619]])
    csv_file(
        folder / "table.csv",
        ("date", "number", "kind", "who", "comment"),
        [("01/03/2025", "1.5", "deaths", "A", "x")],
    )
    (folder / "mapping.yaml").write_text(TEMPLATE, encoding="utf-8")


def ingest(*words: object) -> int:
    return main(["ingest", *(str(word) for word in words)])


@pytest.fixture
def staff(tmp_path: Path) -> Path:
    make_all(tmp_path)
    return tmp_path / "losses.json"


def test_every_command_of_the_documentation_works_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_all(tmp_path)
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```sh\n(.*?)```", DOC.read_text(encoding="utf-8"), re.DOTALL)
    lines = block.strip().splitlines()
    assert {shlex.split(line)[2] for line in lines} == set(FORMATS)
    for line in lines:
        assert main(shlex.split(line)[1:]) == 0
        said = [t.strip() for t in capsys.readouterr().out.splitlines()]
        runs = [shlex.split(text) for text in said if text.startswith("estimator run")]
        assert runs
        for run in runs:
            checked = AssumptionSet.from_config(plain_config(run[2:]), label="x")
            evidence = load_evidence(checked)
            assert evidence.claims["used"].any(), (line, evidence.not_used)


def test_the_documentation_shows_the_mapping_that_is_begun_with() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", DOC.read_text(encoding="utf-8"), re.DOTALL)
    assert block == TEMPLATE


def test_help_describes_every_format_and_imports_nothing_heavy() -> None:
    assert re.findall(r"^  (\S+) {2,}", DESCRIPTION, re.MULTILINE) == list(FORMATS)
    code = (
        "import sys; from estimator.cli import main\n"
        "try: main(['ingest', '--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('numpy', 'pandas', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().endswith("[]")
    assert all(name in done.stdout for name in FORMATS)


def test_nothing_is_overwritten_without_force(
    tmp_path: Path, staff: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "claims.csv"
    output.write_text("mine", encoding="utf-8")
    assert ingest("general-staff", staff, "-o", output) == 2
    assert "is there already; --force" in capsys.readouterr().err
    assert output.read_text(encoding="utf-8") == "mine"
    assert ingest("general-staff", staff, "-o", output, "--force") == 0
    assert output.read_text(encoding="utf-8").startswith("id,quantity")
    assert ingest("general-staff", staff, "-o", staff, "--force") == 2
    assert "would overwrite what is read" in capsys.readouterr().err
    assert staff.read_text(encoding="utf-8").startswith("[")


def test_a_file_at_fault_leaves_no_file_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = json_file(tmp_path / "a.json", [{"date": "2022-02-25", "personnel": -1}])
    assert ingest("general-staff", path, "-o", tmp_path / "claims.csv") == 2
    assert "personnel: negative" in capsys.readouterr().err
    assert [found.name for found in tmp_path.iterdir()] == ["a.json"]


def test_strict_lists_all_rows_at_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [listed(estimate=5), listed(estimate="x"), listed("1.1.22", estimate=5)]
    path = csv_file(tmp_path / "list.csv", LIST_HEADER, rows)
    words = ("economist-list", path, "-o", tmp_path / "c.csv", "--war-start", "2022-02-24")
    assert ingest(*words, "--strict") == 2
    said = capsys.readouterr().err
    assert "row 3: estimate: not a number" in said
    assert "row 4: date: not a date as dd/mm/yyyy (found '1.1.22')" in said
    assert not (tmp_path / "c.csv").exists()
    assert ingest(*words) == 0


def test_the_report_has_every_row_once(tmp_path: Path) -> None:
    rows = [listed(estimate=5), listed(estimate="x"), listed(estimate=5)]
    path = csv_file(tmp_path / "list.csv", LIST_HEADER, rows)
    output = tmp_path / "c.csv"
    assert ingest("economist-list", path, "-o", output, "--war-start", "2022-02-24") == 0
    with (tmp_path / "c.csv.report.csv").open(encoding="utf-8", newline="") as file:
        found = [(row["row"], row["outcome"], row["claims"]) for row in csv.DictReader(file)]
    assert found == [
        ("2", "used", "some_institute-killed-2022-05-01"),
        ("3", "skipped", ""),
        ("4", "skipped", ""),
    ]


def test_hostile_texts_stay_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = [
        "=HYPERLINK(1)", "[red]x[/red]", "a\nb\x1b[31m", "$(touch pwned)", '"; rm', "../../etc"
    ]  # fmt: skip
    rows = [
        listed("01/05/2022", estimate=n + 1, source=text, country=f"c{text}")
        for n, text in enumerate(texts)
    ]
    path = csv_file(tmp_path / "list.csv", LIST_HEADER, [*rows, listed(kind="[bold]\x1b[2J")])
    output = tmp_path / "c.csv"
    assert ingest("economist-list", path, "-o", output, "--war-start", "2022-02-24") == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    text = output.read_text(encoding="utf-8")
    assert "\n=" not in text
    assert ",=" not in text
    with output.open(encoding="utf-8", newline="") as file:
        assert {
            re.fullmatch(r"[a-z0-9_]+", row["origin"]) is None for row in csv.DictReader(file)
        } == {False}


@pytest.mark.parametrize("name", ["my claims.csv", "it's.csv", "a,b].csv", "${x}.csv", "null"])
def test_the_command_that_goes_on_is_quoted_for_the_shell_and_for_hydra(
    tmp_path: Path,
    staff: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ingest("general-staff", staff, "-o", name) == 0
    command = capsys.readouterr().out.splitlines()[-1]
    override = shlex.split(command)[2]
    (found,) = OverridesParser.create().parse_override(override).value()
    assert str(found).replace("\\${", "${") == name


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("generalstaff",), "unknown format 'generalstaff'; did you mean 'general-staff'?"),
        (
            ("general-staff", "--side", "X"),
            "general-staff has no use for --side; allowed: --origin",
        ),
        (("general-staff", "--origin", "A=b"), "general-staff has one source"),
        (("general-staff", "--origin", "Not Snake"), "allowed: a snake_case name"),
        (("general-staff", "--origin", "a", "--origin", "b"), "is given twice"),
        (("general-staff", "--every", "year"), "--every: found 'year'; allowed: day, week, month"),
        (("general-staff", "--war-start", "24.2.22"), "--war-start: found '24.2.22'"),
        (("radford", "--dense-days", "nan"), "--dense-days: found nan"),
        (("general-staff", "--citation", " "), "--citation: is empty"),
        (("general-staff", "--speaker", "me"), "--speaker: found 'me'; allowed: own, enemy"),
        (("general-staff", "--speaker", "A=own"), "one source: --speaker WHO. Got --speaker A=…"),
        (("general-staff", "--week-start", "A"), "general-staff has no use for --week-start"),
        (("general-staff", "--prefix", "A b"), "--prefix: found 'A b'; allowed: a snake_case name"),
        (("general-staff", "--max-megabytes", "0.00001"), "allowed: 0 MB (--max-megabytes)"),
    ],
)
def test_an_option_at_fault_is_one_clear_error(
    tmp_path: Path,
    staff: Path,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    said: str,
) -> None:
    assert ingest(words[0], staff, "-o", tmp_path / "c.csv", *words[1:]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "c.csv").exists()


def test_files_and_outputs_that_cannot_be_are_told(
    tmp_path: Path, staff: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ingest("general-staff", tmp_path / "no.json", "-o", tmp_path / "c.csv") == 2
    assert "cannot be read" in capsys.readouterr().err
    assert ingest("general-staff", staff) == 2
    assert "ingest needs FORMAT FILE -o" in capsys.readouterr().err
    assert ingest("general-staff", staff, "-o", tmp_path) == 2
    assert "is a folder" in capsys.readouterr().err
    assert ingest("general-staff", staff, "-o", "shipped") == 2
    assert "stands for the shipped table" in capsys.readouterr().err
    assert ingest("general-staff", staff, "-o", staff / "c.csv") == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b" \n ", "the file is empty"),
        (b"a\xff\n", "not UTF-8 (byte 0xff)"),
        (b"\xff\xfed", "not UTF-16, as its first bytes say"),
        (b"<html>", "expected a CSV table"),
        (b"PK\x03\x04\x14", "a zip file or a workbook; expected text: unpack it"),
        (b"\x1f\x8b\x08", "a gzip file; expected text"),
        (b"\n\ndate,x\n", "column 'estimate_low' is missing"),
        (b",,\n\nNA\n", "every line is empty"),
        (b'""', "every line is empty"),
        (b'[{"a": 1}]', "expected a CSV table"),
        (b"date;estimate\n1;2\n", "expected commas"),
        (b"date;kind;who, or what\n1;2;3\n", "expected commas"),
        (b"sep=;\ndate;estimate\n1;2\n", "delete the line"),
        (b"date,date\n1,2\n", "column 'date' stands 2 times"),
        (b'date,"a\n', "not a CSV table"),
        (FIRST_LINE + b'\n"' + b"a" * 200_000 + b'"\n', "line 2: not a CSV table (field larger"),
        (FIRST_LINE + b'\n1,"a\n', "line 2: not a CSV table (unexpected end"),
        (FIRST_LINE + b"\n", "a header and no rows"),
    ],
)
def test_what_is_no_table_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    words = ("economist-list", path, "-o", tmp_path / "c.csv", "--war-start", "2022-02-24")
    assert ingest(*words) == 2
    assert said in capsys.readouterr().err


def test_a_mark_windows_lines_and_names_in_capitals_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    line = ",".join(str(cell) for cell in listed(estimate=5))
    path.write_bytes(
        b"\xef\xbb\xbf" + f"{','.join(LIST_HEADER[:-1]).upper()},X\r\n{line}\r\n\r\n".encode()
    )
    output = tmp_path / "c.csv"
    assert ingest("economist-list", path, "-o", output, "--war-start", "2022-02-24") == 0
    assert "unknown column" in (tmp_path / "c.csv.report.csv").read_text(encoding="utf-8")


def test_columns_without_a_name_and_lines_of_empty_cells_are_left_by_spreadsheets(
    tmp_path: Path,
) -> None:
    rows = [[*listed(estimate=5), "", ""], [""] * (len(LIST_HEADER) + 2)]
    path = csv_file(tmp_path / "x.csv", (*LIST_HEADER, "", ""), rows)
    output = tmp_path / "c.csv"
    assert ingest("economist-list", path, "-o", output, "--war-start", "2022-02-24") == 0
    assert "3,skipped,empty line" in (tmp_path / "c.csv.report.csv").read_text(encoding="utf-8")


def test_records_that_are_a_csv_table_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "losses.json"
    path.write_text("date,personnel\n2022-03-01,5\n", encoding="utf-8")
    assert ingest("general-staff", path, "-o", tmp_path / "c.csv") == 2
    assert "begins with 'date,personnel', expected a list" in capsys.readouterr().err


def test_claims_of_one_day_go_on_with_a_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = csv_file(tmp_path / "events.csv", UCDP_HEADER, [event("2023-03-01")])
    assert ingest("ucdp-ged", path, "-o", "c.csv", "--side", "Government of Russia") == 0
    command = shlex.split(capsys.readouterr().out.splitlines()[-1])
    assert command[-2:] == ["window.start=2023-03-01", "window.end=2023-03-02"]
    checked = AssumptionSet.from_config(plain_config(command[2:]), label="x")
    assert load_evidence(checked).claims["used"].all()


def test_figures_of_what_came_after_their_publication_are_no_claims(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days = ("2022-03-05", "2022-03-09", "2023-03-09")
    path = csv_file(tmp_path / "events.csv", UCDP_HEADER, [event(day) for day in days])
    words = ("ucdp-ged", path, "-o", tmp_path / "c.csv", "--side", "Government of Russia")
    assert ingest(*words, "--published", "2022-03-07") == 0
    report_text = (tmp_path / "c.csv.report.csv").read_text(encoding="utf-8")
    assert '4,skipped,"not a possible claim: published: allowed: not before' in report_text
    assert "2,remark,published before the period ends" in report_text
    assert ingest(*words, "--published", "2021-01-01", "--force") == 2
    assert "no row became a claim" in capsys.readouterr().err


def test_a_day_to_come_is_told(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "r.csv", RADFORD_HEADER, [report(), report(days=36500, source="B")])
    assert ingest("radford", path, "-o", tmp_path / "c.csv") == 0
    report_text = (tmp_path / "c.csv.report.csv").read_text(encoding="utf-8")
    assert report_text.count("a period that ends after today") == 1


def test_what_is_read_is_not_overwritten_and_names_are_kept(
    tmp_path: Path, staff: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ingest("general-staff", staff, "-o", staff, "--force") == 2
    mapping = tmp_path / "mapping.yaml"
    words = ["mapping", tmp_path / "table.csv", "--mapping", mapping, "--war-start", "2025-01-01"]
    assert ingest(*words, "-o", mapping, "--force") == 2
    assert capsys.readouterr().err.count("would overwrite what is read") == 2
    assert mapping.read_text(encoding="utf-8") == TEMPLATE
    assert ingest(*words, "-o", tmp_path / "c.csv", "--population==sum(A1)") == 2
    assert "population '=sum(A1)'; allowed: a name that begins" in capsys.readouterr().err


def test_thousands_of_bad_rows_are_told_in_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [report(), *(report(count=-n) for n in range(1, 1001))]
    path = csv_file(tmp_path / "r.csv", RADFORD_HEADER, rows)
    assert ingest("radford", path, "-o", tmp_path / "c.csv", "--strict") == 2
    said = capsys.readouterr().err
    assert "row 20: loss_count: negative" in said
    assert "row 21" not in said
    assert "and 982 more; without --strict the report has them all" in said


def test_tables_with_the_same_estimate_can_be_used_together_with_a_prefix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_all(tmp_path)
    words = ("economist-list", "list.csv", "--war-start", "2022-02-24", "--country", "russia")
    assert ingest(*words, "-o", "one.csv") == 0
    assert ingest(*words, "-o", "two.csv", "--prefix", "again") == 0
    claims = read_claims(["one.csv", "two.csv"])
    assert claims["id"].tolist()[3:] == [f"again-{name}" for name in claims["id"][:3]]
    report_text = (tmp_path / "two.csv.report.csv").read_text(encoding="utf-8")
    assert "2,used,,,again-uk_mod-killed-2022-03-31" in report_text


def test_the_text_of_spreadsheets_in_utf16_is_read(tmp_path: Path) -> None:
    line = ",".join(str(cell) for cell in listed(estimate=5, source="Институт"))
    text = f"{','.join(LIST_HEADER[:-1])},X\r\n{line}\r\n"
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        mark = "" if encoding == "utf-16" else "\ufeff"
        (tmp_path / "x.csv").write_bytes((mark + text).encode(encoding))
        words = ("economist-list", tmp_path / "x.csv", "--war-start", "2022-02-24", "--force")
        assert ingest(*words, "-o", tmp_path / "c.csv") == 0
        assert "Институт" in (tmp_path / "c.csv").read_text(encoding="utf-8")


def test_the_header_of_a_file_that_was_joined_is_no_row_at_fault(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "r.csv", RADFORD_HEADER, [report(), [*RADFORD_HEADER], report()])
    assert ingest("radford", path, "-o", tmp_path / "c.csv", "--strict") == 0
    report_text = (tmp_path / "c.csv.report.csv").read_text(encoding="utf-8")
    assert "3,skipped,the header again" in report_text


def test_a_byte_that_is_no_text_far_down_is_told_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = csv_file(tmp_path / "r.csv", RADFORD_HEADER, [report() for _ in range(5000)])
    with path.open("ab") as file:
        file.write(b"\xe9\n")
    assert ingest("radford", path, "-o", tmp_path / "c.csv") == 2
    assert "line 5002: not UTF-8 (byte 0xe9)" in capsys.readouterr().err


def test_a_population_that_no_shipped_set_knows_is_told_with_what_to_add(
    tmp_path: Path, staff: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("general-staff", staff, "-o", tmp_path / "c.csv", "--force")
    assert ingest(*words) == 0
    assert "other_war" not in capsys.readouterr().out
    assert ingest(*words, "--population", "blue_forces") == 0
    assert "for another side or war add experiment=other_war" in capsys.readouterr().out


def test_lines_before_the_header_count_and_are_no_rows(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "r.csv", RADFORD_HEADER, [report(), report(count=-1)])
    path.write_text(f"\n,,,\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    assert ingest("radford", path, "-o", tmp_path / "c.csv") == 0
    with (tmp_path / "c.csv.report.csv").open(encoding="utf-8", newline="") as file:
        found = [(row["row"], row["outcome"]) for row in csv.DictReader(file)]
    assert found == [("4", "used"), ("5", "skipped")]
