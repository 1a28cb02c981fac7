from __future__ import annotations

from pathlib import Path

import pytest

from estimator.cli import main
from estimator.studies.explore.world import World

pytestmark = pytest.mark.slow


@pytest.fixture
def kept(central: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    central.write(tmp_path / "outputs" / "explore" / "central" / "world.nc")
    monkeypatch.chdir(tmp_path)


def whatif(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(["whatif", *words])
    out, err = capsys.readouterr()
    return status, " ".join(out.split()), err


@pytest.mark.usefixtures("kept")
def test_it_says_the_answer_what_it_was_how_far_to_trust_it_and_the_fit_that_checks_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, out, _ = whatif(
        capsys, "central", "returns.rate=0.1:0.3", "--without", "january_gap",
        "--event", "net_change[2026-01] < 4000",
    )  # fmt: skip
    assert status == 0
    assert "P(net_change[2026-01] < 4000)" in out
    assert "as it is" in out
    assert "k-hat" in out
    assert "net change" in out
    assert out.endswith(
        "Check this by a fit: estimator run assumptions=central window=since_2025 "
        "returns.rate.low=0.1 returns.rate.high=0.3 evidence.groups.january_gap=none"
    )


@pytest.mark.usefixtures("kept")
def test_what_the_draws_do_not_reach_has_no_number_and_an_exit_status(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, out, _ = whatif(capsys, "central", "returns.rate=0.98:0.99")
    assert status == 3
    assert "it needs a fit" in out
    assert "Median" not in out
    assert "estimator run assumptions=central" in out


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["central", "returns.rate=0.3"], "returns.rate: range '0.3': must be LOW:HIGH"),
        (["central", "irrecoverable", "returns.rate=0.1:0.3"], "whatif needs one set"),
        (["central", "returns.rate=0.1:0.3", "--event", "net_chnge[last] < 0"], "net_change"),
        (["central", "--event", "net_change[1999-01] < 0"], "no month '1999-01'"),
        (["elsewhere", "returns.rate=0.1:0.3"], "elsewhere: no draws of such a set"),
    ],
)
def test_bad_input_is_one_clear_error(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    status, out, err = whatif(capsys, *words)
    assert (status, out) == (2, "")
    assert said in err
