"""`zhongtai admission`: the queue of the current release, and a decision that the next run reads."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from pipelines.admission import decisions
from pipelines.cli.main import app
from pipelines.settings import Home, InputError

RUNNER = CliRunner()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a release that has three cases, two of which wait."""
    monkeypatch.setenv("ZHONGTAI_HOME", str(tmp_path))
    release = tmp_path / "releases" / "2025-12-31-abc"
    (release / "risk").mkdir(parents=True)
    (release / "manifest.json").write_text(json.dumps({"business_date": "2025-12-31"}))
    (tmp_path / "releases" / "current").symlink_to(release.name)
    with closing(duckdb.connect(str(release / "risk" / "risk.duckdb"))) as con:
        con.execute("""
            create table review_queue as
            select * from (values
                ('aa00000000000001', 'p1', 'application', date '2025-12-20', 'ring', 'S1', date '2025-12-25', true),
                ('aa00000000000002', 'p2', 'application', date '2025-12-30', 'age', 'S2', date '2026-01-04', false)
            ) as t (case_key, pseudonym, occasion, opened_on, reasons, reviewer_key, due_on, is_overdue)
        """)
        con.execute("""
            create table admission_decision as
            select * from (values
                ('aa00000000000001', 'review'), ('aa00000000000002', 'review'), ('bb00000000000003', 'reject')
            ) as t (case_key, automatic_decision)
        """)
    return tmp_path


def call(*arguments: str):
    return RUNNER.invoke(app, ["admission", *arguments])


def decide(case: str, by: str = "S1", *more: str):
    return call("decide", case, "admit", "--by", by, "--reason", "known to the branch", *more)


def test_the_queue_is_that_of_the_release_the_earliest_due_first(home):
    listed = json.loads(call("list", "--json").stdout)
    assert [case["case_key"] for case in listed["cases"]] == ["aa00000000000001", "aa00000000000002"]
    assert [case["decided"] for case in listed["cases"]] == [None, None]
    mine = json.loads(call("list", "--reviewer", "S2", "--json").stdout)
    assert [case["case_key"] for case in mine["cases"]] == ["aa00000000000002"]
    assert "2 cases" in call("list").stdout


def test_a_decision_is_written_and_shown(home):
    done = decide("aa00000000000001")
    assert done.exit_code == 0, done.output
    (entry,) = decisions.read(decisions.path(Home(home)))
    assert (entry.case, entry.verdict, entry.decided_by) == ("aa00000000000001", "admit", "S1")
    assert entry.decided_on.isoformat() == "2025-12-31"
    assert [case["decided"] for case in json.loads(call("list", "--json").stdout)["cases"]] == ["admit", None]


def test_what_the_rules_rejected_can_be_taken_back_by_the_beginning_of_its_name(home):
    assert "the rules say reject" in decide("bb", "Ann", "--on", "2026-01-02").output
    (entry,) = decisions.read(decisions.path(Home(home)))
    assert (entry.case, entry.decided_on.isoformat()) == ("bb00000000000003", "2026-01-02")


def test_another_than_the_reviewer_is_told(home):
    assert "its reviewer is S1, the decision is signed by Ann" in decide("aa00000000000001", "Ann").output


@pytest.mark.parametrize(
    "case, by, more, said",
    [("aa", "S1", (), "2 cases begin with it"), ("cc", "S1", (), "no such case"), ("bb", " ", (), "--by: says nothing"),
     ("bb", "S1", ("--on", "yesterday"), "is not a date")],
)  # fmt: skip
def test_what_cannot_be_decided_is_said_and_nothing_is_written(home, case, by, more, said):
    failed = decide(case, by, *more)
    assert isinstance(failed.exception, InputError)
    assert said in str(failed.exception)
    assert not decisions.path(Home(home)).exists()
