"""`zhongtai identity`: it prints why, what and what to try next, and what it decides is kept to."""

from __future__ import annotations

import json
import os

import pytest
from typer.testing import CliRunner

from pipelines.cli.main import app
from pipelines.identity import decisions
from pipelines.settings import Home, InputError

from .nights import own, parties, ref
from .test_state import nightly


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Calls the command on a home with two nights, the second of which merges a and b."""
    monkeypatch.setenv("ZHONGTAI_HOME", os.environ.get("ZHONGTAI_HOME", ""))  # the option sets it: put back afterwards
    monkeypatch.setattr(os, "fsync", lambda _: None)
    home = Home(tmp_path)
    nightly(home, 0, "abc", [], full=True)
    nightly(home, 1, "", [("a", "b", "model", 4.0)])

    def call(*words):
        done = CliRunner().invoke(app, ["--home", str(tmp_path), "identity", *words], catch_exceptions=True)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.output

    call.home = home
    return call


def test_explain_names_what_holds_a_party(ask):
    said = ask("explain", own("a")[:16])
    assert "2 records" in said and "weakest" in said and ref("a")[:12] in said and "merge" in said
    found = json.loads(ask("explain", ref("b"), "--json"))
    assert {row["record_ref"] for row in found["records"]} == {ref("a"), ref("b")}
    assert found["weakest"]["rule"] == "model" and len(found["events"]) == 1


def test_an_event_is_undone_and_the_undo_is_seen(ask):
    (event,) = json.loads(ask("events", "--json"))["events"]
    assert event["event_id"][:12] in ask("events")
    assert "next" in ask("undo", event["event_id"][:12], "--by", "Ann", "--reason", "two people")
    night = nightly(ask.home, 2, "", [])
    assert parties(night, "abc") == {name: own(name) for name in "abc"}
    assert [one["kind"] for one in json.loads(ask("events", "--json"))["events"]] == ["undo", "merge"]


def test_two_are_decided_to_be_one_and_then_not_to_be(ask):
    ask("decide", ref("c")[:12], own("a")[:12], "together", "--by", "Ann", "--reason", "one person")
    assert len(set(parties(nightly(ask.home, 2, "", []), "abc").values())) == 1
    ask("decide", ref("c"), ref("a"), "apart", "--by", "Bea", "--reason", "no")
    assert len(decisions.read(decisions.path(ask.home))) == 2
    assert len(set(parties(nightly(ask.home, 3, "", []), "abc").values())) == 2
    assert "0 pairs" in ask("review")


@pytest.mark.parametrize(
    "words, said",
    [
        (("explain", "nobody"), "begin with 'nobody'"),
        (("undo", "nothing", "--by", "Ann", "--reason", "x"), "identity events begin with 'nothing'"),
        (("decide", ref("a"), ref("c"), "apart", "--by", " ", "--reason", "x"), "--by"),
        (("decide", own("a"), own("b"), "apart", "--by", "Ann", "--reason", "x"), "one party now"),
    ],
)
def test_what_cannot_be_done_is_said(ask, words, said):
    with pytest.raises(InputError, match=said):
        ask(*words)


def test_a_home_without_parties_says_what_to_run(tmp_path, monkeypatch):
    monkeypatch.setenv("ZHONGTAI_HOME", str(tmp_path))
    with pytest.raises(InputError, match="nightly"):
        raise CliRunner().invoke(app, ["identity", "events"]).exception
