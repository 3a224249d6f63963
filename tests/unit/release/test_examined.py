"""What was found of a release or a candidate, by the name that a person has of it; `zhongtai gates` shows it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from pipelines.audit.gates import REGISTRY, expected_checks
from pipelines.cli.main import app
from pipelines.release.examined import candidates_of, find_examined
from pipelines.release.refused import Refused
from pipelines.settings import InputError

from .warehouse import DAY, Office, evidence

BROKEN = "list.churn/marketing.low_risk_list"
KEY_OF_ROW = {"change": "came", "pseudonym": "ab" * 32}


@pytest.fixture
def refused(office: Office):
    """A candidate with a failed gate."""
    directory = office.approved()
    found = evidence(directory, office.catalog)
    checks = (
        replace(c, state="failed", observed="too many", failing_keys=(KEY_OF_ROW,)) if c.id == BROKEN else c
        for c in found.checks
    )
    replace(found, checks=tuple(checks)).write(directory)
    return directory


def asked(office: Office, *arguments: str):
    done = CliRunner().invoke(app, ["--home", str(office.home.path), "gates", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_name_is_a_release_or_a_candidate(office: Office, refused) -> None:
    found = find_examined(office.home, refused.name[:9])
    assert (found.kind, found.path, found.business_date) == ("candidate", refused, DAY)
    assert [check.id for check in found.evidence.refusals()] == [BROKEN]
    evidence(refused, office.catalog).write(refused)
    release = office.publish(refused)
    assert candidates_of(office.home) == []
    for name in (None, "current", release.id, release.id[:13]):
        assert find_examined(office.home, name).path == release.path


def test_a_name_of_nothing_says_what_there_is(office: Office, refused) -> None:
    with pytest.raises(InputError, match=f"0 releases and candidates begin with 'x'; there are: {refused.name[:12]}"):
        find_examined(office.home, "x")
    with pytest.raises(InputError, match="nothing is published"):
        find_examined(office.home, None)


def test_a_candidate_that_was_never_audited_is_said_to_be_so(office: Office) -> None:
    built = office.build()
    with pytest.raises(Refused, match="there is no evidence; audit the candidate"):
        find_examined(office.home, built.content_hash)


def test_a_refused_candidate_is_shown_with_its_rows(office: Office, refused) -> None:
    told = asked(office, "show", refused.name[:12])
    for words in (f"{BROKEN} failed (block)", "seen  too many", f"row   change came, pseudonym {'ab' * 32}",
                  "1 failed, 0 not audited; 1 stand against a release"):  # fmt: skip
        assert words in told
    as_json = json.loads(asked(office, "show", refused.name[:12], "--json"))
    (check,) = (check for check in as_json["checks"] if check["state"] == "failed")
    assert (check["id"], check["failing_keys"], as_json["kind"]) == (BROKEN, [KEY_OF_ROW], "candidate")


def test_every_gate_is_listed_with_the_number_of_its_checks(office: Office, whole_catalog) -> None:
    told = json.loads(asked(office, "list", "--json"))["gates"]
    assert [gate["id"] for gate in told] == list(REGISTRY)
    assert sum(gate["checks"] for gate in told) == len(expected_checks(whole_catalog))
    assert all(words in asked(office, "list") for words in ("distribution.drift", f"{len(REGISTRY)} gates"))
